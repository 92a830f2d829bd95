# SPDX-License-Identifier: Apache-2.0
"""A flow turned into what the pipeline is asked to do."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.grouping import Place
from airflow_provider_mlconnector.finance.inverse import invert
from airflow_provider_mlconnector.flows.compare_spec import KEYS, CompareSpec
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plan_checks import reversed_columns, reversed_load
from airflow_provider_mlconnector.flows.plan_spec import JournalSpec, PlanSpec
from airflow_provider_mlconnector.flows.spec import ActualsSpec, LoadSpec, TimeSpec
from airflow_provider_mlconnector.pipeline.draftplan import DraftPlan, MemberList
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Match, ReadPlan, Selection, Source, Target
from airflow_provider_mlconnector.pipeline.reference_back import ComparePlan


def read_plans(flow: Flow) -> tuple[ReadPlan, ...]:
    """Return what is read from the ledger: each dataset once, in the order in which the loads need it."""
    datasets = dict.fromkeys(load.dataset for load in flow.spec.load)
    return tuple(_read_plan(flow, dataset) for dataset in datasets)


def _read_plan(flow: Flow, dataset: Dataset) -> ReadPlan:
    loads = [load for load in flow.spec.load if load.dataset is dataset]
    return ReadPlan(
        flow=flow.name,
        company=flow.spec.erp.company,
        dataset=dataset,
        dimensions=tuple(sorted({code for load in loads for code in load.dimensions})),
        imports=tuple(load.import_name for load in loads),
    )


def load_plans(flow: Flow) -> tuple[LoadPlan, ...]:
    """Return what is loaded into the model, in the order of the flow file."""
    return tuple(_load_plan(flow, load) for load in flow.spec.load)


def _load_plan(flow: Flow, load: LoadSpec) -> LoadPlan:
    return LoadPlan(
        flow=flow.name,
        company=flow.spec.erp.company,
        dataset=load.dataset,
        import_name=load.import_name,
        columns=load.sources,
        group_by=load.address,
        crosswalks={column: flow.crosswalks[name] for column, name in load.crosswalk.items()},
        match=dict(load.match),
        members=dict(load.members),
        time_format=(load.time or TimeSpec()).format,
        sign=load.sign,
        send=load.send,
        shape=load.effective_shape,
        selection=_selection(flow, load),
        only=dict(load.only),
        unmapped=load.unmapped,
        tolerance=load.rejects.tolerate,
        transform=load.transform or "",
        check=load.check or "",
        delete=load.delete or "",
        mapping=dict(load.mapping),
        extra=tuple(dict(line) for line in load.add),
        deadline=flow.spec.deadline,
    )


def draft_plan(flow: Flow, plan: PlanSpec) -> DraftPlan:
    """Return how a plan comes back: by the rules of a load, read backwards."""
    load = reversed_load(flow.spec, plan)
    if load is None:
        raise FlowError(f"'{plan.effective_name}' has no load to read backwards.", where=flow.document.where(("plan",)))
    columns = reversed_columns(plan, load)
    books = {column: flow.crosswalks[load.crosswalk[own]] for column, own in columns.items() if own in load.crosswalk}
    journal = plan.journal
    return DraftPlan(
        flow=flow.name,
        name=plan.effective_name,
        company=flow.spec.erp.company,
        export=plan.export,
        columns=plan.sources,
        inverses={column: invert(book) for column, book in books.items()},
        members={
            column: MemberList(load.members[own], load.match.get(own, Match.CODE))
            for column, own in columns.items()
            if own in load.members
        },
        each=journal.each,
        time_format=(load.time or TimeSpec()).format,
        sign=load.sign,
        batch=journal.name,
        description=journal.description,
        posting_day=journal.posting_day,
        balancing=_balancing(journal),
        lines=journal.lines,
        places=journal.places,
        deadline=flow.spec.deadline,
    )


def compare_plan(flow: Flow, spec: CompareSpec) -> ComparePlan:
    """Return how a list is compared."""
    return ComparePlan(
        flow=flow.name,
        name=spec.effective_name,
        export=spec.export,
        dataset=spec.dataset,
        columns={name: Source(column=column) for name, column in spec.columns.items()},
        key=KEYS[spec.dataset],
        inverses={column: invert(flow.crosswalks[name]) for column, name in spec.crosswalk.items()},
        only=dict(spec.only),
        dimensions=spec.dimensions,
    )


def _balancing(journal: JournalSpec) -> Place | None:
    if journal.balancing is None:
        return None
    return Place(journal.balancing.account, tuple(sorted(journal.balancing.dimensions.items())))


def _selection(flow: Flow, load: LoadSpec) -> Selection:
    """Return which journal lines are actuals: those of the ERP's actual ledger unless the flow names another."""
    selection = (load.actuals or ActualsSpec()).selection
    return replace(selection, ledger=selection.ledger or flow.spec.erp.system.capabilities.actual_ledger)


def target(flow: Flow) -> Target:
    """Return the model that a flow loads."""
    anaplan = flow.spec.anaplan
    return Target(anaplan.conn_id, anaplan.workspace, anaplan.model)


def pool_of(flow: Flow) -> str:
    """Return the pool of all tasks of a flow that work on its model."""
    anaplan = flow.spec.anaplan
    return anaplan.pool or pool_name(anaplan.conn_id, anaplan.workspace, anaplan.model)


def pool_name(conn_id: str, workspace: str, model: str) -> str:
    """Return the name of a model's pool, from connection, workspace and model as they are written."""
    return _joined("anaplan", conn_id, workspace, model)


def erp_pool_name(conn_id: str) -> str:
    """Return the name of the pool of all tasks that read a ledger over one connection."""
    return _joined("erp", conn_id)


def _joined(*parts: str) -> str:
    return "__".join(re.sub(r"[^A-Za-z0-9.-]+", "_", part).strip("_") for part in parts)


def asset_uri(flow: Flow, dataset: Dataset) -> str:
    """Return the URI of what a load leaves in the model: ``anaplan://<model>/<dataset>``, percent-encoded."""
    return f"anaplan://{quote(flow.spec.anaplan.model, safe='')}/{dataset}"


def is_of_a_close(uri: str) -> bool:
    """Say whether an asset is what a close leaves: only its events have a fiscal period as their partition."""
    return uri.startswith("anaplan://") and uri.rpartition("/")[2] in set(Dataset)
