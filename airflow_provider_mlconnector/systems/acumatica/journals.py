# SPDX-License-Identifier: Apache-2.0
"""Journal lines: the details of the posted batches of one ledger, in base currency.

The period of a line is the one that its batch was posted to, whatever its date. A batch tells its amounts in its own
currency; where that is not the ledger's, the account details of the period tell what was posted (form GL404001). A
year's end has no journal here, so there are no closing entries; balances brought forward look like any other journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError, DataError
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.finance.money import add_money, exact_money
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.base_amounts import BaseAmounts
from airflow_provider_mlconnector.systems.acumatica.company import Company, PostPeriod, parse_post_period
from airflow_provider_mlconnector.systems.acumatica.draft_records import is_plan_journal
from airflow_provider_mlconnector.systems.acumatica.entities import JOURNALS, Journal, JournalLine
from airflow_provider_mlconnector.systems.acumatica.lists import ListReader, all_of
from airflow_provider_mlconnector.systems.acumatica.wrapped import day, literal, stamp
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

POSTED = "Posted"
BRANCH, PROJECT = "BRANCH", "PROJECT"
"""Dimensions that a line tells beside those of its subaccount."""

ZERO = Decimal(0)


def read_lines(api: AcumaticaApi, company: Company, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a period, of all, or of single records.

    :raises CapabilityError: for a dimension that lines do not have.
    """
    reading.resource = JOURNALS.name
    check_dimensions(api, scope.dimensions)
    posts = company.posted_to(scope.period) if scope.period else ()
    reader = ListReader(api, JOURNALS, reading.findings)
    if scope.records:
        keys = sorted({tuple(record.split("/")[:2]) for record in scope.records})
        portions = reader.of_keys(keys)
    else:
        portions = reader.read(_where(company.ledger_id, posts, scope.since))
    writer = _Lines(api, company, scope)
    for journals in portions:
        yield writer.batch([journal for journal in journals if _counts(journal, company.ledger_id, posts)])


def check_dimensions(api: AcumaticaApi, dimensions: Sequence[str]) -> None:
    """See that lines tell the dimensions that are named.

    :raises CapabilityError: lists those that they tell.
    """
    known = (*api.connection.segments.names, BRANCH, PROJECT)
    strange = [name for name in dimensions if name not in known]
    if strange:
        raise CapabilityError(
            f"Lines of Acumatica have no dimension {', '.join(strange)}; they have {', '.join(known)}.",
            hint="Name the segments of the subaccounts in the connection, such as DEPARTMENT 3, REGION 2.",
        )


class _Lines:
    """Makes rows of journals."""

    def __init__(self, api: AcumaticaApi, company: Company, scope: Scope) -> None:
        self._connection = api.connection
        self._company = company
        self._scope = scope
        self._base = BaseAmounts(api, company.ledger_id)
        self._currency = company.ledger.Currency.value or ""

    def batch(self, journals: Sequence[Journal]) -> pa.RecordBatch:
        """Return the lines of journals that are the branch's."""
        rows = [row for journal in journals for row in self._rows(journal)]
        names = rows[0].keys() if rows else ("record_id",)
        columns = {name: [row[name] for row in rows] for name in names}
        dimensions = {name: [self._dimension(name, row["line"]) for row in rows] for name in self._scope.dimensions}
        columns.pop("line", None)
        return canonical_batch(Dataset.JOURNAL_LINES, columns, dimensions=dimensions)

    def _rows(self, journal: Journal) -> Iterator[dict[str, Any]]:
        document = f"{journal.Module.value} {journal.BatchNbr.value}"
        period, adjusting = self._company.key_of(journal.PostPeriod.value or "")
        shared = {
            "document": document,
            "modified_at": stamp(journal.LastModifiedDateTime),
            "posting_date": day(journal.TransactionDate),
            "period": period,
            "currency": journal.CurrencyID.value,
            "kind": (EntryKind.ADJUSTING if adjusting else EntryKind.NORMAL).value,
            "ledger": journal.LedgerID.value,
            "source": journal.Module.value,
            "statistical": False,
            "plan_document": is_plan_journal(journal.Description.value or ""),
        }
        for line, (debit, credit) in zip(journal.Details, self._amounts(journal), strict=True):
            if self._connection.branch and line.BranchID.value not in (None, self._connection.branch):
                continue
            yield {
                **shared,
                "line": line,
                "record_id": f"{journal.Module.value}/{journal.BatchNbr.value}/{line.LineNbr.value}",
                "account": line.Account.value,
                "description": line.TransactionDescription.value,
                "external_document": line.ReferenceNbr.value,
                "debit": exact_money(debit),
                "credit": exact_money(credit),
                "amount": exact_money(_less(debit, credit)),
                "currency_amount": exact_money(_less(line.DebitAmount.value or ZERO, line.CreditAmount.value or ZERO)),
            }

    def _amounts(self, journal: Journal) -> list[tuple[Decimal, Decimal]]:
        """Return debit and credit of each line in base currency."""
        if journal.CurrencyID.value not in (None, self._currency):
            return self._base.of(journal)
        return [(line.DebitAmount.value or ZERO, line.CreditAmount.value or ZERO) for line in journal.Details]

    def _dimension(self, name: str, line: JournalLine) -> str:
        if name == BRANCH:
            return line.BranchID.value or ""
        if name == PROJECT:
            return line.Project.value or ""
        return self._connection.segments.value(name, line.Subaccount.value or "")


def _where(ledger: str, posts: Sequence[PostPeriod], since: datetime | None) -> str:
    periods = " or ".join(f"PostPeriod eq {literal(post.code)}" for post in posts)
    return all_of(
        f"({periods})" if len(posts) > 1 else periods,
        f"LedgerID eq {literal(ledger)}",
        f"Status eq {literal(POSTED)}",
        f"LastModifiedDateTime ge {literal(since)}" if since else "",
    )


def _counts(journal: Journal, ledger: str, posts: Sequence[PostPeriod]) -> bool:
    """Say whether a journal is one of those that were asked for; one that was asked for by its keys may be another."""
    if journal.PostPeriod.value is None:
        raise DataError(f"Batch {journal.Module.value} {journal.BatchNbr.value} has no period.")
    posted_to = parse_post_period(journal.PostPeriod.value)
    within = not posts or posted_to in [(post.year, post.number) for post in posts]
    return within and journal.LedgerID.value == ledger


def _less(one: Decimal, other: Decimal) -> Decimal:
    return add_money([one, other.copy_negate()])
