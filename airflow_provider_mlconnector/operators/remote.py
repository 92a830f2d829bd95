# SPDX-License-Identifier: Apache-2.0
"""Tasks that start a remote task exactly once and follow it to its end, on a worker or deferred.

All three ways to the end are one: a task that stayed on the worker, one that was deferred, and one that was taken up by
a retry ask Anaplan themselves and go through :meth:`RemoteTaskOperator.finish`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk.configuration import conf

from airflow_provider_mlconnector.durable import TaskJobStore, generation
from airflow_provider_mlconnector.errors import DeadlineError, FencedError, MlconnectorError, TaskError
from airflow_provider_mlconnector.operators.base import AnaplanOperator, Desk
from airflow_provider_mlconnector.operators.links import AnaplanModelLink, AnaplanTaskLink
from airflow_provider_mlconnector.operators.running import goes_on, has_ended, owner_of
from airflow_provider_mlconnector.outcomes import event_of
from airflow_provider_mlconnector.settings import load_settings
from airflow_provider_mlconnector.systems.anaplan.jobs import Step
from airflow_provider_mlconnector.systems.anaplan.tasks import TaskRef, TaskStatus

if TYPE_CHECKING:
    from airflow.sdk import BaseOperatorLink, Context

    from airflow_provider_mlconnector.pipeline.modelwork import ModelWork

TASK_XCOM = "anaplan_task"
DEFERRABLE = conf.getboolean("operators", "default_deferrable", fallback=False)
_KILL_SECONDS = 4.0  # Airflow kills the process 5 seconds after it asked it to end
_KILL_POLL = 0.2
_CANCEL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Idle:
    """There is nothing to do; ``result`` goes to XCom."""

    result: Any


@dataclass(frozen=True, slots=True)
class Started:
    """A remote task that runs for this Airflow task.

    :param state: JSON that :meth:`RemoteTaskOperator.finish` needs, kept over a deferral. It holds no secret.
    """

    ref: TaskRef
    state: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"task": self.ref.to_json(), "state": dict(self.state)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls(TaskRef.from_json(data["task"]), data["state"])


class RemoteTaskOperator(AnaplanOperator):
    """Starts a remote task and follows it.

    :param deferrable: wait in the triggerer; short tasks are over before that is worth its while.
    :param cancel_on_kill: cancel the remote task when this one is killed for good: by a person, or in its last try.
        When only its process is (a worker shut down, an api-server out of reach), the next try takes the task up.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (AnaplanModelLink(), AnaplanTaskLink())

    def __init__(self, *, deferrable: bool = DEFERRABLE, cancel_on_kill: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.cancel_on_kill = cancel_on_kill
        self._running: tuple[Desk, ModelWork, TaskRef] | None = None

    @abstractmethod
    def begin(self, desk: Desk, work: ModelWork) -> Started | Idle:
        """Come by a running task, by :meth:`ModelWork.begin`."""

    @abstractmethod
    def finish(self, desk: Desk, work: ModelWork, started: Started, status: TaskStatus) -> Any:
        """Judge a task that is over and return what goes to XCom: ids, counts and digests.

        :raises TaskError: when it did not do its work; else it may be asked again by a retry.
        """

    def execute(self, context: Context) -> Any:
        """Start the remote task, or take up the one of an earlier try, and follow it."""
        with self.at_desk(context) as desk:
            work = self._work(desk)
            started = self.begin(desk, work)
            if isinstance(started, Idle):
                return started.result
            self._announce(desk, started.ref)
            return self._follow(desk, work, started)

    def execute_complete(
        self, context: Context, event: Mapping[str, Any] | None = None, started: Mapping[str, Any] | None = None
    ) -> Any:
        """Go on after a deferral, in another process: the event is a reason to look, no more."""
        self.log.info("%s", event_of(event)["message"])
        with self.at_desk(context) as desk:
            work = self._work(desk)
            work.resume()
            return self._follow(desk, work, Started.from_json(started or {}))

    def on_kill(self) -> None:
        """Cancel the remote task; in a thread, since the signal may have come in the middle of a request."""
        if self.cancel_on_kill and self._running is not None:
            canceller = Thread(target=self._abandon, args=self._running, daemon=True)
            canceller.start()
            canceller.join(_KILL_SECONDS)

    def _abandon(self, desk: Desk, work: ModelWork, ref: TaskRef) -> None:
        """Cancel the remote task and give the lease back once it is over, unless another try takes the task up."""
        if goes_on(desk.context):
            return
        with suppress(FencedError):  # another try has the model already
            work.renew()
            work.cancel(ref)
            while not (status := work.status(ref)).state.over:
                desk.bench.clock.sleep(_KILL_POLL)
            with suppress(TaskError):
                work.finish(ref, status)
            work.release()

    def _work(self, desk: Desk) -> ModelWork:
        from airflow_provider_mlconnector.pipeline.modelwork import ModelWork

        return ModelWork(
            desk.bench,
            desk.model,
            owner=owner_of(desk.context),
            store=TaskJobStore(desk.context["task_state_store"]),
            generation=generation(desk.context),
            run_id=desk.run.run_id,
            deadline=desk.patience.deadline.timestamp(),
            ended=partial(has_ended, desk.context),
        )

    def _announce(self, desk: Desk, ref: TaskRef) -> None:
        """Show task and model at once, so that a running and a failed Airflow task show them, too."""
        desk.context["ti"].xcom_push(key=TASK_XCOM, value=ref.to_json())
        with suppress(MlconnectorError):  # a link is no reason to fail
            models = desk.client.models(ref.workspace_id)
            AnaplanModelLink().push(desk.context, next((m.url for m in models if m.id == ref.model_id), ""))
        root = f"{desk.client.hosts.api}/workspaces/{ref.workspace_id}/models/{ref.model_id}"
        AnaplanTaskLink().push(desk.context, f"{root}/{ref.kind.path}/{ref.action_id}/tasks/{ref.task_id}")

    def _follow(self, desk: Desk, work: ModelWork, started: Started) -> Any:
        self._running = (desk, work, started.ref)
        status = self._poll(desk, work, started.ref)
        if status is None:
            self._defer(desk, work, started)
            return None
        self._running = None
        try:
            result = self.finish(desk, work, started, status)
        except TaskError:  # it is over; after any other error a retry looks at it again, still under our lease
            self._let_go(work)
            raise
        self._let_go(work)
        return result

    def _let_go(self, work: ModelWork) -> None:
        work.forget()
        work.release()

    def _poll(self, desk: Desk, work: ModelWork, ref: TaskRef) -> TaskStatus | None:
        """Ask until the task is over; None when the worker has asked for long enough and the rest is for a trigger.

        :raises MlconnectorError: when the task cannot be followed; it is left in place, and a retry takes it up.
        """
        from airflow_provider_mlconnector.pipeline.ending import look

        clock, poller = desk.bench.clock, work.poller()
        end = clock.now().timestamp() + load_settings().grace if self.deferrable else None
        decision = poller.first(clock.now().timestamp())
        while decision.step is Step.WAIT:
            if end is not None and clock.now().timestamp() + decision.wait > end:
                return None
            clock.sleep(decision.wait)
            status, decision = look(work, ref, poller, clock)
            if status and status.state.over:
                return status
            self.log.info("%s", decision.message)
        return self._cancelled(desk, work, ref)

    def _defer(self, desk: Desk, work: ModelWork, started: Started) -> None:
        from airflow_provider_mlconnector.trail.records import EventKind
        from airflow_provider_mlconnector.triggers.anaplan import AnaplanTaskTrigger

        waits_for = {"for": f"Task {started.ref.task_id} is not over; the triggerer goes on asking."}
        desk.bench.trail.record(desk.run.run_id, EventKind.WAITED, waits_for)
        self.defer(
            trigger=AnaplanTaskTrigger(
                anaplan_conn_id=self.anaplan_conn_id,
                task=started.ref.to_json(),
                deadline=desk.patience.deadline.timestamp(),
                first_poll=load_settings().first_poll,
                lease=work.lease.to_json() if work.lease else None,
                cancel_on_kill=self.cancel_on_kill,
                run_id=desk.run.run_id,
            ),
            method_name="execute_complete",
            kwargs={"started": started.to_json()},
            timeout=None,
        )

    def _cancelled(self, desk: Desk, work: ModelWork, ref: TaskRef) -> TaskStatus:
        """Cancel a task that is late, and wait for that; one that was over before counts as over.

        :raises DeadlineError: else.
        """
        clock = desk.bench.clock
        status = work.status(ref)
        if status.state.over:
            return status
        late = work.poller().on_status(status, clock.now().timestamp())
        work.cancel(ref)
        end = clock.now().timestamp() + _CANCEL_SECONDS
        while not status.state.over and clock.now().timestamp() < end:
            clock.sleep(1.0)
            status = work.status(ref)
        if status.outcome is not None:
            return status
        if status.state.over:
            with suppress(TaskError):
                work.finish(ref, status)
            work.release()
        raise DeadlineError(
            f"{late.message} Waited in vain for {desk.patience.waited(clock.now())}.",
            hint="Give the task a later deadline, or see why Anaplan takes so long.",
        )
