# SPDX-License-Identifier: Apache-2.0
"""A flow file becomes DAGs. The close: extracts side by side, then one load after the other in order, then the check.

Loads of one model never run side by side, so they make one chain; lists come before the cells that need their members,
since preparing a file reads the members back. Nothing heavy is imported here: this runs whenever a DAG file is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    AssetAlias,
    BaseNotifier,
    BaseOperator,
    CronTriggerTimetable,
    Param,
    PartitionedAssetTimetable,
    TaskGroup,
    XComArg,
)

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows import compare_story, plan_story, story
from airflow_provider_mlconnector.flows.compare_spec import CompareSpec, Often
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.loader import load_flow, load_flows
from airflow_provider_mlconnector.flows.plan_spec import PlanSpec, Start
from airflow_provider_mlconnector.flows.plans import asset_uri, is_of_a_close
from airflow_provider_mlconnector.flows.spec import LatePostings, LoadSpec
from airflow_provider_mlconnector.operators.approval import ApprovePlanOperator
from airflow_provider_mlconnector.operators.close import LoadOperator, PrepareOperator, RemoveOperator
from airflow_provider_mlconnector.operators.compare import (
    AskOperator,
    CompareOperator,
    ExportListOperator,
    ReadListOperator,
)
from airflow_provider_mlconnector.operators.erp import ExtractOperator
from airflow_provider_mlconnector.operators.flag import PlanFlagSensor
from airflow_provider_mlconnector.operators.plan import (
    ExportPlanOperator,
    PreflightOperator,
    ResolvePlanOperator,
    VerifyPlanOperator,
    WritePlanOperator,
)
from airflow_provider_mlconnector.operators.planning import PERIODS_PARAM, VERSION_PARAM
from airflow_provider_mlconnector.operators.posted import AwaitPostedOperator
from airflow_provider_mlconnector.operators.reconcile import ReconcileOperator
from airflow_provider_mlconnector.operators.running import FULL_PARAM
from airflow_provider_mlconnector.operators.sweep import SWEEP_XCOM, ReloadOperator, SweepOperator
from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable

MAX_ACTIVE_RUNS = 4
_TAG = "mlconnector"


def flow_dags(path: Path | str, *, system: str = "", notifiers: Sequence[BaseNotifier] = ()) -> dict[str, DAG]:
    """Return all DAGs of a flow file, or of a folder of them, by their names.

    They are its close, one for each plan, and one for each list that is compared.

    :param system: only flows of this ERP, such as ``business_central``.
    :param notifiers: called when a person is asked to approve a plan.
    :raises FlowError: with file and line, when a flow file is wrong or two of them collide.
    """
    flows = _flows(path, system)
    comparisons = (compare_dag(flow, spec) for flow in flows for spec in flow.spec.compare)
    return {dag.dag_id: dag for dag in (*map(close_dag, flows), *_plan_dags(flows, notifiers), *comparisons)}


def close_dags(path: Path | str, *, system: str = "") -> dict[str, DAG]:
    """Return the DAGs of the closes alone; otherwise as :func:`flow_dags`."""
    return {dag.dag_id: dag for dag in map(close_dag, _flows(path, system))}


def plan_dags(path: Path | str, *, system: str = "", notifiers: Sequence[BaseNotifier] = ()) -> dict[str, DAG]:
    """Return the DAGs of the plans alone; otherwise as :func:`flow_dags`."""
    return {dag.dag_id: dag for dag in _plan_dags(_flows(path, system), notifiers)}


def _flows(path: Path | str, system: str) -> list[Flow]:
    found = load_flows(path) if Path(path).is_dir() else (load_flow(path),)
    return [flow for flow in found if system in ("", flow.spec.erp.system)]


def _plan_dags(flows: Iterable[Flow], notifiers: Sequence[BaseNotifier]) -> Iterator[DAG]:
    return (plan_dag(flow, spec, notifiers) for flow in flows for spec in flow.spec.plan)


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


def plan_dag(flow: Flow, spec: PlanSpec, notifiers: Sequence[BaseNotifier] = ()) -> DAG:
    """Return the DAG of one plan of a flow."""
    with DAG(
        dag_id=part_id(flow, spec),
        description=f"{spec.effective_name} of {flow.spec.anaplan.model} back to {flow.spec.erp.company}",
        schedule=_plan_schedule(flow, spec),
        catchup=False,
        max_active_runs=MAX_ACTIVE_RUNS if spec.posted else 1,
        tags={_TAG, "plan", flow.spec.erp.system, flow.spec.erp.company},
        params={PERIODS_PARAM: _periods_param(flow, spec), VERSION_PARAM: _version_param(spec)},
        doc_md=plan_story.plan_story(flow, spec),
    ) as dag:
        _plan_tasks(flow, spec, notifiers)
    return dag


def part_id(flow: Flow, spec: PlanSpec | CompareSpec) -> str:
    """Return the name of the DAG of one plan or comparison of a flow: ``<flow>__<name>``, in plain letters."""
    parts: tuple[PlanSpec | CompareSpec, ...] = (*flow.spec.plan, *flow.spec.compare)
    ids = group_ids(part.effective_name for part in parts)
    return f"{flow.name}__{ids[parts.index(spec)]}"


def _plan_schedule(flow: Flow, spec: PlanSpec) -> Any:
    if spec.start is Start.CALENDAR:
        return CloseCalendarTimetable(flow.calendar, flow.schedule)
    if spec.after is None:
        return None
    asset = Asset(uri=spec.after)  # Airflow starts a DAG by events with a partition, or by those without one
    return PartitionedAssetTimetable(assets=asset) if is_of_a_close(spec.after) else [asset]


def _plan_tasks(flow: Flow, spec: PlanSpec, notifiers: Sequence[BaseNotifier]) -> None:
    pages = plan_story.task_stories(flow, spec)
    export = ExportPlanOperator(task_id="export", flow=flow, spec=spec, doc_md=pages["export"])
    if spec.flag is not None:
        PlanFlagSensor(task_id="flag", flow=flow, spec=spec, flag=spec.flag, doc_md=pages["flag"]) >> export
    resolve = ResolvePlanOperator(
        task_id="resolve", flow=flow, spec=spec, exported=export.output, doc_md=pages["resolve"]
    )
    ledger = {"flow": flow, "spec": spec, "resolved": resolve.output, **_placed(flow)}
    preflight = PreflightOperator(task_id="preflight", doc_md=pages["preflight"], **ledger)
    approve = ApprovePlanOperator(task_id="approve", flow=flow, spec=spec, notifiers=notifiers, doc_md=pages["approve"])
    write = WritePlanOperator(task_id="write", doc_md=pages["write"], **ledger)
    documents = AssetAlias(f"{part_id(flow, spec)}__documents")  # Airflow wants its names in ASCII
    verify = VerifyPlanOperator(task_id="verify", doc_md=pages["verify"], outlets=[documents], **ledger)
    preflight >> approve >> write >> verify
    if spec.posted is not None:
        documents = AssetAlias(f"{part_id(flow, spec)}__posted")
        verify >> AwaitPostedOperator(
            task_id="posted", posted=spec.posted, doc_md=pages["posted"], outlets=[documents], **ledger
        )


def compare_dag(flow: Flow, spec: CompareSpec) -> DAG:
    """Return the DAG of one list of a flow that is held against the ledger's own."""
    preset = None if spec.often is Often.MANUAL else f"@{spec.often}"
    with DAG(
        dag_id=part_id(flow, spec),
        description=f"{spec.effective_name} of {flow.spec.anaplan.model} against {flow.spec.erp.company}",
        schedule=CronTriggerTimetable(preset, timezone=str(flow.calendar.timezone)) if preset else None,
        catchup=False,
        max_active_runs=1,
        tags={_TAG, "compare", flow.spec.erp.system, flow.spec.erp.company},
        doc_md=compare_story.compare_story(flow, spec),
    ) as dag:
        _compare_tasks(flow, spec)
    return dag


