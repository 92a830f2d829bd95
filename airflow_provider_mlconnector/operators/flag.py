# SPDX-License-Identifier: Apache-2.0
"""The task that waits until planners say, in the model, that a plan may go."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.operators.planning import periods_of
from airflow_provider_mlconnector.sensors.anaplan import AnaplanApprovalSensor

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.flows.plan_spec import FlagSpec, PlanSpec

LOOK_EVERY = timedelta(minutes=1)


class PlanFlagSensor(AnaplanApprovalSensor):
    """Waits, deferred, until the flag of a plan is set for each period of the run.

    :param flow: the flow, as ``load_flow`` reads it.
    :param spec: the plan, one of the flow's.
    :param flag: the plan's flag.
    """

    def __init__(self, *, flow: Flow, spec: PlanSpec, flag: FlagSpec, **kwargs: Any) -> None:
        target = flow.spec.anaplan
        super().__init__(
            workspace=target.workspace,
            model=target.model,
            anaplan_conn_id=target.conn_id,
            view=flag.view,
            at=dict(flag.at),
            item=flag.item,
            value=flag.value,
            deferrable=True,
            poke_interval=LOOK_EVERY.total_seconds(),
            timeout=flag.wait.total_seconds(),
            **kwargs,
        )
        self.flow = flow
        self.spec = spec

    def places(self, context: Context) -> list[dict[str, str]]:
        """Return the line of each period."""
        from airflow_provider_mlconnector.flows.plans import draft_plan

        pattern = draft_plan(self.flow, self.spec).time_format
        names = [format_period(period, pattern) for period in periods_of(context, self.flow)]
        return [
            {dimension: member.format(period=name) for dimension, member in (self.at or {}).items()} for name in names
        ]
