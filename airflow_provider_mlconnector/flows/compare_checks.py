# SPDX-License-Identifier: Apache-2.0
"""What the keys under ``compare`` mean together, and what the ledger can be compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from airflow_provider_mlconnector.finance.datasets import COLUMNS, Dataset, Type
from airflow_provider_mlconnector.finance.yaml_models import Mistake, unknown_name
from airflow_provider_mlconnector.flows.compare_spec import KEYS, CompareSpec
from airflow_provider_mlconnector.flows.spec import FlowSpec


def compare_mistakes(spec: FlowSpec) -> Iterator[Mistake]:
    """Yield what is wrong with the comparisons of a flow, as far as the file alone shows it."""
    plans = Counter(plan.effective_name for plan in spec.plan)
    names = plans + Counter(one.effective_name for one in spec.compare)
    for index, one in enumerate(spec.compare):
        if names[one.effective_name] > 1:
            yield (
                ("compare", index, "export"),
                f"a plan or another comparison is called '{one.effective_name}', too; give it a 'name'.",
            )
        for place, sentence in chain(_dataset(spec, one), _setup(spec, one)):
            yield ("compare", index, *place), sentence


def _dataset(spec: FlowSpec, one: CompareSpec) -> Iterator[Mistake]:
    if one.dataset not in KEYS:
        yield ("dataset",), f"{one.dataset} are no list that can be compared; those are {', '.join(KEYS)}."
        return
    refusal = spec.erp.system.capabilities.refusal(one.dataset)
    if refusal:
        yield ("dataset",), refusal
        return
    yield from _columns(one)
    yield from _records(one)


def _columns(one: CompareSpec) -> Iterator[Mistake]:
    known, key = [column.name for column in COLUMNS[one.dataset]], KEYS[one.dataset]
    for name, column in one.columns.items():
        if column not in known:
            yield ("columns", name), unknown_name(f"column of {one.dataset}", column, known)
    keys = sum(column == key for column in one.columns.values())
    if keys != 1:
        yield ("columns",), f"exactly one column has to be the {key}, which names a record; {keys} are."
    for name in one.crosswalk:
        if name not in one.columns:
            yield ("crosswalk", name), unknown_name("column of the export", name, list(one.columns))


def _records(one: CompareSpec) -> Iterator[Mistake]:
    texts = [column.name for column in COLUMNS[one.dataset] if column.type is Type.TEXT]
    for name in one.only:
        if name not in texts:
            yield ("only", name), unknown_name(f"text column of {one.dataset}", name, texts)
    if one.dataset is Dataset.COST_CENTRES and "dimension" not in one.only:
        yield ("only",), "cost centres are values of one dimension; say which, like only: {dimension: DEPARTMENT}."


def _setup(spec: FlowSpec, one: CompareSpec) -> Iterator[Mistake]:
    refusal = spec.erp.system.capabilities.setup_refusal(one.dataset) if one.setup else ""
    if refusal:
        yield ("setup",), refusal
