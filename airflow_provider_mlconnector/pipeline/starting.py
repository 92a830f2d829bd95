# SPDX-License-Identifier: Apache-2.0
"""Coming by one running task for a job, exactly once.

Before anything is sent, what is about to happen is written down where the next try of the same task finds it; before
the POST, also on the lease, where whoever takes it over finds it. So a task that died at any point is taken up, not
repeated.

An answer that got lost is looked for here, until the request can no longer take effect. Whatever is decided about it is
on the trail, in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from msgspec.structs import replace

from airflow_provider_mlconnector.errors import (
    LostAnswerError,
    MlconnectorError,
    ModelBusyError,
    NotFoundError,
    TaskFailedError,
)
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.jobmemory import JobMemory
from airflow_provider_mlconnector.pipeline.leasing import ModelLease
from airflow_provider_mlconnector.systems.anaplan.jobs import JobRecord, Move, Phase, StartDecision, decide_start
from airflow_provider_mlconnector.systems.anaplan.ports import no_fence
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef, TaskSummary
from airflow_provider_mlconnector.trail.records import EventKind


@dataclass(frozen=True, slots=True)
class ActionJob:
    """One action to run.

    :param upload: file id in the model and the local file to put there first.
    :param repeatable: running it twice does no harm, as with a file of totals; not so with deletes.
    :param fingerprint: digest of what is sent; other input is another job.
    :param rows: rows of the uploaded file, by which a task of somebody else shows; None where they are not known.
    :param context: JSON that is kept with the job's record and given back by ``ModelWork.unfinished``.
    :param confirm: called under the lease before anything is sent; raises when the work is not to be done any more.
    """

    kind: ActionKind
    action_id: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    upload: tuple[str, Path] | None = None
    repeatable: bool = True
    fingerprint: str = ""
    rows: int | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    confirm: Callable[[], None] = no_fence


class Starter:
    """Starts jobs under a lease that is held.

    :param memory: what the tries of one task write down for each other.
    """

    def __init__(self, bench: Bench, lease: ModelLease, memory: JobMemory, run_id: str) -> None:
        self._bench = bench
        self._lease = lease
        self._memory = memory
        self._run_id = run_id

    def come_by_task(self, job: ActionJob) -> TaskRef:
        """Start a task, or take up the one that an earlier try started.

        :raises ModelBusyError: when the model cannot be worked with now.
        :raises TaskFailedError: when it cannot be told whether work that must not be repeated was done.
        """
        looking = False
        while True:
            record = self._memory.of(job.fingerprint)
            decision = self._decide(job, record)
            match decision.move:
                case Move.ADOPT:
                    return self._adopt(job, record, decision)
                case Move.LOOK_AGAIN:
                    if not looking:
                        self._bench.log.info("%s", decision.message)
                        self._note(EventKind.WAITED, **{"for": decision.message})
                        looking = True
                    self._bench.clock.sleep(decision.wait)
                case Move.WAIT_FOR:
                    raise ModelBusyError(decision.message, state="running other tasks")
                case Move.ASK:
                    self._ask(decision)
                case Move.POST:
                    looking = False
                    started = self._start(job, record, decision.message)
                    if started is not None:
                        return started

    def _decide(self, job: ActionJob, record: JobRecord | None) -> StartDecision:
        posted = record is not None and record.posted_at is not None and not record.task_id
        decision = decide_start(
            record,
            generation=self._memory.generation,
            fingerprint=job.fingerprint,
            listed=self._listed(job) if posted else (),
            now=self._now(),
            request_timeout=self._lease.model.request_timeout,
            repeatable=job.repeatable,
        )
        if decision.message and decision.move is not Move.LOOK_AGAIN:
            self._bench.log.info("%s", decision.message)
        return decision

    def _adopt(self, job: ActionJob, record: JobRecord | None, decision: StartDecision) -> TaskRef:
        ref = self._ref(job, decision.task_ids[0])
        self._lease.note(ref)
        found = record is not None and (record.found or not record.task_id)
        self._remember(job, replace(record or self._record(job), phase=Phase.RUNNING, task_id=ref.task_id, found=found))
        self._note(EventKind.ADOPTED, task=ref.to_json(), sentence=decision.message)
        return ref

    def _ask(self, decision: StartDecision) -> NoReturn:
        """Leave it to a person; the model is free as soon as none of the tasks runs."""
        self._note(EventKind.FAILED, sentence=decision.message, tasks=list(decision.task_ids))
        with suppress(ModelBusyError):
            self._lease.see_earlier_task_over()
            self._lease.note(None)
        raise TaskFailedError(
            decision.message, hint="Look at these tasks in Anaplan; clear this task if the work was not done."
        )

    def _start(self, job: ActionJob, record: JobRecord | None, because: str) -> TaskRef | None:
        """Upload and start; None when the start was not answered.

        :param record: of a start that was not answered before: it counts until the next one is sent.
        :param because: why it is started once more, "" for the first time.
        """
        if record is None:
            self._remember(job, self._record(job))
        job.confirm()
        self._lease.see_ready()
        if job.upload is not None:
            self._upload(job.fingerprint, *job.upload)
        listed = tuple(task.task_id for task in self._listed(job))
        record = replace(self._record(job), listed_before=listed)
        self._lease.note(self._ref(job, ""))
        try:
            task_id = self._post(job, record)
        except LostAnswerError:
            self._remember(job, replace(record, posted_at=self._now()))
            return None
        except MlconnectorError:
            self._remember(job, self._record(job))
            self._lease.note(None)
            raise
        ref = self._ref(job, task_id)
        self._remember(job, replace(record, phase=Phase.RUNNING, task_id=task_id))
        self._lease.note(ref)
        told = {"sentence": because} if because else {}
        self._note(EventKind.STARTED, task=ref.to_json(), fingerprint=job.fingerprint, **told)
        return ref

    def _post(self, job: ActionJob, record: JobRecord) -> str:
        """Start the action; each send is written down first, for it may have waited long, and this process may die."""

        def before_sending() -> None:
            self._remember(job, replace(record, posted_at=self._now()))

        return self._lease.model.start(job.kind, job.action_id, job.mapping or None, fence=before_sending)

    def _upload(self, fingerprint: str, file_id: str, path: Path) -> None:
        with self._memory.uploading(fingerprint):
            sent = self._lease.model.upload(file_id, path, fence=self._lease.fence)
            self._lease.fence()
        self._note(EventKind.UPLOADED, file_id=file_id, chunks=sent.chunks, bytes=sent.bytes)

    def _listed(self, job: ActionJob) -> tuple[TaskSummary, ...]:
        with suppress(NotFoundError):  # an action that never ran may have no list of tasks
            return self._lease.model.tasks(job.kind, job.action_id)
        return ()

    def _ref(self, job: ActionJob, task_id: str) -> TaskRef:
        model = self._lease.model.ref
        return TaskRef(
            workspace_id=model.workspace_id,
            model_id=model.model_id,
            kind=job.kind,
            action_id=job.action_id,
            task_id=task_id,
        )

    def _record(self, job: ActionJob) -> JobRecord:
        return JobRecord(
            phase=Phase.INTENT, generation=self._memory.generation, fingerprint=job.fingerprint, rows=job.rows
        )

    def _remember(self, job: ActionJob, record: JobRecord) -> None:
        """Write a record down, unless a newer process of this task is in charge of it.

        :raises FencedError: when it is.
        """
        self._lease.fence()
        self._memory.write(record, job.context)

    def _note(self, kind: EventKind, **detail: Any) -> None:
        self._bench.trail.record(self._run_id, kind, detail)

    def _now(self) -> float:
        return self._bench.clock.now().timestamp()
