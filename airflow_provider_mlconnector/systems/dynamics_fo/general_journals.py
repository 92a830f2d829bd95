# SPDX-License-Identifier: Apache-2.0
"""General journals as they stand: their names, those that wait to be posted, and documents that were posted from one.

A document's key is its journal's description, and the document number of every line, which posting hands on to the
general ledger. So it is found when a person renamed the journal, and when a clean-up removed it after it was posted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX
from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company
from airflow_provider_mlconnector.systems.dynamics_fo.journal import Journal as PostedJournals
from airflow_provider_mlconnector.systems.dynamics_fo.names import day_of
from airflow_provider_mlconnector.systems.dynamics_fo.resources import Resource
from airflow_provider_mlconnector.systems.http.json_rows import fields_of
from airflow_provider_mlconnector.systems.http.keyset import literal

JOURNAL_NAMES = Resource(
    "JournalNames",
    fields_of(
        "dataAreaId:t! Name:t! Type:t! PostingLayer:t! NewVoucher:t IsApprovalActive:t IsWorkflowApprovalActive:t "
        "PostingLineLimit:i OffsetAccountDisplayValue:t"
    ),
    order="dataAreaId,Name",
)
JOURNALS = Resource(
    "LedgerJournalHeaders",
    fields_of(
        "@odata.etag:t dataAreaId:t! JournalBatchNumber:t! JournalName:t! Description:t! PostingLayer:t! IsPosted:t! "
        "JournalTotalDebit:m JournalTotalCredit:m"
    ),
    order="dataAreaId,JournalBatchNumber",
)
JOURNAL_LINES = Resource(
    "LedgerJournalLines",
    fields_of(
        "@odata.etag:t dataAreaId:t! JournalBatchNumber:t! LineNumber:m! Voucher:t TransDate:s! AccountType:t! "
        "AccountDisplayValue:t! OffsetAccountDisplayValue:t DebitAmount:m! CreditAmount:m! CurrencyCode:t! Text:t "
        "Document:t"
    ),
    order="dataAreaId,JournalBatchNumber,LineNumber",
)

Values = Mapping[str, Any]
"""What a record holds, by the names of the wire; dates as dates, amounts exact."""


@dataclass(frozen=True, slots=True)
class StandingLine:
    """A line of a journal; ``etag`` names its version."""

    number: Decimal
    etag: str
    values: Values

    @property
    def amount(self) -> Decimal:
        """Debit minus credit."""
        amount: Decimal = self.values["DebitAmount"] - self.values["CreditAmount"]
        return amount


@dataclass(frozen=True, slots=True)
class StandingJournal:
    """A journal with its lines, in order of their numbers.

    :param totals: debit and credit as the environment added them up; 0 and 0 where it did not.
    """

    number: str
    etag: str
    name: str
    description: str
    layer: str
    posted: bool
    totals: tuple[Decimal, Decimal]
    lines: tuple[StandingLine, ...]


def standing_journals(api: FinanceOperationsApi, company: str, key: str) -> list[StandingJournal]:
    """Return the journals of a document, posted ones too, by their numbers: by its description, or by its lines."""
    ours = f"dataAreaId eq {literal(company)}"
    headers = api.rows(JOURNALS, [], where=f"{ours} and Description eq {literal(key)}")
    if not headers:
        lines = api.rows(JOURNAL_LINES, [], where=f"{ours} and Document eq {literal(key)}")
        numbers = sorted({row["JournalBatchNumber"] for row in lines})
        headers = [row for number in numbers for row in api.rows(JOURNALS, [], where=_is(company, number))]
    return [_standing(row, _lines_of(api, company, row["JournalBatchNumber"])) for row in headers]


def journal_state(api: FinanceOperationsApi, company: str, number: str) -> bool | None:
    """Say whether a journal is posted; None when there is none."""
    found = api.rows(JOURNALS, [], where=_is(company, number))
    return found[0]["IsPosted"] == "Yes" if found else None


def posted_document(
    api: FinanceOperationsApi, company: Company, key: str, codes: Sequence[str]
) -> tuple[str, tuple[JournalLine, ...]] | None:
    """Return voucher and lines of what the general ledger holds of a document; None when it holds nothing."""
    where = f"{company.posted} and {company.headers.field('DocumentNumber')} eq {literal(key)}"
    if not api.count(company.headers, where):
        return None
    posted = PostedJournals(api, company, lambda day: None, codes)
    rows = [row for batch in posted.read([where], []) for row in batch.to_pylist()]
    return rows[0]["document"], tuple(_posted_lines(rows, codes))


def _posted_lines(rows: Sequence[Values], codes: Sequence[str]) -> Iterator[JournalLine]:
    for number, row in enumerate(rows, start=1):
        values = {code: row[DIMENSION_PREFIX + code] for code in codes}
        dimensions = tuple(sorted((code, value) for code, value in values.items() if value))
        yield JournalLine(number=number, account=row["account"], dimensions=dimensions, amount=row["amount"])


def _is(company: str, number: str) -> str:
    return f"dataAreaId eq {literal(company)} and JournalBatchNumber eq {literal(number)}"


def _lines_of(api: FinanceOperationsApi, company: str, number: str) -> list[StandingLine]:
    rows = api.rows(JOURNAL_LINES, [], where=_is(company, number))
    return sorted((_standing_line(row) for row in rows), key=lambda line: line.number)


def _standing_line(row: Values) -> StandingLine:
    values: dict[str, Any] = {name: "" if value is None else value for name, value in row.items()}
    values["TransDate"] = day_of(values["TransDate"])
    return StandingLine(values["LineNumber"].normalize(), values["@odata.etag"], values)


def _standing(row: Values, lines: Sequence[StandingLine]) -> StandingJournal:
    return StandingJournal(
        number=row["JournalBatchNumber"],
        etag=row["@odata.etag"] or "",
        name=row["JournalName"],
        description=row["Description"],
        layer=row["PostingLayer"],
        posted=row["IsPosted"] == "Yes",
        totals=(row["JournalTotalDebit"] or Decimal(0), row["JournalTotalCredit"] or Decimal(0)),
        lines=tuple(lines),
    )
