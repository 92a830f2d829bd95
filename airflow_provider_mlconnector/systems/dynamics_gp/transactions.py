# SPDX-License-Identifier: Apache-2.0
"""Posted transactions: what lists tell of them, and each with its lines by its key.

Both are read straight from the XML of the answers. A period has thousands of transactions, each an answer of its own,
and the objects that are made by the description take longer than the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.finance.money import add_money, format_money
from airflow_provider_mlconnector.systems.dynamics_gp.chart import stamp
from airflow_provider_mlconnector.systems.dynamics_gp.soap import GP, is_nil, is_true, text_of
from airflow_provider_mlconnector.systems.port import Finding, FindingKind

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi

LIST, BY_KEY = "GetGLTransactionList", "GetGLPostedTransactionByKey"
_NOTHING = Decimal(0)
_NEVER = datetime(1900, 1, 1)  # noqa: DTZ001 - stands for no date, as the service writes it


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list tells of a posted transaction; a closed year leaves all of it as it is but the state.

    :param sequence: of a recurring transaction, one number for each time.
    """

    journal: int
    date: datetime
    year: int
    sequence: int
    modified_at: datetime | None
    source: str

    @property
    def name(self) -> str:
        """Return what the transaction is known by."""
        return f"{self.journal}/{self.year}/{self.sequence}"


@dataclass(frozen=True, slots=True)
class GpLine:
    """A posted line; ``number`` is the whole account number.

    :param origin: number of the document that the line came from.
    :param transaction: number, fiscal year and recurring sequence of its transaction, as a key of text.
    """

    transaction: str
    sequence: int
    journal: int
    day: date
    modified_at: datetime | None
    number: str
    description: str
    reference: str
    debit: Decimal
    credit: Decimal
    currency: str
    source: str
    ledger: str
    origin: str = ""

    @property
    def record_id(self) -> str:
        """Return what the line is known by, whatever else of it changes."""
        return f"{self.transaction}/{self.sequence}"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction with its lines.

    :param voided: it was voided before it was posted, is kept as history with its amounts, and moved nothing. What was
        posted cannot be voided: it is reversed by another transaction, and neither of the two is marked.
    """

    voided: bool
    lines: tuple[GpLine, ...]


def list_posted(api: GpApi, criteria: Any) -> list[Listed]:
    """Return what a list tells of posted transactions."""
    return api.soap.read(api.soap.question(LIST, api.context, criteria=criteria), _listed)


def posted_by_key(api: GpApi, transactions: Iterable[Listed]) -> Iterator[Transaction]:
    """Yield transactions that a list told of, each asked for as its turn comes."""
    nothing = dict.fromkeys(("JournalId", "RecurringTransactionSequence", "FiscalYear"), 0)
    key = api.soap.make("GLTransactionPostedKey", Date=_NEVER, **nothing)
    question = api.soap.question(BY_KEY, api.context, key=key)
    for one in transactions:
        question.put("JournalId", str(one.journal))
        question.put("Date", one.date.isoformat())
        question.put("RecurringTransactionSequence", str(one.sequence))
        question.put("FiscalYear", str(one.year))
        yield api.soap.read(question, _transaction)


def lines_by_key(api: GpApi, transactions: Iterable[Listed]) -> Iterator[GpLine]:
    """Yield the lines of transactions, but for those that were voided."""
    for transaction in posted_by_key(api, transactions):
        if not transaction.voided:
            yield from transaction.lines


def finding_of_voided(lines: Sequence[GpLine]) -> Finding:
    """Return what is reported of a voided transaction, by its lines."""
    debits = format_money(add_money(line.debit for line in lines))
    detail = f"{debits} of {lines[0].day} was voided before it was posted, and left out"
    return Finding(FindingKind.NOT_POSTED, f"journal {lines[0].journal}", detail)


def _listed(result: Any) -> list[Listed]:
    return [] if result is None else [_told(row) for row in _rows(result, f"{GP}GLTransactionSummary")]


def _rows(element: Any, path: str) -> Iterator[Any]:
    return (row for row in element.iterfind(path) if not is_nil(row))


def _told(row: Any) -> Listed:
    """Read what summaries and whole transactions have in common."""
    return Listed(
        journal=int(text_of(row, "Key", "JournalId")),
        date=datetime.fromisoformat(text_of(row, "Key", "Date")),
        year=int(text_of(row, "Key", "FiscalYear")),
        sequence=int(text_of(row, "Key", "RecurringTransactionSequence")),
        modified_at=_moment(text_of(row, "ModifiedDate")),
        source=text_of(row, "SourceDocumentKey", "Id"),
    )


def _transaction(result: Any) -> Transaction:
    if result is None:
        raise ValueError("no transaction")
    told = _told(result)
    common = {
        "transaction": told.name,
        "journal": told.journal,
        "day": told.date.date(),
        "modified_at": told.modified_at,
        "reference": text_of(result, "Reference"),
        "currency": text_of(result, "CurrencyKey", "ISOCode"),
        "source": told.source,
        "ledger": text_of(result, "LedgerType") or "Base",
    }
    lines = tuple(_line(row, common) for row in _rows(result, f"{GP}Lines/{GP}GLTransactionLine"))
    return Transaction(is_true(text_of(result, "IsVoided")), lines)


def _line(row: Any, common: dict[str, Any]) -> GpLine:
    number = text_of(row, "GLAccountKey", "Id")
    if not number:
        raise ValueError("a line without an account")
    return GpLine(
        sequence=int(text_of(row, "Key", "SequenceNumber")),
        number=number,
        description=text_of(row, "Description"),
        debit=_amount(row, "DebitAmount"),
        credit=_amount(row, "CreditAmount"),
        origin=text_of(row, "OriginatingDocument", "Id"),
        **common,
    )


def _amount(row: Any, name: str) -> Decimal:
    """Read an amount; one that is not there is none, but one without a value is an error."""
    amount = row.find(GP + name)
    return _NOTHING if amount is None or is_nil(amount) else Decimal(text_of(amount, "Value"))


def _moment(text: str) -> datetime | None:
    return stamp(datetime.fromisoformat(text)) if text else None
