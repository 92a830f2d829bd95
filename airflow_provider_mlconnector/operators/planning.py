# SPDX-License-Identifier: Apache-2.0
"""Which periods and which version a running plan is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.operators.running import PERIOD_CONF, period_of

if TYPE_CHECKING:
    from airflow_provider_mlconnector.finance.periods import Period
    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.flows.plan_spec import PlanSpec

PERIODS_PARAM = "periods"
VERSION_PARAM = "version"


def periods_of(context: Mapping[str, Any], flow: Flow) -> list[Period]:
    """Return the fiscal periods of a run, in order.

    They are named by the parameter ``periods``, else by the run's own partition key or ``conf``, else by the asset
    events that started it: their partition, or ``period`` in what they say.

    :raises AirflowFailException: when none is named, or one is no period of the calendar.
    """
    keys = [str(key) for key in context.get("params", {}).get(PERIODS_PARAM) or []]
    keys = keys or [key for key in _told_by_assets(context) if key]
    if not keys:
        return [period_of(context, flow, "Name its periods when you trigger it")]
    try:
        return sorted({flow.calendar.period(key) for key in keys})
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from error


def _told_by_assets(context: Mapping[str, Any]) -> list[str]:
    dag_run = context["dag_run"]
    if context.get("partition_key") or dag_run.partition_key or (dag_run.conf or {}).get(PERIOD_CONF):
        return []
    events = [event for found in (context.get("triggering_asset_events") or {}).values() for event in found]
    return [str(getattr(e, "partition_key", None) or (e.extra or {}).get(PERIOD_CONF) or "") for e in events]


def version_of(context: Mapping[str, Any], plan: PlanSpec) -> str:
    """Return the version of the plan that a run is about."""
    return str(context.get("params", {}).get(VERSION_PARAM) or plan.version)
