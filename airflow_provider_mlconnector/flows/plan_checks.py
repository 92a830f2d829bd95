# SPDX-License-Identifier: Apache-2.0
"""What the keys under ``plan`` mean together, and together with the loads whose rules they read backwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX, Dataset
from airflow_provider_mlconnector.finance.yaml_models import Mistake, unknown_name
from airflow_provider_mlconnector.flows.plan_spec import ACCOUNT, FIELDS, PlanSpec, Start
from airflow_provider_mlconnector.flows.spec import FlowSpec, LoadSpec
from airflow_provider_mlconnector.pipeline.draftplan import AMOUNT, PERIOD, VERSION


def plan_mistakes(spec: FlowSpec) -> Iterator[Mistake]:
    """Yield what is wrong with the plans of a flow, as far as the file alone shows it."""
    names = Counter(plan.effective_name for plan in spec.plan)
    for index, plan in enumerate(spec.plan):
        refusal = spec.erp.system.capabilities.drafts_refusal()
        if refusal:
            yield ("plan", index), refusal
        if names[plan.effective_name] > 1:
            yield ("plan", index, "export"), f"two plans are called '{plan.effective_name}'; give them a 'name'."
        for check in (_columns(plan), _reverse(spec, plan), _journal(plan), _options(spec, plan), _flag(plan)):
            for place, sentence in check:
                yield ("plan", index, *place), sentence


def reversed_load(spec: FlowSpec, plan: PlanSpec) -> LoadSpec | None:
    """Return the load whose rules a plan reads backwards; None when there is none."""
    for load in spec.load:
        if plan.reverse in (None, load.import_name) and load.dataset is Dataset.JOURNAL_LINES:
            return load
    return None


def reversed_columns(plan: PlanSpec, load: LoadSpec) -> dict[str, str]:
    """Return by column of the export the file column of the load that it is the reverse of, where there is one."""
    by_source = {source.column: name for name, source in load.sources.items() if source.constant is None}
    return {name: by_source[column] for name, column in plan.mapped.items() if column in by_source}


def _columns(plan: PlanSpec) -> Iterator[Mistake]:
    for name, source in plan.sources.items():
        if source.constant is None and source.column not in FIELDS and not source.column.startswith(DIMENSION_PREFIX):
            allowed = [*FIELDS, f"{DIMENSION_PREFIX}<CODE>", "=Text"]
            yield ("columns", name), unknown_name("part of a journal line", source.column, allowed)
    counts = Counter(source.column for source in plan.sources.values() if source.constant is None)
    for needed in (ACCOUNT, PERIOD, AMOUNT):
        if counts[needed] != 1:
            yield ("columns",), f"exactly one column has to be the {needed}; {counts[needed]} are."
    if counts[VERSION] > 1:
        yield ("columns",), "more than one column is the version."
    for column, count in counts.items():
        if column.startswith(DIMENSION_PREFIX) and count > 1:
            yield ("columns",), f"{count} columns are {column}."


def _reverse(spec: FlowSpec, plan: PlanSpec) -> Iterator[Mistake]:
    load = reversed_load(spec, plan)
    if load is None and plan.reverse is not None:
        imports = [one.import_name for one in spec.load if one.dataset is Dataset.JOURNAL_LINES]
        yield ("reverse",), unknown_name("import of journal lines", plan.reverse, imports)
    elif load is None:
        yield ("export",), "a plan is posted back by the rules that load journal lines; this flow loads none."
    elif load.transform:
        yield ("reverse",), f"'{load.import_name}' has a transform, and a function cannot be read backwards."


def _journal(plan: PlanSpec) -> Iterator[Mistake]:
    if plan.after and plan.start is Start.CALENDAR:
        yield ("after",), "a run is started by the calendar or by an asset, not by both; leave one of them out."
    for at, name in enumerate(plan.journal.each):
        if name not in plan.columns:
            yield ("journal", "each", at), unknown_name("column of the export", name, list(plan.columns))
    try:
        plan.journal.description.format(version="", period="", plan="")
    except (KeyError, IndexError, ValueError):
        yield ("journal", "description"), "only {version}, {period} and {plan} are filled in; write {{ for a brace."


def _options(spec: FlowSpec, plan: PlanSpec) -> Iterator[Mistake]:
    capabilities = spec.erp.system.capabilities
    for name in plan.journal.options:
        if not capabilities.draft_options:
            yield ("journal", "options"), f"{capabilities.title} has no options for journals."
        elif name not in capabilities.draft_options:
            yield ("journal", "options", name), unknown_name("option", name, list(capabilities.draft_options))


def _flag(plan: PlanSpec) -> Iterator[Mistake]:
    for dimension, member in plan.flag.at.items() if plan.flag else ():
        try:
            member.format(period="")
        except (KeyError, IndexError, ValueError):
            yield ("flag", "at", dimension), "only {period} is filled in; write {{ for a brace."
