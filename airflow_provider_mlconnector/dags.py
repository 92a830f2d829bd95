# SPDX-License-Identifier: Apache-2.0
"""A flow file becomes a DAG: extracts side by side, then one load after the other in the flow's order, then the check.

Loads of one model never run side by side, so they make one chain; lists come before the cells that need their members,
since preparing a file reads the members back. Nothing heavy is imported here: this runs whenever a DAG file is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, BaseOperator, Param, TaskGroup, XComArg

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows import story
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.loader import load_flow, load_flows
from airflow_provider_mlconnector.flows.plans import asset_uri
from airflow_provider_mlconnector.flows.spec import LatePostings, LoadSpec
from airflow_provider_mlconnector.operators.close import LoadOperator, PrepareOperator, RemoveOperator
from airflow_provider_mlconnector.operators.erp import ExtractOperator
from airflow_provider_mlconnector.operators.reconcile import ReconcileOperator
from airflow_provider_mlconnector.operators.running import FULL_PARAM
from airflow_provider_mlconnector.operators.sweep import SWEEP_XCOM, ReloadOperator, SweepOperator
from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable

MAX_ACTIVE_RUNS = 4
_TAG = "mlconnector"


def close_dags(path: Path | str, *, system: str = "") -> dict[str, DAG]:
    """Return the DAGs of a flow file, or of a folder of them, by their names.

    :param system: only flows of this ERP, such as ``business_central``.
    :raises FlowError: with file and line, when a flow file is wrong or two of them collide.
    """
    flows: Iterable[Flow] = load_flows(path) if Path(path).is_dir() else (load_flow(path),)
    return {flow.name: close_dag(flow) for flow in flows if system in ("", flow.spec.erp.system)}


def close_dag(flow: Flow) -> DAG:
    """Return the DAG of one flow."""
    erp, anaplan = flow.spec.erp, flow.spec.anaplan
    with DAG(
        dag_id=flow.name,
        description=f"Books of {erp.company} ({erp.system.capabilities.title}) into {anaplan.model}",
        schedule=CloseCalendarTimetable(flow.calendar, flow.schedule),
        catchup=False,
        max_active_runs=MAX_ACTIVE_RUNS,
        tags={_TAG, "close", erp.system, erp.company},
        params={FULL_PARAM: _full_param()},
        doc_md=story.flow_story(flow),
    ) as dag:
        batches = _extract_tasks(flow)
        loads = _load_tasks(flow, batches)
        sweep = _sweep_tasks(flow) if flow.spec.sweeps else None
        _reconcile_task(flow, batches, loads, sweep)
    return dag


def group_ids(names: Iterable[str]) -> list[str]:
    """Return names as ids of task groups, each once: ``Load GL Actuals`` is ``load_gl_actuals``."""
    ids: list[str] = []
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "load"
        ids.append(plain if plain not in ids else f"{plain}_{len(ids) + 1}")
    return ids


def _full_param() -> Param:
    return Param(
        False,
        type="boolean",
        title="Read the period whole",
        description="Read all of the period, not only what changed, and send every cell.",
    )


def _placed(flow: Flow) -> dict[str, Any]:
    """Return where the tasks that talk to the ERP run, as far as the flow says."""
    places = {"queue": flow.spec.queue, "executor": flow.spec.executor}
    return {key: place for key, place in places.items() if place}


def _extract_tasks(flow: Flow) -> dict[Dataset, BaseOperator]:
    with TaskGroup("extract"):
        return {
            dataset: ExtractOperator(
                task_id=dataset.value,
                flow=flow,
                dataset=dataset,
                doc_md=story.extract_story(flow, dataset),
                **_placed(flow),
            )
            for dataset in dict.fromkeys(load.dataset for load in flow.spec.load)
        }


def _load_tasks(flow: Flow, batches: dict[Dataset, BaseOperator]) -> list[BaseOperator]:
    loads: list[BaseOperator] = []
    before: BaseOperator | None = None
    ids = group_ids(load.import_name for load in flow.spec.load)
    for group_id, load in zip(ids, flow.spec.load, strict=True):
        with TaskGroup(group_id):
            prepare = PrepareOperator(
                task_id="prepare",
                flow=flow,
                import_name=load.import_name,
                batch=batches[load.dataset].output,
                doc_md=story.prepare_story(load),
            )
            done = LoadOperator(
                task_id="load",
                flow=flow,
                import_name=load.import_name,
                batch=batches[load.dataset].output,
                prepared=prepare.output,
                doc_md=story.load_story(load),
            )
            last = _remove_task(flow, load, done) if load.delete else done
        if before is not None:
            before >> prepare
        before = last
        loads.append(done)
    return loads


def _remove_task(flow: Flow, load: LoadSpec, done: BaseOperator) -> BaseOperator:
    return RemoveOperator(
        task_id="remove", flow=flow, import_name=load.import_name, load=done.output, doc_md=story.remove_story(load)
    )


def _sweep_tasks(flow: Flow) -> BaseOperator:
    sweep = SweepOperator(task_id="late_postings", flow=flow, doc_md=story.sweep_story(flow), **_placed(flow))
    if flow.spec.late_postings is LatePostings.RELOAD:
        reloads = ReloadOperator.partial(task_id="load_late_postings", retries=2, doc_md=story.reload_story())
        reloads.expand_kwargs(sweep.output)
    return sweep


def _reconcile_task(
    flow: Flow, batches: dict[Dataset, BaseOperator], loads: list[BaseOperator], sweep: BaseOperator | None
) -> None:
    datasets = dict.fromkeys(load.dataset for load in flow.spec.load)
    ReconcileOperator(
        task_id="reconcile",
        flow=flow,
        batches=[batches[dataset].output for dataset in datasets],
        loads=[load.output for load in loads],
        sweep=XComArg(sweep, key=SWEEP_XCOM) if sweep is not None else None,
        outlets=[Asset(uri=asset_uri(flow, dataset), extra={"flow": flow.name}) for dataset in datasets],
        doc_md=story.reconcile_story(),
    )
