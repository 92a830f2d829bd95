# SPDX-License-Identifier: Apache-2.0
"""What the pipeline is asked to do, free of files and of Airflow: a flow file is turned into these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from airflow_provider_mlconnector.finance.crosswalk import Crosswalk
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind

PRESENT = "present"
"""Column that every record has: 1, and 0 once the ledger has it no more."""


class Sign(StrEnum):
    """``LEDGER`` is debit minus credit; ``NATURAL`` turns the sign of credit-natured accounts."""

    LEDGER = "ledger"
    NATURAL = "natural"


class Match(StrEnum):
    """By what the import recognises a member."""

    CODE = "code"
    NAME = "name"


class Send(StrEnum):
    """``TOUCHED`` sends changed cells; ``PERIOD`` sends all, for an import that clears its target first."""

    TOUCHED = "touched"
    PERIOD = "period"


class Shape(StrEnum):
    """``CELLS`` are totals by group; ``RECORDS`` are rows of a list keyed by the ERP's id."""

    CELLS = "cells"
    RECORDS = "records"


class Unmapped(StrEnum):
    """What becomes of a row that does not map."""

    QUARANTINE = "quarantine"
    FAIL = "fail"


class ReadMode(StrEnum):
    """``WHOLE`` reads the period whole and sends every cell; ``CHANGES`` goes from the watermark."""

    WHOLE = "whole"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column of the import file comes from: a column of the dataset, or a constant."""

    column: str = ""
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many rejected rows are still a success; a share is a fraction of the rows sent."""

    rows: int = 0
    share: float = 0.0

    def allows(self, rejected: int, sent: int) -> bool:
        """Say whether a load with that many rejected rows may stand."""
        return rejected <= max(self.rows, int(self.share * sent))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which journal lines are actuals; what is left out is counted and reported."""

    kinds: frozenset[EntryKind] = frozenset({EntryKind.NORMAL, EntryKind.ADJUSTING})
    ledger: str | None = None
    include_plan_documents: bool = False
    include_statistical: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """The Anaplan model that a flow loads, by names or ids as its author wrote them."""

    conn_id: str
    workspace: str
    model: str


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """One dataset out of an ERP, for all the imports that it feeds.

    :param dimensions: codes of the dimensions to read with it, one column ``dimension.<CODE>`` each.
    :param imports: the imports as their load plans name them; changes are read from the oldest of their watermarks.
    """

    flow: str
    company: str
    dataset: Dataset
    dimensions: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One dataset into one import.

    :param flow: name of the flow; with ``import_name`` and the period it names the accepted cells.
    :param columns: header of the import file in order, and where each column comes from.
    :param group_by: file columns that make the cell's address; empty for a file of one line per row.
    :param crosswalks: by file column, the code book that turns ERP codes into members.
    :param only: by column of the dataset, the one value that is loaded, such as the dimension of the cost centres.
    :param members: by file column, the list that its values must be members of; checked before a file is made.
    :param time_format: how the model names a period, such as ``MMM yy``.
    :param transform: dotted name of a function on a pandas DataFrame, or "".
    :param check: saved view that reconcile reads back, or "".
    :param mapping: values for an import's mapping parameters, by dimension.
    :param delete: delete action of the model that removes records that are gone, or "": then they stay, set to 0.
    :param extra: rows of the import file that no ERP row stands behind, such as the member ``NONE`` for a blank cost
        centre; by file column, a column left out is empty. They follow the rows of the book.
    """

    flow: str
    company: str
    dataset: Dataset
    import_name: str
    columns: Mapping[str, Source]
    group_by: tuple[str, ...] = ()
    crosswalks: Mapping[str, Crosswalk] = field(default_factory=dict)
    match: Mapping[str, Match] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    time_format: str = "MMM yy"
    sign: Sign = Sign.LEDGER
    send: Send = Send.TOUCHED
    shape: Shape = Shape.CELLS
    selection: Selection = Selection()
    only: Mapping[str, str] = field(default_factory=dict)
    unmapped: Unmapped = Unmapped.QUARANTINE
    tolerance: Tolerance = Tolerance()
    transform: str = ""
    check: str = ""
    delete: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[Mapping[str, str], ...] = ()
    deadline: timedelta = timedelta(hours=6)
