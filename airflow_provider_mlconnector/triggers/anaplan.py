# SPDX-License-Identifier: Apache-2.0
"""Waiting without a worker: for a remote task to end, for a model to become free, or for people to set a flag in it.

Deliberately thin. A trigger asks, keeps the lease alive and, when a person kills the task, cancels; it never reads
outcomes or files. Its event is a reason for the worker to look, never a fact: the worker asks Anaplan itself.

It never cancels when it merely ends, since a restart of the triggerer ends it too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_mlconnector.errors import FencedError, MlconnectorError, ModelBusyError
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.systems.anaplan.flags import Flag
from airflow_provider_mlconnector.systems.anaplan.jobs import (
    ERRORS_TOLERATED,
    TRIGGER_FIRST_WAIT,
    Decision,
    Step,
    TaskPoller,
)
from airflow_provider_mlconnector.systems.anaplan.tasks import TaskRef

if TYPE_CHECKING:
    from airflow_provider_mlconnector.triggers.watch import ModelWatch, TaskWatch

_KILL_SECONDS = 20.0  # Airflow gives on_kill 30


class AnaplanTaskTrigger(BaseTrigger):
    """Fires when a remote task is over, cannot be followed, or is past its deadline.

    The event is ``{"status": <a Step>, "message": <a sentence>, "task": <the task's address>}``.

    :param task: address of the remote task, as ``TaskRef.to_json`` gives it.
    :param deadline: epoch seconds by the wall clock, for a trigger may go on in another process.
    :param lease: the model's lease, as JSON; None where nobody holds one.
    :param lease_seconds: for how long each look renews it.
    :param cancel_on_kill: cancel the remote task when a person marks or clears the Airflow task.
    :param run_id: the trail's run that a cancellation is noted in, "" for none.
    """

    def __init__(
        self,
        *,
        anaplan_conn_id: str,
        task: dict[str, Any],
        deadline: float,
        first_poll: float = TRIGGER_FIRST_WAIT,
        lease: dict[str, Any] | None = None,
        lease_seconds: float = 900.0,
        cancel_on_kill: bool = True,
        run_id: str = "",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves its constructor unannotated
        TaskRef.from_json(task)  # a malformed address is an error here, before anything is stored
        self.anaplan_conn_id = anaplan_conn_id
        self.task_address = dict(task)
        self.deadline = float(deadline)
        self.first_poll = float(first_poll)
        self.lease = dict(lease) if lease else None
        self.lease_seconds = float(lease_seconds)
        self.cancel_on_kill = cancel_on_kill
        self.run_id = run_id
        self._watch: TaskWatch | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes the same trigger in another process: JSON alone, no secret."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "anaplan_conn_id": self.anaplan_conn_id,
                "task": self.task_address,
                "deadline": self.deadline,
                "first_poll": self.first_poll,
                "lease": self.lease,
                "lease_seconds": self.lease_seconds,
                "cancel_on_kill": self.cancel_on_kill,
                "run_id": self.run_id,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask until there is something for the worker to look at."""
        poller = TaskPoller(self.deadline, first_wait=self.first_poll)
        decision = poller.first(time.time())
        while decision.step is Step.WAIT:
            await asyncio.sleep(decision.wait)
            decision = await self._look(poller)
            self.log.info("%s", decision.message)
        yield TriggerEvent({"status": decision.step.value, "message": decision.message, "task": self.task_address})

    async def cleanup(self) -> None:
        """Close connections; the remote task goes on."""
        if self._watch is not None:
            await asyncio.to_thread(self._watch.close)

    async def on_kill(self) -> None:
        """Cancel the remote task: a person marked or cleared the Airflow task.

        The triggerer cancels a trigger again at every look until it is gone, so also in the middle of this; what must
        be done is therefore done in a task of its own, and waited for to its end.
        """
        if not self.cancel_on_kill:
            return
        cancelling = asyncio.create_task(asyncio.wait_for(self._cancel(), _KILL_SECONDS))
        while not cancelling.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([cancelling])
        cancelling.result()

    async def _cancel(self) -> None:
        watch = await self._opened()
        await asyncio.to_thread(watch.cancel, self.run_id)

    async def _look(self, poller: TaskPoller) -> Decision:
        try:
            watch = await self._opened()
            status = await asyncio.to_thread(watch.look)
        except FencedError as error:
            return Decision(Step.GIVE_UP, 0.0, str(error))
        except Exception as error:  # whatever it is, the poller decides whether to bear it or to wake the worker
            return poller.on_error(error, time.time())
        return poller.on_status(status, time.time())

    async def _opened(self) -> TaskWatch:
        if self._watch is None:
            from airflow_provider_mlconnector.triggers.watch import TaskWatch

            hook = await AnaplanHook.prepare(self.anaplan_conn_id)
            self._watch = await asyncio.to_thread(
                TaskWatch.open, hook, self.task_address, self.lease, self.lease_seconds
            )
        return self._watch


class _LookingTrigger(BaseTrigger):
    """Looks into a model until it finds what it waits for.

    The event is ``{"status": "ready" | "timeout" | "give_up", "message": <a sentence>}``.

    :param workspace: name or id.
    :param model: name or id.
    :param deadline: epoch seconds by the wall clock.
    :param interval: seconds between two looks.
    """

    found = ""
    """What is told when there is nothing more to wait for."""
    late = ""
    """What is told at the deadline."""

    def __init__(
        self, *, anaplan_conn_id: str, workspace: str, model: str, deadline: float, interval: float = 60.0
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves its constructor unannotated
        self.anaplan_conn_id = anaplan_conn_id
        self.workspace = workspace
        self.model = model
        self.deadline = float(deadline)
        self.interval = float(interval)
        self._watch: ModelWatch | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes the same trigger in another process."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "anaplan_conn_id": self.anaplan_conn_id,
                "workspace": self.workspace,
                "model": self.model,
                "deadline": self.deadline,
                "interval": self.interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until nothing is missing, the time is over, or looking is of no use."""
        failures = 0
        while (left := self.deadline - time.time()) > 0:
            await asyncio.sleep(min(self.interval, left))
            try:
                watch = await self._opened()
                missing = await asyncio.to_thread(watch.look)
            except ModelBusyError as busy:
                missing = busy.message
            except Exception as error:  # a few in a row are borne if a later look can help
                failures += 1
                if failures > ERRORS_TOLERATED or not (isinstance(error, MlconnectorError) and error.retryable):
                    yield TriggerEvent({"status": "give_up", "message": str(error)})
                    return
                self.log.warning("Look %d of %d failed: %s", failures, ERRORS_TOLERATED, error)
                continue
            if not missing:
                yield TriggerEvent({"status": "ready", "message": self.found})
                return
            failures = 0
            self.log.info("%s", missing)
        yield TriggerEvent({"status": "timeout", "message": self.late})

    async def cleanup(self) -> None:
        """Close connections."""
        if self._watch is not None:
            await asyncio.to_thread(self._watch.close)

    async def _opened(self) -> ModelWatch:
        if self._watch is None:
            hook = await AnaplanHook.prepare(self.anaplan_conn_id)
            self._watch = await asyncio.to_thread(self._open, hook)
        return self._watch

    def _open(self, hook: AnaplanHook) -> ModelWatch:
        from airflow_provider_mlconnector.triggers.watch import ModelWatch

        return ModelWatch.open(hook, self.workspace, self.model)


class AnaplanModelTrigger(_LookingTrigger):
    """Fires when a model takes requests and no task runs in it, or at the deadline."""

    found = "The model is free."
    late = "The model was not free by the deadline."


class AnaplanFlagTrigger(_LookingTrigger):
    """Fires when people have set a flag in a model, or at the deadline; a busy model is waited for.

    :param flag: what is looked at, as ``Flag.to_json`` gives it.
    """

    found = "The flag is set."
    late = "The flag was not set by the deadline."

    def __init__(self, *, flag: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flag = Flag.from_json(flag)  # a malformed one is an error here, before anything is stored

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes the same trigger in another process."""
        path, kwargs = super().serialize()
        return path, {**kwargs, "flag": self.flag.to_json()}

    def _open(self, hook: AnaplanHook) -> ModelWatch:
        from airflow_provider_mlconnector.triggers.watch import FlagWatch

        return FlagWatch.watching(hook, self.workspace, self.model, self.flag)
