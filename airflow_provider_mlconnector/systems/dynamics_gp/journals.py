# SPDX-License-Identifier: Apache-2.0
"""Journal lines: the posted transactions of a period, or what changed in it.

The web services list transactions without their lines, so each one is asked for by its key. A list has no pages: it is
asked for a few days at a time. Transactions of closed years are history and keep their keys, so both states are read.
A transaction has a date and no period; amounts are in the company's own currency, as the context of the calls says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import NotFoundError
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.finance.drafts import is_document_key
from airflow_provider_mlconnector.finance.money import add_money, format_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import KeyOf, canonical_batch
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.chart import list_units, stamp
from airflow_provider_mlconnector.systems.dynamics_gp.formats import check_dimensions
from airflow_provider_mlconnector.systems.dynamics_gp.soap import in_utc, rows_in
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

POSTED, WORK = ("Open", "History"), ("Work",)
"""States of transactions."""

BY_KEY = "GetGLTransactionList, GetGLPostedTransactionByKey"
LINES_PER_BATCH = 5_000
NUMBERS_PER_LIST = 50
_LAST_MOMENT = "T23:59:59"


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


class LineBatches:
    """Makes batches of lines; the account format and the unit accounts are asked for once."""

    def __init__(self, api: GpApi, scope: Scope, key_of: KeyOf) -> None:
        self._api = api
        self._form = api.account_format
        check_dimensions(self._form, scope.dimensions)
        self._dimensions = scope.dimensions
        self._units = {account.number for account in list_units(api)}
        self._key_of = key_of

    def of(self, lines: Iterable[GpLine], reading: Reading) -> Iterator[pa.RecordBatch]:
        """Yield lines as batches; those whose account number has other segments than the format are reported."""
        rest = iter(lines)
        while some := list(islice(rest, LINES_PER_BATCH)):
            yield self._batch(some, reading)

    def _batch(self, lines: Sequence[GpLine], reading: Reading) -> pa.RecordBatch:
        values = [self._form.values(line.number) for line in lines]
        for line, found in zip(lines, values, strict=True):
            if found is None and self._dimensions:
                detail = f"its account {line.number} has other segments than the account format"
                reading.findings.append(Finding(FindingKind.DIMENSIONS_UNKNOWN, line.record_id, detail))
        columns = {
            "record_id": [line.record_id for line in lines],
            "document": [str(line.journal) for line in lines],
            "modified_at": [line.modified_at for line in lines],
            "entry_number": [line.journal for line in lines],
            "posting_date": [line.day for line in lines],
            "period": [self._key_of(line.day) for line in lines],
            "account": [self._form.account(line.number) for line in lines],
            "description": [line.description for line in lines],
            "external_document": [line.reference for line in lines],
            "debit": [line.debit for line in lines],
            "credit": [line.credit for line in lines],
            "amount": [_difference(line) for line in lines],
            "currency": [line.currency for line in lines],
            "kind": [kind_of(self._api, line.source).value for line in lines],
            "ledger": [line.ledger for line in lines],
            "source": [line.source for line in lines],
            "statistical": [line.number in self._units for line in lines],
            "plan_document": [is_document_key(line.reference) or is_document_key(line.origin) for line in lines],
        }
        dimensions = {name: [None if found is None else found[name] for found in values] for name in self._dimensions}
        return canonical_batch(Dataset.JOURNAL_LINES, columns, dimensions=dimensions)


def read_lines(api: GpApi, scope: Scope, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a scope from the web services."""
    reading.resource = BY_KEY
    batches = LineBatches(api, scope, key_of)
    wanted = set(scope.records)
    lines = (line for line in posted_lines(api, scope) if not wanted or line.record_id in wanted)
    yield from batches.of(lines, reading)
    if scope.period is not None and not wanted:
        reading.findings += not_posted(api, scope.period)


def not_posted(api: GpApi, period: Period) -> Iterator[Finding]:
    """Yield the transactions of a period that are saved and not posted: they are no actuals, and left out."""
    criteria = _criteria(api, WORK, Date=_dates(api, period.start, period.end))
    for summary in api.listed("GetGLTransactionList", criteria):
        with suppress(NotFoundError):  # it was posted, or deleted, a moment ago
            saved = api.soap.call("GetGLTransactionByKey", api.context, key=summary.Key)
            total = add_money(_amount(line.DebitAmount) for line in rows_in(saved.Lines, "GLTransactionLine"))
            batch = str(getattr(saved.BatchKey, "Id", None) or "").strip()
            what = f"{format_money(total)} of {saved.Key.Date.date()} in batch {batch}"
            detail = f"{what} is saved and not posted, and left out"
            yield Finding(FindingKind.NOT_POSTED, f"journal {saved.Key.JournalId}", detail)


def posted_lines(api: GpApi, scope: Scope) -> Iterator[GpLine]:
    """Yield the lines of a scope's transactions, each asked for by its key as its turn comes."""
    for criteria in _lists(api, scope):
        yield from lines_by_key(api, api.listed("GetGLTransactionList", criteria))


