# SPDX-License-Identifier: Apache-2.0
"""What stands in a flow file, key by key. What the keys mean together is checked in ``checks``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

from airflow_provider_mlconnector.finance.datasets import (
    COLUMNS,
    DIMENSION_PREFIX,
    PERIOD_DATASETS,
    Dataset,
    EntryKind,
    Type,
)
from airflow_provider_mlconnector.finance.schedule import Schedule
from airflow_provider_mlconnector.finance.server_hours import ServerHours
from airflow_provider_mlconnector.finance.time_words import Span
from airflow_provider_mlconnector.finance.yaml_models import Strict
from airflow_provider_mlconnector.flows.compare_spec import CompareSpec
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.plan_spec import Name, PlanSpec, Texts
from airflow_provider_mlconnector.pipeline.plan import (
    Match,
    Selection,
    Send,
    Shape,
    Sign,
    Source,
    Tolerance,
    Unmapped,
)

PERIOD_COLUMN = "period"
"""Source of a column that names the fiscal period, in the words of the model."""

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")


def parse_tolerance(value: object) -> Tolerance:
    """Read how many rejected rows are tolerated: ``5`` rows, or ``0.5%`` of the rows sent.

    :raises ValueError: when it is neither.
    """
    if isinstance(value, Tolerance):
        return value
    if str(value).isdecimal():
        return Tolerance(rows=int(str(value)))
    percent = _PERCENT.fullmatch(str(value))
    if percent is None or float(percent[1]) > 100:
        raise ValueError(f"'{value}' is no tolerance; write a number of rows such as 5, or a share such as 0.5%")
    return Tolerance(share=float(percent[1]) / 100)


def _format_tolerance(tolerance: Tolerance) -> str:
    return f"{tolerance.share * 100:g}%" if tolerance.share else str(tolerance.rows)


class LatePostings(StrEnum):
    """What becomes of lines that are posted to a period after its last load: told, loaded too, or not looked for."""

    REPORT = "report"
    RELOAD = "reload"
    IGNORE = "ignore"


class ErpSpec(Strict):
    """The ledger that is read.

    :param conn_id: Airflow connection to it.
    :param company: name or id of the company in it.
    :param hours: when it may be read; a run outside waits for them, holding no worker.
    """

    system: System
    conn_id: Name
    company: Name
    hours: ServerHours | None = None


class ModelSpec(Strict):
    """The Anaplan model that is loaded; workspace and model by name or id.

    :param pool: Airflow pool for all tasks that work on the model, instead of the one named after it.
    """

    conn_id: Name
    workspace: Name
    model: Name
    pool: Name | None = None


class TimeSpec(Strict):
    """How the model names a period.

    :param format: pattern as in :func:`~airflow_provider_mlconnector.finance.periods.format_period`.
    """

    format: Name = "MMM yy"


class RejectsSpec(Strict):
    """How many rows the import may reject before the load counts as failed."""

    tolerate: Annotated[
        Tolerance,
        BeforeValidator(parse_tolerance),
        PlainSerializer(_format_tolerance, return_type=str),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[\d.]+\s*%?$"}]}),
    ] = Tolerance()


class ActualsSpec(Strict):
    """Which journal lines are actuals; what is left out is counted and reported.

    :param kinds: why a line was posted.
    :param ledger: the one ledger or posting layer to load; None: the ERP's actual one.
    :param include_plan_documents: load the journals too that this provider wrote from a plan.
    :param include_statistical: load statistical accounts too, which are not money.
    """

    kinds: tuple[EntryKind, ...] = Field(default=(EntryKind.NORMAL, EntryKind.ADJUSTING), min_length=1)
    ledger: Name | None = None
    include_plan_documents: bool = False
    include_statistical: bool = False

    @property
    def selection(self) -> Selection:
        """The same for the pipeline."""
        return Selection(frozenset(self.kinds), self.ledger, self.include_plan_documents, self.include_statistical)


class LoadSpec(Strict):
    """One dataset into one import action.

    :param import_name: name or id of the import action.
    :param columns: header of the import file in order; by column, where its text comes from: a column of the dataset,
        ``dimension.<CODE>``, ``period``, or ``=Text`` for the same text in every line.
    :param group_by: columns that address a cell; all that are neither amounts nor constants unless given.
    :param match: by column, whether the import recognises its members by code or by name.
    :param members: by column, the list that its texts must be members of.
    :param crosswalk: by column, the file of the code book that turns its codes into members.
    :param only: by column of the dataset, the one value that is loaded.
    :param add: lines of the file that no row of the ledger stands behind; by column, its text.
    :param check: saved view that is read back after the load, to compare the model with the books.
    :param delete: delete action that is run when records are gone, by what the import set to 0 of them.
    :param mapping: by dimension, the value of a mapping parameter of the import.
    :param transform: ``package.module:function``, called with a pandas DataFrame of the rows, returns another.
    """

    dataset: Dataset
    import_name: Name = Field(alias="import")
    columns: Texts = Field(min_length=1)
    group_by: tuple[Name, ...] | None = Field(default=None, min_length=1)
    time: TimeSpec | None = None
    match: Mapping[Name, Match] = Field(default={})
    members: Texts = Field(default={})
    crosswalk: Texts = Field(default={})
    only: Texts = Field(default={})
    add: tuple[Mapping[Name, str], ...] = ()
    sign: Sign = Sign.LEDGER
    send: Send = Send.TOUCHED
    shape: Shape | None = None
    actuals: ActualsSpec | None = None
    check: Name | None = None
    delete: Name | None = None
    mapping: Texts = Field(default={})
    unmapped: Unmapped = Unmapped.QUARANTINE
    rejects: RejectsSpec = RejectsSpec()
    transform: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None = None

    @property
    def of_period(self) -> bool:
        """Whether the rows belong to a period; the others are lists of members."""
        return self.dataset in PERIOD_DATASETS

    @property
    def effective_shape(self) -> Shape:
        """Totals by cell for what belongs to a period, and records for lists, unless the file says otherwise."""
        return self.shape or (Shape.CELLS if self.of_period else Shape.RECORDS)

    @property
    def sources(self) -> dict[str, Source]:
        """Where each column of the file comes from."""
        return {name: _source(text) for name, text in self.columns.items()}

    @property
    def constants(self) -> dict[str, str]:
        """The columns with the same text in every line."""
        return {name: source.constant for name, source in self.sources.items() if source.constant is not None}

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The codes of the dimensions that the load needs, sorted."""
        read = {source.column for source in self.sources.values() if source.column.startswith(DIMENSION_PREFIX)}
        codes = {column.removeprefix(DIMENSION_PREFIX) for column in read}
        if self.dataset is Dataset.COST_CENTRES and "dimension" in self.only:
            codes.add(self.only["dimension"])
        return tuple(sorted(codes))

    @property
    def address(self) -> tuple[str, ...]:
        """The columns that address a cell; none for records."""
        if self.effective_shape is Shape.RECORDS:
            return ()
        if self.group_by is not None:
            return self.group_by
        amounts = {column.name for column in COLUMNS[self.dataset] if column.type is Type.MONEY}
        return tuple(name for name, source in self.sources.items() if source.column not in {"", *amounts})