def _compare_tasks(flow: Flow, spec: CompareSpec) -> None:
    pages = compare_story.task_stories(flow, spec)
    of: dict[str, Any] = {"flow": flow, "spec": spec}
    export = ExportListOperator(task_id="export", doc_md=pages["export"], **of)
    read = ReadListOperator(task_id="read", doc_md=pages["read"], **of, **_placed(flow))
    compare = CompareOperator(
        task_id="compare", exported=export.output, kept=read.output, doc_md=pages["compare"], **of
    )
    if spec.setup is not None:
        AskOperator(
            task_id="ask", setup=spec.setup, compared=compare.output, doc_md=pages["ask"], **of, **_placed(flow)
        )


def _periods_param(flow: Flow, spec: PlanSpec) -> Param:
    """Return the field for the periods; one that could not be null would have to be filled in."""
    otherwise = " Empty: the run's partition key." if spec.start is Start.CALENDAR else ""
    if spec.after:
        otherwise = " Empty: those that the asset's events name."
    return Param(
        None,
        type=["array", "null"],
        items={"type": "string"},
        title="Fiscal periods",
        description=f"Keys of the calendar {flow.calendar.calendar}, one in a line, such as FY2026-P05.{otherwise}",
    )


def _version_param(spec: PlanSpec) -> Param:
    return Param(spec.version, type="string", title="Version of the plan")


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
