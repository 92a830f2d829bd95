# SPDX-License-Identifier: Apache-2.0
"""Journal lines that wait to be posted: the batch that they are in, and those of one document as they stand.

The API shows a batch's lines of general ledger and bank accounts alone, and of the default template's batches alone
unless the template is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.names import decode_name
from airflow_provider_mlconnector.systems.business_central.resources import (
    FINANCE_LINES,
    JOURNAL_LINES,
    JOURNALS,
    LAST_JOURNAL_LINE,
    LINES_EXPANDED,
)
from airflow_provider_mlconnector.systems.http.keyset import literal

GL_ACCOUNT = "G/L Account"


@dataclass(frozen=True, slots=True)
class BatchName:
    """The code of a journal batch, and of its template; "" for the company's default one."""

    code: str
    template: str = ""

    def __str__(self) -> str:
        return f"{self.code} of template {self.template}" if self.template else self.code


@dataclass(frozen=True, slots=True)
class Batch:
    """A journal batch; ``balancing_account`` is "" where it has none."""

    id: str
    balancing_account: str


@dataclass(frozen=True, slots=True)
class StandingLine:
    """A journal line as it stands.

    :param number: its line number in the batch.
    :param reference: its external document number, which tells which line of a journal it is.
    :param dimensions: by code: the dimension's id and the value's code; None where they cannot be read.
    """

    id: str
    etag: str
    number: int
    account_type: str
    account: str
    posting_date: date | None
    document: str
    reference: str
    amount: Decimal
    description: str
    balancing_account: str
    dimensions: Mapping[str, tuple[str, str]] | None

    def as_journal_line(self, number: int) -> JournalLine:
        """Return it as the line of a journal that it is."""
        values = sorted((code, value) for code, (_, value) in (self.dimensions or {}).items())
        return JournalLine(
            number=number,
            account=self.account,
            dimensions=tuple(values),
            amount=self.amount,
            description=self.description,
        )


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted document; ``complete`` when the dimensions of all its lines can be read."""

    number: str
    lines: tuple[JournalLine, ...]
    complete: bool


def find_batch(api: BusinessCentralApi, name: BatchName) -> Batch | None:
    """Return the batch of a name; None when there is none."""
    where = f"code eq {literal(name.code)}"
    if name.template:
        where += f" and templateDisplayName eq {literal(name.template)}"
    found = [row for batch in api.rows(JOURNALS, [], where=where) for row in batch.to_pylist()]
    return Batch(found[0]["id"], found[0]["balancingAccountNumber"] or "") if found else None


def standing_lines(api: BusinessCentralApi, batch: Batch, key: str) -> list[StandingLine]:
    """Return the lines of a document, in order of their numbers: by its number, and by references to it.

    A person may have renumbered the batch's documents; the references stay.
    """
    path = lines_path(api, batch)
    found: dict[str, StandingLine] = {}
    for where in (f"documentNumber eq {literal(key)}", f"startswith(externalDocumentNumber,{literal(key + '-')})"):
        for rows in api.rows(JOURNAL_LINES, [], where=where, path=path):
            found |= {row["id"]: _standing(row) for row in rows.to_pylist()}
    return sorted(found.values(), key=lambda line: line.number)


def last_number(api: BusinessCentralApi, batch: Batch) -> int:
    """Return the largest line number of a batch; 0 when it is empty."""
    pages = api.rows(LAST_JOURNAL_LINE, [], path=lines_path(api, batch))
    return max((int(row["lineNumber"]) for rows in pages for row in rows.to_pylist()), default=0)


def posted_document(api: BusinessCentralApi, key: str, day: date | None) -> Posted | None:
    """Return what was posted of a document; None when nothing was.

    A batch with a number series for posting gives documents other numbers when they are posted. Then the reference of
    the first line tells, where the finance API answers.

    :param day: its posting date, where that is known.
    """
    posted = _entries(api, key, f"documentNumber eq {literal(key)}")
    if posted is not None or not api.offers(FINANCE_LINES):
        return posted
    on_day = f"postingDate eq {day} and " if day else ""
    where = f"{on_day}externalDocumentNumber eq {literal(line_reference(key, 1))}"
    rows = [row for page in api.rows(FINANCE_LINES, [], where=where) for row in page.to_pylist()]
    if not rows:
        return None
    number, posted_on = rows[0]["documentNumber"], rows[0]["postingDate"]
    return _entries(api, number, f"postingDate eq {posted_on} and documentNumber eq {literal(number)}")


def line_reference(key: str, number: int) -> str:
    """Return the external document number of a line of a journal."""
    return f"{key}-{number}"


def lines_path(api: BusinessCentralApi, batch: Batch) -> str:
    """Return the path of a batch's lines."""
    return f"{api.path(JOURNALS)}({batch.id})/{JOURNAL_LINES.name}"


def _standing(row: Mapping[str, Any]) -> StandingLine:
    within = row["dimensionSetLines"]
    return StandingLine(
        id=row["id"],
        etag=row["@odata.etag"],
        number=row["lineNumber"],
        account_type=decode_name(row["accountType"]),
        account=row["accountNumber"] or "",
        posting_date=row["postingDate"],
        document=row["documentNumber"] or "",
        reference=row["externalDocumentNumber"] or "",
        amount=row["amount"],
        description=row["description"] or "",
        balancing_account=row["balancingAccountNumber"] or "",
        dimensions=None if within is None else {one["code"]: (one["id"], one["valueCode"]) for one in within},
    )


def _entries(api: BusinessCentralApi, number: str, where: str) -> Posted | None:
    rows = [row for batch in api.rows(LINES_EXPANDED, [], where=where) for row in batch.to_pylist()]
    if not rows:
        return None
    lines = tuple(_entry(place, row) for place, row in enumerate(rows, start=1))
    return Posted(number, lines, complete=all(row["dimensionSetLines"] is not None for row in rows))


def _entry(number: int, row: Mapping[str, Any]) -> JournalLine:
    values = sorted((one["code"], one["valueCode"]) for one in row["dimensionSetLines"] or ())
    return JournalLine(
        number=number,
        account=row["accountNumber"],
        dimensions=tuple(values),
        amount=row["debitAmount"] - row["creditAmount"],
        description=row["description"] or "",
    )