class FlowSpec(Strict):
    """A flow file: one company of one ledger into one model.

    :param calendar: file of the close calendar.
    :param load: what is loaded, in this order: lists before the cells that need their members.
    :param plan: what comes back from the model as drafts, each in a DAG of its own.
    :param compare: lists of the model that are held against the ledger's own, each in a DAG of its own.
    :param queue: Airflow queue of the tasks that talk to the ERP.
    :param executor: Airflow executor of those tasks, where it has several and another one serves the queue.
    :param deadline: how long a load waits for a busy model and its import before it fails.
    :param late_postings: what becomes of journal lines that are posted to a period after its last close event.
    """

    flow: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$")]
    erp: ErpSpec
    anaplan: ModelSpec
    calendar: Name
    schedule: Schedule = Schedule()
    load: tuple[LoadSpec, ...] = Field(min_length=1)
    plan: tuple[PlanSpec, ...] = ()
    compare: tuple[CompareSpec, ...] = ()
    queue: Name | None = None
    executor: Name | None = None
    deadline: Span = timedelta(hours=6)
    late_postings: LatePostings = LatePostings.REPORT

    @property
    def sweeps(self) -> bool:
        """Whether closed periods are asked for late postings: of flows that load lines that can be read by change."""
        if self.late_postings is LatePostings.IGNORE or all(
            one.dataset is not Dataset.JOURNAL_LINES for one in self.load
        ):
            return False
        can = self.erp.system.capabilities.datasets.get(Dataset.JOURNAL_LINES)
        return can is not None and can.incremental and can.by_period


def _source(text: str) -> Source:
    return Source(constant=text[1:]) if text.startswith("=") else Source(column=text)
