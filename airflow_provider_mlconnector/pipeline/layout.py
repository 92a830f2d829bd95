# SPDX-License-Identifier: Apache-2.0
"""What each column of an import file is: part of an address, a value, an attribute, or a constant.

Rows of a plan with ``group_by`` are added up by these columns. Without it every row is a line of its own, addressed
by the ERP's record id; amounts are values, all else are attributes that are sent along when they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from airflow_provider_mlconnector.errors import ConfigurationError, SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import COLUMNS, PERIOD_DATASETS
from airflow_provider_mlconnector.finance.periods import Period, format_period
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Source
from airflow_provider_mlconnector.trail.records import CellScope

RECORD = ":record"
"""Column of cells and rows: the ERP's record id, where no column of the file holds it."""
MEASURE = ":amount"
"""Column of cells and rows: debit minus credit, whatever the file shows of it."""
DEPTH = ":depth"
"""Column of rows and cells of a list with parents: how far below the top."""
PROBLEM = ":problem"
"""Column of rows: why the row cannot be sent; null when it can."""

TIME_COLUMN = "period"


class Role(StrEnum):
    """What a file column is to a cell."""

    KEY = "key"
    VALUE = "value"
    ATTRIBUTE = "attribute"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One column of the file; ``source`` is a column of the dataset, ``constant`` the text of a constant."""

    name: str
    role: Role
    source: str = ""
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a plan's file, in the order of its header.

    :param measure: column of the dataset that is added up to control what became of the book, or "".
    :param parent: file column that names the member above, or "".
    """

    columns: tuple[FileColumn, ...]
    measure: str
    parent: str = ""

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the file's columns."""
        return tuple(column.name for column in self.columns)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that address a cell; the record id where the file's own columns do not."""
        return self._named(Role.KEY) or (RECORD,)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that hold amounts."""
        return self._named(Role.VALUE)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns that are sent along."""
        return self._named(Role.ATTRIBUTE)

    @property
    def constants(self) -> dict[str, str]:
        """The columns that are the same in every line, with their text."""
        return {column.name: column.constant for column in self.columns if column.constant is not None}

    @property
    def sources(self) -> tuple[FileColumn, ...]:
        """The columns that come from rows."""
        return tuple(column for column in self.columns if column.role is not Role.CONSTANT)

    @property
    def csv(self) -> dict[str, str | None]:
        """The columns for a CSV sink."""
        return {column.name: column.constant for column in self.columns}

    def _named(self, role: Role) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.role is role)


def cell_scope(plan: LoadPlan, period_key: str) -> CellScope:
    """Return whose accepted cells a plan changes: a list has one set, cells have one per period."""
    of_period = plan.dataset in PERIOD_DATASETS or any(_is_time(plan, source) for source in plan.columns.values())
    return CellScope(flow=plan.flow, import_name=plan.import_name, period=period_key if of_period else "")


def layout(plan: LoadPlan, period: Period, types: Mapping[str, pa.DataType]) -> Layout:
    """Say what each column of a plan's file is.

    :param types: the columns that the rows have, after a transform if there is one.
    :raises ConfigurationError: when the plan contradicts itself.
    :raises SchemaDriftError: when the rows lack a column or hold a float.
    """
    _check_names(plan)
    columns = tuple(_file_column(plan, name, source, period, types) for name, source in plan.columns.items())
    roles = {column.role for column in columns}
    if roles == {Role.CONSTANT}:
        raise ConfigurationError(f"The file for {plan.import_name} has constants only.")
    if plan.group_by and Role.KEY not in roles:
        raise ConfigurationError(f"The group_by of {plan.import_name} has no column of the rows in it, only constants.")
    measure = "amount" if plan.dataset in PERIOD_DATASETS else ""
    return Layout(columns, measure if measure in types else "", _parent(plan, types))


def _check_names(plan: LoadPlan) -> None:
    folded = {name.casefold() for name in plan.columns}
    if len(folded) != len(plan.columns):
        raise ConfigurationError(f"Two columns of the file for {plan.import_name} differ in upper and lower case only.")
    named = (*plan.group_by, *plan.crosswalks, *plan.members)
    unknown = sorted({name for name in named if name not in plan.columns})
    if unknown:
        raise ConfigurationError(
            f"The file for {plan.import_name} has no column {unknown[0]!r}; it has {', '.join(plan.columns)}."
        )


def _is_time(plan: LoadPlan, source: Source) -> bool:
    """Say whether a column names the run's period, not a period that each row has of its own."""
    own = plan.dataset not in PERIOD_DATASETS and TIME_COLUMN in (column.name for column in COLUMNS[plan.dataset])
    return source.column == TIME_COLUMN and not own


def _file_column(
    plan: LoadPlan, name: str, source: Source, period: Period, types: Mapping[str, pa.DataType]
) -> FileColumn:
    if source.constant is not None:
        return FileColumn(name, Role.CONSTANT, constant=source.constant)
    if _is_time(plan, source):
        return FileColumn(name, Role.CONSTANT, constant=_time_member(plan, name, period))
    if source.column not in types:
        raise SchemaDriftError(
            f"The column {name} of {plan.import_name} needs {source.column!r}, which the rows do not have.",
            hint=f"They have: {', '.join(sorted(types))}.",
        )
    return FileColumn(name, _role(plan, name, source.column, types[source.column]), source.column)


def _time_member(plan: LoadPlan, name: str, period: Period) -> str:
    """Name the period as the model does: by the crosswalk of period keys if there is one, else by the format."""
    if name not in plan.crosswalks:
        return format_period(period, plan.time_format)
    hit = plan.crosswalks[name].lookup(period.key, period.end)
    if hit is None:
        raise ConfigurationError(f"The code book {plan.crosswalks[name].name} has no member for {period.key}.")
    return hit.member


def _role(plan: LoadPlan, name: str, source: str, kind: pa.DataType) -> Role:
    if pa.types.is_floating(kind):
        raise SchemaDriftError(
            f"The column {source} is a float, which does not hold amounts exactly.",
            hint="Keep decimals in the transform; Arrow-backed columns do.",
        )
    amount = pa.types.is_decimal(kind)
    if not plan.group_by:
        key = source == "record_id"
        return Role.KEY if key else Role.VALUE if amount else Role.ATTRIBUTE
    if name in plan.group_by:
        return Role.KEY
    if amount or pa.types.is_integer(kind):
        return Role.VALUE
    raise ConfigurationError(
        f"The column {name} of {plan.import_name} is neither in group_by nor an amount, so it has no one text per cell."
    )


def _parent(plan: LoadPlan, types: Mapping[str, pa.DataType]) -> str:
    """Return the column that names the parent, in a dataset where members have one."""
    if plan.group_by or "parent" not in types:
        return ""
    return next((name for name, source in plan.columns.items() if source.column == "parent"), "")
