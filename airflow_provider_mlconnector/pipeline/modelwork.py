# SPDX-License-Identifier: Apache-2.0
"""Work in a model: its lease, one remote task started exactly once, followed to its end, and its outcome fetched.

Nothing here waits for a model or a lease: LeaseTakenError and ModelBusyError go to the caller, who leaves its worker
slot and comes back.

Chunks of two tries never mix: an upload that a try died in is waited out, under the lease, before other bytes are sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from airflow_provider_mlconnector.errors import (
    ModelBusyError,
    TaskCancelledError,
    TaskFailedError,
)
from airflow_provider_mlconnector.pipeline.book import folder
from airflow_provider_mlconnector.pipeline.context import Bench, JobStore
from airflow_provider_mlconnector.pipeline.jobmemory import JobMemory
from airflow_provider_mlconnector.pipeline.leasing import ModelLease, nobody_ended
from airflow_provider_mlconnector.pipeline.stage import digest, scratch_file
from airflow_provider_mlconnector.pipeline.starting import ActionJob, Starter
from airflow_provider_mlconnector.systems.anaplan.jobs import Phase, TaskPoller
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.tasks import (
    FILE_GONE,
    ActionKind,
    Outcome,
    TaskRef,
    TaskState,
    TaskStatus,
)
from airflow_provider_mlconnector.trail.leases import Lease
from airflow_provider_mlconnector.trail.records import EventKind, StagedFile


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
    :param ended: says of another owner of the lease whether it came to its end and will not come back for it.
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
        ended: Callable[[str], bool] = nobody_ended,
    ) -> None:
        self.model = model
        self._bench = bench
        self._memory = JobMemory(store, generation)
        self._run_id = run_id
        self._deadline = deadline
        self._lease = ModelLease(bench, model, owner, run_id, ended)
        self._starter = Starter(bench, self._lease, self._memory, run_id)

    @property
    def lease(self) -> Lease | None:
        """The lease while it is held, for a trigger to renew."""
        return self._lease.held

    def unfinished(self) -> dict[str, Any] | None:
        """Return the context of the job that an earlier try began; None when there is none, or it failed."""
        return self._memory.unfinished()

    def begin(self, job: ActionJob) -> TaskRef:
        """Come by a running task for a job: start one, or take up the one that an earlier try started.

        :raises LeaseTakenError: when somebody else works on the model: come back later.
        :raises ModelBusyError: when the model cannot be worked with now: come back later.
        :raises TaskFailedError: when it cannot be told whether work that must not be repeated was done.
        """
        self._hold_alone(job.fingerprint)
        try:
            return self._starter.come_by_task(job)
        except BaseException:
            self.release()
            raise

    def _hold_alone(self, fingerprint: str = "") -> None:
        """Hold the lease, once no chunk of other bytes can arrive from a try that died in its upload.

        The lease is kept meanwhile, so that nobody else uploads either.

        :param fingerprint: of the bytes to send; a late chunk of the same bytes does no harm.
        """
        self._lease.hold()
        mark = self._memory.cut_off(self._now())
        if mark is None or mark.cut_off_at is None or mark.fingerprint == fingerprint:
            return
        left = mark.cut_off_at + self.model.request_timeout - self._now()
        if left > 0:
            raise ModelBusyError(
                f"An earlier try was cut off in the middle of its upload; its last chunk may arrive for {left:.0f} s.",
                state="an earlier upload",
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
        :raises ModelBusyError: when it cannot be worked with now: come back later.
        """
        self._hold_alone()
        try:
            self._lease.see_ready()
        except BaseException:
            self.release()
            raise

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
        :raises ModelBusyError: when it was found in the task list and turns out to be somebody else's: begin again.
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
        self._see_ours(ref, outcome)
        dumps = self._dumps(ref, outcome)
        counts = {name: getattr(outcome, name) for name in ("sent", "loaded", "rejected", "ignored", "warned")}
        kind = EventKind.FAILED if outcome.failed else EventKind.FINISHED
        self._end(kind, ref, dumps, sentence=outcome.sentence(), **counts)
        if outcome.failed:
            self.forget()
        return Finished(outcome, dumps)

    def _see_ours(self, ref: TaskRef, outcome: Outcome) -> None:
        """Tell a task of somebody else from ours, where it was only found: it read another file, or found none.

        It is put to the tasks that were there before, and ours is looked for again.
        """
        record = self._memory.job
        if record is None or not record.found:
            return
        others = record.rows is not None and outcome.sent not in (0, record.rows)
        if not others and FILE_GONE not in outcome.types:
            return
        seen = f"looked at {outcome.sent} rows where our file has {record.rows}" if others else "found no file"
        sentence = f"Task {ref.task_id} was taken for ours, since the start was not answered, but it {seen}: "
        sentence += "somebody else started it. Ours is looked for again."
        before = (*record.listed_before, ref.task_id)
        unanswered = replace(record, phase=Phase.INTENT, task_id="", found=False, listed_before=before)
        self._lease.note(replace(ref, task_id=""))
        self._memory.write(unanswered, self._memory.unfinished() or {})
        self._note(EventKind.NOTE, task=ref.to_json(), sentence=sentence)
        raise ModelBusyError(sentence, state="another's task")

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
        self._memory.forget()

    def release(self) -> None:
        """Give the lease back, unless something of ours runs in the model, or may yet."""
        if self._lease.remote is None:
            self._lease.release()

    def _note(self, kind: EventKind, **detail: Any) -> None:
        self._bench.trail.record(self._run_id, kind, detail)

    def _now(self) -> float:
        return self._bench.clock.now().timestamp()
