# SPDX-License-Identifier: Apache-2.0
"""What the way back is asked to do, free of files and of Airflow: a plan of a flow file is turned into this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from airflow_provider_mlconnector.finance.grouping import Place
from airflow_provider_mlconnector.finance.inverse import Inverse
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.plan import Match, Sign, Source

PERIOD = "period"
AMOUNT = "amount"
VERSION = "version"
"""What a column of the export can be, beside an account and dimensions."""


class PostingDay(StrEnum):
    """The day of a period on which its journals are posted."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class MemberList:
    """How the texts of a column name members: the list that they are of, and what a code book calls them by."""

    list_name: str
    match: Match = Match.CODE


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """One export of a model into drafts of one company.

    :param name: of the plan; with flow, company, version and period it names the documents.
    :param export: name or id of the export action.
    :param columns: by column of the exported file, what it is: ``account``, ``dimension.<CODE>``, ``period``,
        ``amount``, ``version``, or a constant that a line must have to be meant.
    :param inverses: by column, the code book of the close, read backwards; a column without one holds the ERP's codes.
    :param members: by column, the list whose members it names.
    :param each: columns of which each text gets journals of its own.
    :param batch: name of the batch or journal in the ledger.
    :param description: of journals and lines; ``{version}``, ``{period}`` and ``{plan}`` are filled in.
    :param lines: how many lines a journal has at most.
    :param places: decimals of the company's currency.
    """

    flow: str
    name: str
    company: str
    export: str
    columns: Mapping[str, Source]
    batch: str
    inverses: Mapping[str, Inverse] = field(default_factory=dict)
    members: Mapping[str, MemberList] = field(default_factory=dict)
    each: tuple[str, ...] = ()
    time_format: str = "MMM yy"
    sign: Sign = Sign.LEDGER
    description: str = "{version} {period}"
    posting_day: PostingDay = PostingDay.LAST
    balancing: Place | None = None
    lines: int = 1000
    places: int = 2
    deadline: timedelta = timedelta(hours=6)

    def from_source(self, source: str) -> tuple[str, ...]:
        """Return the columns of the export that are one thing, such as ``amount``."""
        return tuple(name for name, of in self.columns.items() if of.constant is None and of.column == source)

    def posting_date(self, period: Period) -> date:
        """Return the day on which a period's journals are posted."""
        return period.start if self.posting_day is PostingDay.FIRST else period.end
