# SPDX-License-Identifier: Apache-2.0
"""What the keys of a flow file mean together. Each check yields its mistakes with their place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.datasets import (
    COLUMNS,
    DIMENSION_PREFIX,
    PERIOD_DATASETS,
    Dataset,
    Type,
)
from airflow_provider_mlconnector.finance.periods import Period, format_period
from airflow_provider_mlconnector.finance.yaml_lines import Place
from airflow_provider_mlconnector.finance.yaml_models import Mistake, unknown_name
from airflow_provider_mlconnector.flows.spec import PERIOD_COLUMN, FlowSpec, LatePostings, LoadSpec
from airflow_provider_mlconnector.pipeline.plan import PRESENT, Shape, Sign

_SOME_PERIOD = Period(2026, 5, date(2025, 11, 1), date(2025, 11, 30))
_MEMBER_COLUMN = {
    Dataset.ACCOUNTS: "account",
    Dataset.VENDORS: "vendor",
    Dataset.CUSTOMERS: "customer",
    Dataset.INVENTORY: "item",
}
"""By dataset that fills a list, the column of other datasets whose texts are members of it."""


def flow_mistakes(spec: FlowSpec) -> Iterator[Mistake]:
    """Yield what is wrong with a flow, as far as the file alone shows it."""
    for index, load in enumerate(spec.load):
        for place, sentence in chain(
            _readable(spec, load), _columns(load), _named_columns(load), _cells(load), _records(load), _lists(load)
        ):
            yield ("load", index, *place), sentence
    yield from _order(spec)
    yield from _same_import(spec)
    yield from _natural_sign(spec)
    yield from _late_postings(spec)


def known_columns(load: LoadSpec) -> list[str]:
    """Return what a column of the file may come from, but for constants and dimensions."""
    names = [column.name for column in COLUMNS[load.dataset]]
    if load.effective_shape is Shape.RECORDS:
        names.append(PRESENT)
    return names if PERIOD_COLUMN in names or not load.of_period else [*names, PERIOD_COLUMN]


def _readable(spec: FlowSpec, load: LoadSpec) -> Iterator[Mistake]:
    capabilities = spec.erp.system.capabilities
    on_lines = load.of_period and bool(load.dimensions)
    refusal = capabilities.refusal(load.dataset, dimensions=on_lines)
    if refusal:
        yield ("dataset",), refusal
    elif load.actuals is not None and load.actuals.ledger:
        refusal = capabilities.refusal(load.dataset, ledger=True)
        if refusal:
            yield ("actuals", "ledger"), f"{refusal[:-1]}; leave out 'ledger'."


def _columns(load: LoadSpec) -> Iterator[Mistake]:
    known = known_columns(load)
    for name, source in load.sources.items():
        if source.constant is not None or source.column in known or load.transform:
            continue
        if source.column.startswith(DIMENSION_PREFIX) and load.dataset in PERIOD_DATASETS:
            if source.column == DIMENSION_PREFIX:
                yield ("columns", name), "the code of the dimension is missing; write it like dimension.DEPARTMENT."
            continue
        allowed = [*known, *([f"{DIMENSION_PREFIX}<CODE>"] if load.of_period else []), "=Text"]
        yield ("columns", name), unknown_name(f"column of {load.dataset}", source.column, allowed)


def _named_columns(load: LoadSpec) -> Iterator[Mistake]:
    """Check the keys that speak of columns of the file."""
    header = list(load.columns)
    named: Iterator[tuple[Place, str]] = chain(
        (((key, name), name) for key in ("match", "members", "crosswalk") for name in getattr(load, key)),
        ((("group_by", index), name) for index, name in enumerate(load.group_by or ())),
        ((("add", index, name), name) for index, line in enumerate(load.add) for name in line),
    )
    for place, name in named:
        if name not in header:
            yield place, unknown_name("column of the file", name, header)
    for name in load.crosswalk:
        if name in load.constants:
            yield ("crosswalk", name), f"'{name}' is a constant: write the member itself into 'columns'."


def _cells(load: LoadSpec) -> Iterator[Mistake]:
    periods = [name for name, source in load.sources.items() if source.column == PERIOD_COLUMN]
    if load.time is not None:
        if not periods or load.dataset is Dataset.PERIODS:
            yield ("time",), f"no column comes from '{PERIOD_COLUMN}', so there is no period to name."
        try:
            format_period(_SOME_PERIOD, load.time.format)
        except ConfigurationError as error:
            yield ("time", "format"), f"{error.message} {error.hint}"
    if load.effective_shape is Shape.RECORDS:
        return
    if not load.of_period:
        yield ("shape",), f"{load.dataset} are not added up: rows that belong to no period are records."
        return
    if not periods:
        yield ("columns",), f"no column says to which period a cell belongs; let one come from '{PERIOD_COLUMN}'."
    yield from _amounts(load)


def _amounts(load: LoadSpec) -> Iterator[Mistake]:
    """Check that what does not address a cell can be added up."""
    if load.transform and load.group_by is None:
        yield ("transform",), "a transform may make new columns, so 'group_by' has to say which of them address a cell."
        return
    amounts = {column.name for column in COLUMNS[load.dataset] if column.type is Type.MONEY}
    known = set(known_columns(load))
    values = {name: load.sources[name].column for name in load.columns if name not in {*load.address, *load.constants}}
    for name, column in values.items():
        if column not in amounts and (column in known or column.startswith(DIMENSION_PREFIX)):
            yield ("columns", name), f"'{name}' is no amount; a cell has one text of it only if it is in 'group_by'."
    for name in load.address:
        if name in load.sources and load.sources[name].column in amounts:
            yield ("group_by",), f"'{name}' is an amount; amounts are added up and do not address a cell."
    if not values:
        yield ("columns",), f"no column is an amount; amounts of {load.dataset} are {', '.join(sorted(amounts))}."


def _records(load: LoadSpec) -> Iterator[Mistake]:
    if load.delete and all(source.column != PRESENT for source in load.sources.values()):
        yield ("delete",), f"nothing tells the action which records are gone; let a column come from '{PRESENT}'."
    if load.effective_shape is Shape.CELLS:
        return
    if load.group_by is not None:
        yield ("group_by",), "records are not added up; leave out 'group_by', or choose shape: cells."
    if load.of_period and not any(source.column == "record_id" for source in load.sources.values()):
        yield ("columns",), "records need a key; let a column come from 'record_id', the ERP's own id of a line."
    if load.sign is Sign.NATURAL:
        yield ("sign",), "records keep the sign of the ledger; 'natural' is for cells."


def _lists(load: LoadSpec) -> Iterator[Mistake]:
    """Check what only some datasets have."""
    texts = [column.name for column in COLUMNS[load.dataset] if column.type is Type.TEXT]
    for name in load.only:
        if name not in texts:
            yield ("only", name), unknown_name(f"text column of {load.dataset}", name, texts)
    if load.dataset is Dataset.COST_CENTRES and "dimension" not in load.only:
        yield ("only",), "cost centres are values of one dimension; say which, like only: {dimension: DEPARTMENT}."
    if load.actuals is not None and load.dataset is not Dataset.JOURNAL_LINES:
        yield ("actuals",), f"'actuals' chooses among journal_lines; {load.dataset} have no such kinds."
    if load.add and load.of_period:
        yield ("add",), "lines without a row of the ledger are for lists; cells are totals of the ledger alone."
    if load.check and not load.of_period:
        yield ("check",), f"'check' compares the cells of a period; {load.dataset} have none."


def _order(spec: FlowSpec) -> Iterator[Mistake]:
    """Check that a list is loaded before the cells that need its members."""
    for index, load in enumerate(spec.load):
        needed = _fills(load)
        for earlier in spec.load[:index]:
            if needed and earlier.dataset is not load.dataset and needed & {s.column for s in earlier.sources.values()}:
                yield (
                    ("load", index, "dataset"),
                    f"{load.dataset} are loaded after '{earlier.import_name}', which needs their members; "
                    f"move '{load.import_name}' before it.",
                )
                break


def _fills(load: LoadSpec) -> set[str]:
    """Return the columns of other datasets whose members a list provides."""
    if load.dataset is Dataset.COST_CENTRES:
        return {f"{DIMENSION_PREFIX}{code}" for code in load.dimensions}
    return {_MEMBER_COLUMN[load.dataset]} if load.dataset in _MEMBER_COLUMN else set()


def _same_import(spec: FlowSpec) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for index, load in enumerate(spec.load):
        if load.import_name in seen:
            yield (
                ("load", index, "import"),
                f"'{load.import_name}' is loaded twice in this flow, first by load {seen[load.import_name] + 1}; what "
                "the model accepted is remembered per flow and import, so the second one needs a flow of its own.",
            )
        seen.setdefault(load.import_name, index)


def _natural_sign(spec: FlowSpec) -> Iterator[Mistake]:
    has_accounts = any(load.dataset is Dataset.ACCOUNTS for load in spec.load)
    for index, load in enumerate(spec.load):
        if load.sign is Sign.NATURAL and not has_accounts:
            sentence = "the natural sign depends on the category of an account; load 'accounts' in this flow too."
            yield ("load", index, "sign"), sentence


def _late_postings(spec: FlowSpec) -> Iterator[Mistake]:
    if spec.late_postings is not LatePostings.RELOAD or spec.sweeps:
        return
    if all(load.dataset is not Dataset.JOURNAL_LINES for load in spec.load):
        yield ("late_postings",), "late postings are journal lines, and this flow does not load any."
    else:
        title = spec.erp.system.capabilities.title
        yield ("late_postings",), f"{title} cannot tell which journal lines of a period changed."
