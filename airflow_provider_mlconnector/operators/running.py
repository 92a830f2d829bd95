# SPDX-License-Identifier: Apache-2.0
"""Who a running task is: its run on the trail, its period, and whether that is read whole."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from airflow_provider_mlconnector.durable import generation
from airflow_provider_mlconnector.errors import ConfigurationError, MlconnectorError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.finance.schedule import Agenda
from airflow_provider_mlconnector.pipeline.plan import ReadMode
from airflow_provider_mlconnector.trail.records import RunOutcome, RunRef, make_run_id

if TYPE_CHECKING:
    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.trail.store import Trail

LOG = logging.getLogger(__name__)

FULL_PARAM = "full"
PERIOD_CONF = "period"
"""Key of a run's ``conf`` that names its period where it has no partition key."""
_BACKFILL = "backfill"
_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
_GOES_ON = frozenset({"running", "up_for_retry", "scheduled", "queued", "deferred"})


def owner_of(context: Mapping[str, Any]) -> str:
    """Return the name under which a task instance holds a lease: the same for all of its tries."""
    ti = context["ti"]
    index = f"[{ti.map_index}]" if ti.map_index is not None and ti.map_index >= 0 else ""
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}{index}"


def state_of(context: Mapping[str, Any], owner: str) -> str | None:
    """Return what Airflow's database says of the task instance that has this name as an owner; None for no such one."""
    dag_id, _, rest = owner.partition("/")
    run_id, _, name = rest.rpartition("/")
    task_id, _, index = name.partition("[")
    map_index = int(index.rstrip("]")) if index else -1
    states = context["ti"].get_task_states(dag_id, map_index, [task_id], run_ids=[run_id])
    return next(iter(states.get(run_id, {}).values()), None)


def has_ended(context: Mapping[str, Any], owner: str) -> bool:
    """Say whether the owner of a lease is a task instance that came to its end, by itself or by a person's word."""
    return state_of(context, owner) in _ENDED


def goes_on(context: Mapping[str, Any]) -> bool:
    """Say whether Airflow means to go on with this task although its process is told to end."""
    ti = context["ti"]
    return ti.try_number <= ti.max_tries and state_of(context, owner_of(context)) in _GOES_ON


def read_mode(context: Mapping[str, Any]) -> ReadMode:
    """Return how much a run reads: backfilled, cleared and ``full`` ones the whole period, all others what changed."""
    asked = bool(context.get("params", {}).get(FULL_PARAM))
    whole = asked or generation(context) > 0 or context["dag_run"].run_type == _BACKFILL
    return ReadMode.WHOLE if whole else ReadMode.CHANGES


def period_of(
    context: Mapping[str, Any], flow: Flow, how: str = "Trigger it with a period key as partition key"
) -> Period:
    """Return the fiscal period that the run's partition key names, or its ``conf``.

    A run that a task started can have no partition key, see
    :class:`~airflow_provider_mlconnector.operators.sweep.ReloadOperator`.

    :param how: what a person does to name one, for the error.
    :raises AirflowFailException: when there is none, with the periods that are open now.
    """
    dag_run = context["dag_run"]
    key = context.get("partition_key") or dag_run.partition_key or (dag_run.conf or {}).get(PERIOD_CONF)
    try:
        if key:
            return flow.calendar.period(str(key))
        what = "This run has no period."
    except ConfigurationError as error:
        what = error.message
    open_now = ", ".join(p.key for p in Agenda(flow.calendar, flow.schedule).open_periods(datetime.now(UTC))) or "none"
    raise AirflowFailException(f"{what} {how} (open periods: {open_now}).")


def run_of(context: Mapping[str, Any], flow: str, period: str) -> RunRef:
    """Return the trail's reference of this run; the same for all its tasks, tries and repetitions."""
    dag_run = context["dag_run"]
    run_id = make_run_id(flow, period, f"{dag_run.dag_id}/{dag_run.run_id}")
    return RunRef(run_id=run_id, flow=flow, period=period, mode=read_mode(context))


@contextmanager
def on_the_trail(context: Mapping[str, Any], trail: Trail, run: RunRef) -> Iterator[None]:
    """Put the run on the trail, unless an earlier task did; close it as failed when this task fails for good."""
    _open_run(context, trail, run)
    try:
        yield
    except AirflowFailException:
        close_run(trail, run, RunOutcome.FAILED)
        raise
    except MlconnectorError:
        ti = context["ti"]
        if ti.try_number > ti.max_tries:
            close_run(trail, run, RunOutcome.FAILED)
        raise


def close_run(trail: Trail, run: RunRef, outcome: RunOutcome) -> str:
    """Close a run on the trail and return its closing hash, which the task's log keeps outside of the trail."""
    closing = trail.close_run(run.run_id, outcome)
    LOG.info("Run %s %s; closing hash %s ('trail verify --expect' takes it)", run.run_id, outcome, closing)
    return closing


def _open_run(context: Mapping[str, Any], trail: Trail, run: RunRef) -> None:
    """Say who asked for the run, and which run of Airflow it is."""
    dag_run = context["dag_run"]
    kind = str(getattr(dag_run.run_type, "value", dag_run.run_type))
    trail.open_run(
        run,
        requested_by=getattr(dag_run, "triggering_user_name", None) or f"Airflow ({kind})",
        detail={"dag_id": dag_run.dag_id, "dag_run_id": dag_run.run_id, "run_type": kind},
    )
