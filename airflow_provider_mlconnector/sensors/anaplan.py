# SPDX-License-Identifier: Apache-2.0
"""Tasks that only wait: for a remote task that somebody else started, for a model to be free, for a flag in it.

They hold no lease.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue, RetryPolicy
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from airflow_provider_mlconnector.durable import began
from airflow_provider_mlconnector.errors import ModelBusyError, TaskError
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.outcomes import airflow_outcomes, counts_of, event_of
from airflow_provider_mlconnector.retries import REMOTE_RETRIES

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_mlconnector.systems.anaplan.flags import Flag
    from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel

_DEFERRABLE = conf.getboolean("operators", "default_deferrable", fallback=False)


class AnaplanTaskSensor(BaseSensorOperator):
    """Waits for a remote task to be over; returns its counts. A task that failed or was cancelled fails the sensor.

    :param address: where the task is, as Anaplan operators push it to XCom under ``anaplan_task``: an object with
        ``workspace_id``, ``model_id``, ``kind``, ``action_id`` and ``task_id``.
    """

    template_fields: Sequence[str] = ("anaplan_conn_id", "address")
    ui_color = "#eef2f9"

    def __init__(
        self,
        *,
        address: Any,
        anaplan_conn_id: str = AnaplanHook.default_conn_name,
        deferrable: bool = _DEFERRABLE,
        retries: int = 2,
        retry_policy: RetryPolicy | None = REMOTE_RETRIES,
        **kwargs: Any,
    ) -> None:
        super().__init__(retries=retries, retry_policy=retry_policy, **kwargs)
        self.address = address
        self.anaplan_conn_id = anaplan_conn_id
        self.deferrable = deferrable

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        from airflow_provider_mlconnector.systems.anaplan.definitions import ModelRef
        from airflow_provider_mlconnector.systems.anaplan.jobs import Step, TaskPoller
        from airflow_provider_mlconnector.systems.anaplan.tasks import TaskRef

        ref = TaskRef.from_json(self.address)
        with airflow_outcomes(), closing(AnaplanHook(self.anaplan_conn_id).get_client()) as client:
            model = client.model(ModelRef(ref.workspace_id, ref.model_id, ref.workspace_id, ref.model_id))
            status = model.task(ref)
            decision = TaskPoller(time.time() + self.timeout).on_status(status, time.time())
            self.log.info("%s", decision.message)
            if decision.step in (Step.FAILED, Step.CANCELLED):
                raise TaskError(decision.message)
        return PokeReturnValue(decision.step is Step.DONE, counts_of(status.outcome))

    def execute(self, context: Context) -> Any:
        """Look, then wait in the triggerer or here."""
        return self._look_or_defer(context) if self.deferrable else super().execute(context)

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> Any:
        """Look again: the trigger says that there is something to see."""
        self.log.info("%s", event_of(event)["message"])
        return self._look_or_defer(context)

    def _look_or_defer(self, context: Context) -> Any:
        found = self.poke(context)
        if found:
            return found.xcom_value
        from airflow_provider_mlconnector.triggers.anaplan import AnaplanTaskTrigger

        trigger = AnaplanTaskTrigger(
            anaplan_conn_id=self.anaplan_conn_id,
            task=dict(self.address),
            deadline=_deadline(context, self.timeout),
            cancel_on_kill=False,
        )
        self.defer(trigger=trigger, method_name="execute_complete")


class _LookingSensor(BaseSensorOperator):
    """Waits for something in a model, in the triggerer or here.

    :param workspace: name or id.
    :param model: name or id.
    """

    template_fields: Sequence[str] = ("anaplan_conn_id", "workspace", "model")
    ui_color = "#eef2f9"

    def __init__(
        self,
        *,
        workspace: str,
        model: str,
        anaplan_conn_id: str = AnaplanHook.default_conn_name,
        deferrable: bool = _DEFERRABLE,
        retries: int = 2,
        retry_policy: RetryPolicy | None = REMOTE_RETRIES,
        **kwargs: Any,
    ) -> None:
        super().__init__(retries=retries, retry_policy=retry_policy, **kwargs)
        self.workspace = workspace
        self.model = model
        self.anaplan_conn_id = anaplan_conn_id
        self.deferrable = deferrable

    @abstractmethod
    def missing(self, context: Context, model: AnaplanModel) -> str:
        """Return what is still missing as a sentence, "" when nothing is.

        :raises ModelBusyError: when it cannot be seen now: that is waited for.
        """

    @abstractmethod
    def trigger(self, context: Context, **where: Any) -> BaseTrigger:
        """Return what waits in the triggerer.

        :param where: arguments that all triggers which look into a model have.
        """

    def poke(self, context: Context) -> bool:
        """Look once."""
        with airflow_outcomes(), closing(AnaplanHook(self.anaplan_conn_id).get_client()) as client:
            try:
                model = client.model(client.resolve_model(self.workspace, self.model))
                model.ensure_ready()
                missing = self.missing(context, model)
            except ModelBusyError as busy:
                missing = busy.message
        if missing:
            self.log.info("%s", missing)
        return not missing

    def execute(self, context: Context) -> Any:
        """Look, then wait in the triggerer or here."""
        if not self.deferrable:
            return super().execute(context)
        if self.poke(context):
            return None
        trigger = self.trigger(
            context,
            anaplan_conn_id=self.anaplan_conn_id,
            workspace=self.workspace,
            model=self.model,
            deadline=_deadline(context, self.timeout),
            interval=self.poke_interval,
        )
        self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> Any:
        """Go on, or fail with what the trigger says."""
        told = event_of(event)
        if told["status"] == "timeout":
            raise AirflowSensorTimeout(told["message"])
        if told["status"] != "ready":
            raise AirflowFailException(told["message"])


class AnaplanModelSensor(_LookingSensor):
    """Waits until a model takes requests and nothing changes it. An archived model fails the sensor."""

    def missing(self, context: Context, model: AnaplanModel) -> str:
        """Return nothing: a model that is ready is all that is waited for."""
        return ""

    def trigger(self, context: Context, **where: Any) -> BaseTrigger:
        """Wait for the model in the triggerer."""
        from airflow_provider_mlconnector.triggers.anaplan import AnaplanModelTrigger

        return AnaplanModelTrigger(**where)


class AnaplanApprovalSensor(_LookingSensor):
    """Waits until a planner has set a cell of a model: one line item of one line of a saved view.

    A line or a line item that is not there fails the sensor, and says what there is. A busy model is waited for.

    :param view: saved view, by name or id; it must show the line whether it is set or not.
    :param at: by dimension of the view, the member of the line.
    :param item: the line item.
    :param value: what the cell says when it is set, in upper or lower case; booleans are ``true`` and ``false``.
    """

    template_fields: Sequence[str] = (*_LookingSensor.template_fields, "view", "at", "item", "value")

    def __init__(
        self, *, view: str, item: str, at: Mapping[str, str] | None = None, value: str = "true", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.view = view
        self.at = at
        self.item = item
        self.value = value

    def places(self, context: Context) -> list[dict[str, str]]:
        """Return the lines that are looked at: all of them have to be set."""
        return [dict(self.at or {})]

    def missing(self, context: Context, model: AnaplanModel) -> str:
        """Look at the cells."""
        return self._flag(context).unset(model)

    def trigger(self, context: Context, **where: Any) -> BaseTrigger:
        """Wait for the cells in the triggerer."""
        from airflow_provider_mlconnector.triggers.anaplan import AnaplanFlagTrigger

        return AnaplanFlagTrigger(flag=self._flag(context).to_json(), **where)

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> Any:
        """Look again: what the trigger saw is a reason to look, and somebody may have taken it back."""
        super().execute_complete(context, event)
        return self.execute(context)

    def _flag(self, context: Context) -> Flag:
        from airflow_provider_mlconnector.systems.anaplan.flags import Flag

        return Flag(self.view, tuple(self.places(context)), self.item, self.value)


def _deadline(context: Context, timeout: float) -> float:
    """Return the epoch second at which a sensor's patience ends, the same after each deferral.

    :raises AirflowSensorTimeout: when it has passed.
    """
    end = began(context, datetime.now(UTC)).timestamp() + timeout
    if end <= time.time():
        raise AirflowSensorTimeout(f"Waited for {timeout:.0f} s in vain.")
    return end
