# SPDX-License-Identifier: Apache-2.0
"""Journal lines: the posted transactions of a period, or what changed in it.

The web services list transactions without their lines, so each one is asked for by its key. A list has no pages: it is
asked for a few days at a time. Transactions of closed years are history and keep their keys, so both states are read.
A transaction has a date and no period; amounts are in the company's own currency, as the context of the calls says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
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
from airflow_provider_mlconnector.systems.dynamics_gp.chart import list_units
from airflow_provider_mlconnector.systems.dynamics_gp.formats import check_dimensions
from airflow_provider_mlconnector.systems.dynamics_gp.soap import in_utc, rows_in
from airflow_provider_mlconnector.systems.dynamics_gp.transactions import (
    BY_KEY,
    LIST,
    GpLine,
    Listed,
    finding_of_voided,
    lines_by_key,
    list_posted,
    posted_by_key,
)
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

POSTED, WORK = ("Open", "History"), ("Work",)
"""States of transactions."""

LISTED_BY_KEY = f"{LIST}, {BY_KEY}"
LINES_PER_BATCH = 5_000
NUMBERS_PER_LIST = 50
_LAST_MOMENT = "T23:59:59"


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
    reading.resource = LISTED_BY_KEY
    batches = LineBatches(api, scope, key_of)
    wanted = set(scope.records)
    lines = (line for line in posted_lines(api, scope, reading) if not wanted or line.record_id in wanted)
    yield from batches.of(lines, reading)
    if scope.period is not None and not wanted:
        reading.findings += not_posted(api, scope.period)


def not_posted(api: GpApi, period: Period) -> Iterator[Finding]:
    """Yield the transactions of a period that are saved and not posted: they are no actuals, and left out."""
    criteria = _criteria(api, WORK, Date=_dates(api, period.start, period.end))
    for summary in api.listed(LIST, criteria):
        with suppress(NotFoundError):  # it was posted, or deleted, a moment ago
            saved = api.soap.call("GetGLTransactionByKey", api.context, key=summary.Key)
            total = add_money(_amount(line.DebitAmount) for line in rows_in(saved.Lines, "GLTransactionLine"))
            batch = str(getattr(saved.BatchKey, "Id", None) or "").strip()
            what = f"{format_money(total)} of {saved.Key.Date.date()} in batch {batch}"
            key = _plan_key(saved)
            kind = FindingKind.PLAN_DRAFT if key else FindingKind.NOT_POSTED
            told = f"is the draft {key} of a plan, which nobody has posted yet" if key else "is saved and not posted"
            yield Finding(kind, f"journal {saved.Key.JournalId}", f"{what} {told}, and left out")


def _plan_key(saved: Any) -> str:
    """Return the key of the plan's document that a saved transaction is; "" when it is none.

    A person may have typed over its reference, so that its lines are looked at, too.
    """
    origins = (getattr(line, "OriginatingDocument", None) for line in rows_in(saved.Lines, "GLTransactionLine"))
    named = (saved.Reference, *(getattr(origin, "Id", None) for origin in origins))
    return next((text for text in (str(one or "").strip() for one in named) if is_document_key(text)), "")


def posted_lines(api: GpApi, scope: Scope, reading: Reading) -> Iterator[GpLine]:
    """Yield the lines of a scope's transactions; what was voided is no actual, and left out, which is reported."""
    for criteria in _lists(api, scope):
        for transaction in posted_by_key(api, list_posted(api, criteria)):
            if not transaction.voided:
                yield from transaction.lines
            elif transaction.lines:
                reading.findings.append(finding_of_voided(transaction.lines))


def windows(first: date, last: date, span: timedelta) -> Iterator[tuple[date, date]]:
    """Cut days into spans, both ends included."""
    while first <= last:
        end = min(first + max(span, timedelta(days=1)) - timedelta(days=1), last)
        yield first, end
        first = end + timedelta(days=1)


def list_between(api: GpApi, first: date | None, last: date) -> list[Listed]:
    """Return what lists tell of the transactions of some days; of all up to the last one without a first."""
    if first is None:
        return list_posted(api, _criteria(api, Date=api.soap.between("DateTime", To=f"{last}{_LAST_MOMENT}")))
    return [
        transaction
        for dates in windows(first, last, api.connection.window)
        for transaction in list_posted(api, _criteria(api, Date=_dates(api, *dates)))
    ]


def closing_lines(api: GpApi, period: Period) -> Iterator[GpLine]:
    """Yield the lines of a period by which a year was closed."""
    source = api.soap.texts([api.connection.closing_source])
    criteria = _criteria(api, Date=_dates(api, period.start, period.end), SourceDocumentId=source)
    yield from lines_by_key(api, list_posted(api, criteria))


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
