# SPDX-License-Identifier: Apache-2.0
"""Work in a model: its lease, one remote task started exactly once, followed to its end, and its outcome fetched.

Before anything is sent, what is about to happen is written down where the next try of the same task finds it; before
the POST, also on the lease, where whoever takes it over finds it. So a task that died at any point is taken up, not
repeated.

Nothing here waits for a model or a lease: LeaseTakenError and ModelBusyError go to the caller, who leaves its worker
slot and comes back. Only an answer that got lost is looked for here, until the request can no longer take effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from airflow_provider_mlconnector.errors import (
    LostAnswerError,
    MlconnectorError,
    ModelBusyError,
    NotFoundError,
    TaskCancelledError,
    TaskFailedError,
)
from airflow_provider_mlconnector.pipeline.book import folder
from airflow_provider_mlconnector.pipeline.context import Bench, JobStore
from airflow_provider_mlconnector.pipeline.leasing import ModelLease
from airflow_provider_mlconnector.pipeline.stage import digest, scratch_file
from airflow_provider_mlconnector.systems.anaplan.jobs import (
    JobRecord,
    Move,
    Phase,
    StartDecision,
    TaskPoller,
    decide_start,
)
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.ports import no_fence
from airflow_provider_mlconnector.systems.anaplan.tasks import (
    ActionKind,
    Outcome,
    TaskRef,
    TaskState,
    TaskStatus,
    TaskSummary,
)
from airflow_provider_mlconnector.trail.leases import Lease
from airflow_provider_mlconnector.trail.records import EventKind, StagedFile

REQUEST_TIMEOUT = 320.0  # after connect and read time-outs an unanswered start can no longer take effect


@dataclass(frozen=True, slots=True)
class ActionJob:
    """One action to run.

    :param upload: file id in the model and the local file to put there first.
    :param repeatable: running it twice does no harm, as with a file of totals; not so with deletes.
    :param fingerprint: digest of what is sent; other input is another job.
    :param context: JSON that is kept with the job's record and given back by :meth:`ModelWork.unfinished`.
    :param confirm: called under the lease before anything is sent; raises when the work is not to be done any more.
    """

    kind: ActionKind
    action_id: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    upload: tuple[str, Path] | None = None
    repeatable: bool = True
    fingerprint: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    confirm: Callable[[], None] = no_fence


@dataclass(frozen=True, slots=True)
class Dump:
    """The failure dump of an import, or of one action of a process (``object_id``)."""

    object_id: str
    file: StagedFile


@dataclass(frozen=True, slots=True)
class Finished:
    """How a remote task ended, and the dumps that were taken at once."""

    outcome: Outcome
    dumps: tuple[Dump, ...] = ()


class ModelWork:
    """What one task does in one model.

    :param owner: name of the task instance, the same for all of its tries.
    :param store: keeps the record of the job over these tries.
    :param generation: how often the task was cleared; a cleared one starts anew.
    :param deadline: epoch seconds after which the remote task is cancelled.
    """

    def __init__(
        self,
        bench: Bench,
        model: AnaplanModel,
        *,
        owner: str,
        store: JobStore,
        generation: int,
        run_id: str,
        deadline: float,
    ) -> None:
        self.model = model
        self._bench = bench
        self._store = store
        self._generation = generation
        self._run_id = run_id
        self._deadline = deadline
        self._lease = ModelLease(bench, model, owner, run_id)

    @property
    def lease(self) -> Lease | None:
        """The lease while it is held, for a trigger to renew."""
        return self._lease.held

    def unfinished(self) -> dict[str, Any] | None:
        """Return the context of the job that an earlier try began; None when there is none, or it failed."""
        record, context = self._read()
        return context if record is not None and record.generation == self._generation else None

    def begin(self, job: ActionJob) -> TaskRef:
        """Come by a running task for a job: start one, or take up the one that an earlier try started.

        :raises LeaseTakenError: when somebody else works on the model: come back later.
        :raises ModelBusyError: when the model cannot be worked with now: come back later.
        :raises TaskFailedError: when it cannot be told whether work that must not be repeated was done.
        """
        self._lease.hold()
        try:
            return self._come_by_task(job)
        except BaseException:
            if self._lease.remote is None:  # nothing of ours runs in the model
                self.release()
            raise

    def _come_by_task(self, job: ActionJob) -> TaskRef:
        while True:
            record = self._own_record(job)
            decision = self._decide(job, record)
            match decision.move:
                case Move.ADOPT:
                    return self._adopt(job, decision)
                case Move.LOOK_AGAIN:
                    self._note(EventKind.WAITED, for_=decision.message, seconds=decision.wait)
                    self._bench.clock.sleep(decision.wait)
                case Move.WAIT_FOR:
                    raise ModelBusyError(decision.message, state="running other tasks")
                case Move.ASK:
                    raise TaskFailedError(
                        decision.message,
                        hint="Look at these tasks in Anaplan; clear this task if the work was not done.",
                    )
                case Move.POST:
                    started = self._start(job)
                    if started is not None:
                        return started

    def _decide(self, job: ActionJob, record: JobRecord | None) -> StartDecision:
        posted = record is not None and record.posted_at is not None and not record.task_id
        return decide_start(
            record,
            generation=self._generation,
            fingerprint=job.fingerprint,
            listed=self._listed(job) if posted else (),
            now=self._now(),
            request_timeout=REQUEST_TIMEOUT,
            repeatable=job.repeatable,
        )

    def _adopt(self, job: ActionJob, decision: StartDecision) -> TaskRef:
        ref = self._ref(job, decision.task_ids[0])
        self._lease.note(ref)
        self._write(job, self._record(job, Phase.RUNNING, task_id=ref.task_id))
        self._note(EventKind.ADOPTED, task=ref.to_json(), sentence=decision.message)
        return ref

    def _start(self, job: ActionJob) -> TaskRef | None:
        """Upload and start; None when the start was not answered."""
        self._write(job, self._record(job, Phase.INTENT))
        job.confirm()
        self._see_ready()
        if job.upload is not None:
            self._upload(*job.upload)
        listed = tuple(task.task_id for task in self._listed(job))
        record = replace(self._record(job, Phase.INTENT), listed_before=listed, posted_at=self._now())
        self._write(job, record)
        self._lease.note(self._ref(job, ""))
        try:
            task_id = self.model.start(job.kind, job.action_id, job.mapping or None, fence=self._lease.fence)
        except LostAnswerError:  # the budget and 429s may have kept it waiting: it was sent just now, at the latest
            self._write(job, replace(record, posted_at=self._now()))
            return None
        except MlconnectorError:
            self._write(job, self._record(job, Phase.INTENT))
            self._lease.note(None)
            raise
        ref = self._ref(job, task_id)
        self._write(job, replace(record, phase=Phase.RUNNING, task_id=task_id))
        self._lease.note(ref)
        self._note(EventKind.STARTED, task=ref.to_json(), fingerprint=job.fingerprint)
        return ref

    def _upload(self, file_id: str, path: Path) -> None:
        sent = self.model.upload(file_id, path, fence=self._lease.fence)
        self._note(EventKind.UPLOADED, file_id=file_id, chunks=sent.chunks, bytes=sent.bytes)

    def _listed(self, job: ActionJob) -> tuple[TaskSummary, ...]:
        with suppress(NotFoundError):  # an action that never ran may have no list of tasks
            return self.model.tasks(job.kind, job.action_id)
        return ()

    def _ref(self, job: ActionJob, task_id: str) -> TaskRef:
        model = self.model.ref
        return TaskRef(
            workspace_id=model.workspace_id,
            model_id=model.model_id,
            kind=job.kind,
            action_id=job.action_id,
            task_id=task_id,
        )

    def poller(self) -> TaskPoller:
        """Return what decides about the running task."""
        return TaskPoller(self._deadline)

    def status(self, ref: TaskRef) -> TaskStatus:
        """Keep the lease and ask how far a task is.

        :raises FencedError: when somebody else took the model over.
        """
        self._lease.renew()
        return self.model.task(ref)

    def enter(self) -> None:
        """Hold the lease of a model that can be worked with now.

        :raises LeaseTakenError: when somebody else works on the model: come back later.
        :raises ModelBusyError: when it cannot be worked with now: come back later; the lease is given back.
        """
        self._lease.hold()
        try:
            self._see_ready()
        except BaseException:
            self.release()
            raise

    def _see_ready(self) -> None:
        self._lease.see_earlier_task_over()
        self.model.ensure_ready()

    def resume(self) -> None:
        """Hold the lease again in a new process, before :meth:`finish`.

        :raises LeaseTakenError: when somebody else works on the model.
        """
        self._lease.hold()

    def renew(self) -> None:
        """Keep the lease.

        :raises FencedError: when somebody else took the model over.
        """
        self._lease.renew()

    def finish(self, ref: TaskRef, status: TaskStatus) -> Finished:
        """Take note of a task that is over, and fetch its failure dumps at once: the next run replaces them.

        A task that failed or was cancelled is forgotten, so that a retry starts another one.

        :raises TaskCancelledError: when it was cancelled; its work was rolled back.
        :raises TaskFailedError: when Anaplan does not say how it ended.
        """
        if status.state is TaskState.CANCELLED:
            by = f" by {status.cancelled_by}" if status.cancelled_by else ""
            self._end(EventKind.CANCELLED, ref, sentence=f"cancelled{by}")
            self.forget()
            raise TaskCancelledError(f"Task {ref.task_id} was cancelled{by}; its work was rolled back.")
        outcome = status.outcome
        if outcome is None:
            self._end(EventKind.FAILED, ref, sentence="no outcome")
            self.forget()
            raise TaskFailedError(f"Task {ref.task_id} is over, but Anaplan does not say how it ended.")
        dumps = self._dumps(ref, outcome)
        counts = {name: getattr(outcome, name) for name in ("sent", "loaded", "rejected", "ignored", "warned")}
        kind = EventKind.FAILED if outcome.failed else EventKind.FINISHED
        self._end(kind, ref, dumps, sentence=outcome.sentence(), **counts)
        if outcome.failed:
            self.forget()
        return Finished(outcome, dumps)

    def _dumps(self, ref: TaskRef, outcome: Outcome) -> tuple[Dump, ...]:
        wanted = [""] if outcome.failure_dump else []
        if ref.kind is ActionKind.PROCESS:
            wanted = [action.object_id for action in outcome.nested if action.failure_dump]
        found = (self._dump(ref, object_id) for object_id in wanted)
        return tuple(dump for dump in found if dump is not None)

    def _dump(self, ref: TaskRef, object_id: str) -> Dump | None:
        name = f"{ref.task_id}-{object_id}" if object_id else ref.task_id
        with scratch_file(self._bench.stage, ".csv") as target:
            if not self.model.dump(ref, target, object_id or None):
                return None
            sha256 = digest(target)  # in the name: a later run of the import may have replaced the dump
            key = f"{folder('dumps', self._run_id)}/{name}-{sha256[:8]}.csv"
            return Dump(object_id, self._bench.stage.publish(target, key, sha256=sha256))

    def _end(self, kind: EventKind, ref: TaskRef, dumps: tuple[Dump, ...] = (), **detail: Any) -> None:
        self._lease.note(None)
        files = [dump.file for dump in dumps]
        self._bench.trail.record(self._run_id, kind, {"task": ref.to_json(), **detail}, files=files)

    def cancel(self, ref: TaskRef) -> None:
        """Ask Anaplan to cancel a task; whether it was shows in its status."""
        self.model.cancel(ref)
        self._note(EventKind.CANCELLED, task=ref.to_json(), sentence="asked to cancel")

    def forget(self) -> None:
        """Drop the record of the job: the next try starts anew."""
        self._store.set({})

    def release(self) -> None:
        """Give the lease back."""
        self._lease.release()

    def _own_record(self, job: ActionJob) -> JobRecord | None:
        record, _ = self._read()
        same = record is not None and (record.generation, record.fingerprint) == (self._generation, job.fingerprint)
        return record if same else None

    def _record(self, job: ActionJob, phase: Phase, task_id: str = "") -> JobRecord:
        return JobRecord(phase=phase, generation=self._generation, fingerprint=job.fingerprint, task_id=task_id)

    def _read(self) -> tuple[JobRecord | None, dict[str, Any]]:
        kept = self._store.get() or {}
        return (JobRecord.from_json(kept["job"]), kept["context"]) if kept else (None, {})

    def _write(self, job: ActionJob, record: JobRecord) -> None:
        self._store.set({"job": record.to_json(), "context": dict(job.context)})

    def _note(self, kind: EventKind, **detail: Any) -> None:
        self._bench.trail.record(self._run_id, kind, {name.rstrip("_"): value for name, value in detail.items()})

    def _now(self) -> float:
        return self._bench.clock.now().timestamp()