def lines_by_key(api: GpApi, transactions: Iterable[Any]) -> Iterator[GpLine]:
    """Yield the lines of transactions that a list told of, each asked for by its key."""
    for summary in transactions:
        yield from lines_of(api.soap.call("GetGLPostedTransactionByKey", api.context, key=summary.Key))


def lines_of(transaction: Any) -> Iterator[GpLine]:
    """Yield the lines of a transaction."""
    key = transaction.Key
    name = name_of(transaction)
    for line in rows_in(transaction.Lines, "GLTransactionLine"):
        yield GpLine(
            transaction=name,
            sequence=int(line.Key.SequenceNumber),
            journal=int(key.JournalId),
            day=key.Date.date(),
            modified_at=stamp(transaction.ModifiedDate),
            number=str(line.GLAccountKey.Id).strip(),
            description=(line.Description or "").strip(),
            reference=(transaction.Reference or "").strip(),
            debit=_amount(line.DebitAmount),
            credit=_amount(line.CreditAmount),
            currency=str(getattr(transaction.CurrencyKey, "ISOCode", None) or ""),
            source=source_of(transaction),
            ledger=str(transaction.LedgerType or "Base"),
            origin=str(getattr(line.OriginatingDocument, "Id", None) or "").strip(),
        )


def name_of(transaction: Any) -> str:
    """Return what a posted transaction is known by: number, fiscal year and recurring sequence."""
    key = transaction.Key
    return f"{key.JournalId}/{key.FiscalYear}/{key.RecurringTransactionSequence}"


def source_of(transaction: Any) -> str:
    """Return the source document of a transaction."""
    return str(getattr(transaction.SourceDocumentKey, "Id", None) or "").strip()


def windows(first: date, last: date, span: timedelta) -> Iterator[tuple[date, date]]:
    """Cut days into spans, both ends included."""
    while first <= last:
        end = min(first + max(span, timedelta(days=1)) - timedelta(days=1), last)
        yield first, end
        first = end + timedelta(days=1)


def list_between(api: GpApi, first: date | None, last: date) -> list[Any]:
    """Return what lists tell of the transactions of some days; of all up to the last one without a first."""
    if first is None:
        dates = api.soap.between("DateTime", To=f"{last}{_LAST_MOMENT}")
        return api.listed("GetGLTransactionList", _criteria(api, Date=dates))
    return [
        summary
        for dates in windows(first, last, api.connection.window)
        for summary in api.listed("GetGLTransactionList", _criteria(api, Date=_dates(api, *dates)))
    ]


def closing_lines(api: GpApi, period: Period) -> Iterator[GpLine]:
    """Yield the lines of a period by which a year was closed."""
    source = api.soap.texts([api.connection.closing_source])
    criteria = _criteria(api, Date=_dates(api, period.start, period.end), SourceDocumentId=source)
    yield from lines_by_key(api, api.listed("GetGLTransactionList", criteria))


def kind_of(api: GpApi, source: str) -> EntryKind:
    """Return why a transaction was posted, as its source document tells."""
    if source == api.connection.closing_source:
        return EntryKind.CLOSING
    return EntryKind.OPENING if source == api.connection.forward_source else EntryKind.NORMAL


def _lists(api: GpApi, scope: Scope) -> Iterator[Any]:
    """Yield the criteria of the lists that a scope takes: some days each, or the numbers of single transactions."""
    more: dict[str, Any] = {}
    if scope.since is not None:
        more["ModifiedDate"] = api.soap.between("DateTime", From=in_utc(scope.since))
    for numbers in _portions(scope.records):
        if numbers:
            more["JournalId"] = api.soap.texts(numbers)
        if scope.period is None:
            yield _criteria(api, **more)
            continue
        span = api.connection.window if not numbers else scope.period.end - scope.period.start + timedelta(days=1)
        for first, last in windows(scope.period.start, scope.period.end, span):
            yield _criteria(api, Date=_dates(api, first, last), **more)


def _portions(records: Sequence[str]) -> list[list[str]]:
    numbers = sorted({record.partition("/")[0] for record in records})
    return [numbers[at : at + NUMBERS_PER_LIST] for at in range(0, len(numbers), NUMBERS_PER_LIST)] or [[]]


def _dates(api: GpApi, first: date, last: date) -> Any:
    return api.soap.between("DateTime", From=f"{first}T00:00:00", To=f"{last}{_LAST_MOMENT}")


def _criteria(api: GpApi, states_wanted: Sequence[str] = POSTED, /, **more: Any) -> Any:
    states = api.soap.among("GLTransactionState", states_wanted)
    ledger = api.soap.among("GLLedgerType", [api.connection.ledger])
    return api.soap.make("GLTransactionCriteria", TransactionState=states, LedgerType=ledger, **more)


def _amount(amount: Any) -> Decimal:
    return Decimal(0) if amount is None else Decimal(amount.Value)


def _difference(line: GpLine) -> Decimal:
    return add_money((line.debit, line.credit.copy_negate()))
