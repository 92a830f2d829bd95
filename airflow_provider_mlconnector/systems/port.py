# SPDX-License-Identifier: Apache-2.0
"""The few questions that every ERP answers. What it cannot do it says in its capabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.finance.periods import Period

if TYPE_CHECKING:
    import pyarrow as pa


class FindingKind(StrEnum):
    """What a read may have to report besides its rows."""

    COLUMN_NEW = "column_new"
    COLUMN_MISSING = "column_missing"
    COLUMN_RETYPED = "column_retyped"
    DIMENSIONS_UNKNOWN = "dimensions_unknown"
    ROW_INVALID = "row_invalid"
    FALLBACK = "fallback"
    NOT_POSTED = "not_posted"
    PLAN_DRAFT = "plan_draft"
    """A draft of a plan, known by its key, that waits for a person to post it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know about a read; ``subject`` is the column, record or resource."""

    kind: FindingKind
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What to read: a company, the whole of a period, what changed in it since a watermark, or some of its records.

    :param period: None for datasets that have no period.
    :param since: read only rows modified at or after this moment; None reads whole.
    :param dimensions: codes of the dimensions to flatten into ``dimension.<CODE>`` columns.
    :param records: read only the records of these ids, whenever they were modified; empty reads all. Only where
        :attr:`DatasetCapability.by_record` says so.
    """

    period: Period | None = None
    since: datetime | None = None
    dimensions: tuple[str, ...] = ()
    records: tuple[str, ...] = ()


@dataclass(slots=True)
class Reading:
    """A read under way: iterate ``batches`` to the end, then look at the rest.

    :param resource: the ERP's own name of what is read, for the trail.
    :param cursor: largest modified stamp seen; complete once ``batches`` is exhausted.
    :param announced: how many rows the server counted for this read before it gave the first one; None where it was not
        asked. Rows may be added meanwhile, so more may come, but never fewer.
    """

    batches: Iterator[pa.RecordBatch]
    resource: str = ""
    findings: list[Finding] = field(default_factory=list)
    requests: int = 0
    cursor: datetime | None = None
    announced: int | None = None


def added(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the exact sums per account of two movements."""
    return {name: add_money(by[name] for by in (one, other) if name in by) for name in {**one, **other}}


@dataclass(frozen=True, slots=True)
class PeriodTotals:
    """The ERP's own figures of a period, from another source than the lines; None where it has none.

    :param count: number of journal lines.
    :param by_account: debit minus credit posted in the period, per account.
    :param source: where each figure comes from, for the reconcile table.
    :param closing: what of that a year's closing entries moved, where the account balances do not hold it.
    """

    count: int | None
    by_account: Mapping[str, Decimal] | None
    source: str
    closing: Mapping[str, Decimal] = field(default_factory=dict)

    def of_balances(self) -> PeriodTotals:
        """Return the figures that account balances have to agree with."""
        if self.by_account is None or not self.closing:
            return self
        taken_off = {account: amount.copy_negate() for account, amount in self.closing.items()}
        return replace(self, by_account=added(self.by_account, taken_off), closing={})


class PeriodStatus(StrEnum):
    """Whether a person may post into a period."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DatasetCapability:
    """How one dataset can be read.

    :param incremental: there is a modified stamp to read from.
    :param by_period: the server can be asked for one period.
    :param dimensions: its rows carry dimensions, as columns ``dimension.<CODE>``.
    :param by_record: the server can be asked for single records by their ids.
    :param ledgers: its rows tell the ledger or posting layer that they were posted to.
    """

    incremental: bool
    by_period: bool
    dimensions: bool = False
    by_record: bool = False
    ledgers: bool = False


AS_IT_STANDS = DatasetCapability(incremental=False, by_period=False)
"""A dataset without periods whose rows tell nothing of their changes: it is read whole."""

OF_A_PERIOD = DatasetCapability(incremental=False, by_period=True)
"""A dataset of which one period is read, always whole."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an ERP can do.

    :param overlap: how far behind its watermark an incremental read starts.
    :param title: the ERP's name as people say it.
    :param readers: how many reads may go on side by side over one connection; each has one request on its way.
    :param actual_ledger: the ledger, or posting layer, of what happened, where lines of others come along with it.
    :param drafts_journals: whether journals can be written to it, for a person to post.
    :param draft_options: names of what can be said about its journals alone, in a flow's ``journal: options``.
    :param setup_checks: datasets of which it says what it would make of a record, without making it.
    """

    datasets: Mapping[Dataset, DatasetCapability]
    overlap: timedelta = timedelta(minutes=10)
    title: str = "The ERP"
    readers: int = 5
    actual_ledger: str | None = None
    drafts_journals: bool = False
    draft_options: tuple[str, ...] = ()
    setup_checks: tuple[Dataset, ...] = ()

    def refusal(self, dataset: Dataset, *, dimensions: bool = False, ledger: bool = False) -> str:
        """Return why a dataset, with dimensions or of one ledger, cannot be read, as a sentence; "" when it can."""
        if dataset not in self.datasets:
            return f"{self.title} cannot be read for {dataset}; it has {', '.join(self.datasets)}."
        if dimensions and not self.datasets[dataset].dimensions:
            return f"{self.title} keeps no dimensions on {dataset}."
        if ledger and not self.datasets[dataset].ledgers:
            return f"{self.title} keeps no ledgers or posting layers on {dataset}."
        return ""

    def drafts_refusal(self) -> str:
        """Return why no plan can be written to it, as a sentence; "" when one can."""
        return "" if self.drafts_journals else f"{self.title} takes no drafts from a plan."

    def setup_refusal(self, dataset: Dataset) -> str:
        """Return why it cannot be asked what it would make of a dataset's records, as a sentence; "" when it can."""
        if dataset in self.setup_checks:
            return ""
        return f"{self.title} has no setup object that checks {dataset} without changing them; leave out 'setup'."


@dataclass(frozen=True, slots=True)
class Health:
    """A human sentence about a system, and what it says of itself.

    :param server_time: the server's clock, where its answer tells it.
    """

    ok: bool
    sentence: str
    server_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A field of a connection that decides how a server is spoken to, and what this server speaks.

    :param field: the field, by its label in the connection's form.
    :param fits: whether the server speaks what the field says.
    :param sentence: what the server speaks.
    :param advice: which field to set, and to what; "" where everything is right. Beside ``fits`` it is worth a thought.
    """

    field: str
    fits: bool
    sentence: str
    advice: str = ""


class Erp(Protocol):
    """A ledger that can be read. One object per company and task; not shared between threads unless it says so."""

    capabilities: Capabilities

    def ping(self) -> Health:
        """Log in and find the company, in one or two requests."""

    def choices(self) -> Iterator[Choice]:
        """Ask the server which of the connection's choices it speaks, by some small requests that change nothing.

        What depends on a choice that does not fit is not asked any more.

        :raises MlconnectorError: when it cannot be asked at all, as with a wrong password.
        """

    def read(self, dataset: Dataset, scope: Scope) -> Reading:
        """Read a dataset as canonical record batches.

        :raises CapabilityError: for a dataset or dimension that the ERP does not have.
        :raises SchemaDriftError: when a needed column is missing or has another type.
        """

    def period_totals(self, period: Period) -> PeriodTotals:
        """Ask the server for its own count and totals of a period, not by reading the lines."""

    def period_status(self, period: Period) -> PeriodStatus:
        """Say whether the period is open in the ledger."""

    def close(self) -> None:
        """Log off and release connections."""
