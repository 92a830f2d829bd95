# SPDX-License-Identifier: Apache-2.0
"""Posted journal lines: account entries joined with their headers.

Headers know date, fiscal period, layer and when they were created; entries know account, amount and dimensions. Headers
are read by their own filter, a page at a time, and the entries of each page by the numbers of its headers. Headers of
other companies and periods have numbers in between: a small gap is read over, since its entries cost less than another
condition.

What was posted never changes; a correction is posted besides it. So a line's stamp is when its header was created.
Amounts are in accounting currency, credits below zero. Why a line was posted is told by the type of its fiscal period,
and by its posting type: a closing period holds adjustments besides the entries of the year's closing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX, Dataset, EntryKind
from airflow_provider_mlconnector.finance.drafts import KEY_PATTERN
from airflow_provider_mlconnector.systems.canonical import Column, KeyOf, canonical_batch, constant
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company, FiscalType
from airflow_provider_mlconnector.systems.dynamics_fo.dimensions import Dimensions, check_dimensions
from airflow_provider_mlconnector.systems.dynamics_fo.names import any_of, moment, portions, stamps, yes
from airflow_provider_mlconnector.systems.dynamics_fo.resources import LINES, Resource, published
from airflow_provider_mlconnector.systems.http.odata import Page, overlapped
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

NUMBERS_PER_REQUEST = 15
"""Numbers, or ranges of them, in one filter: an address has to stay below 2,000 characters."""

GAP = 100
"""Numbers between two headers that are read over."""

Work = tuple[Page, "pa.RecordBatch"]


def read_lines(
    api: FinanceOperationsApi, company: Company, scope: Scope, reading: Reading, key_of: KeyOf
) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a period, or those of all, or what was posted since a moment.

    Lines whose dimensions cannot be read are reported, each by its id.
    """
    if scope.dimensions:
        check_dimensions(api, scope.dimensions)
    journal = Journal(api, company, key_of, scope.dimensions)
    reading.resource = f"{company.headers.name} and {journal.lines.name}"
    conditions = [company.posted]
    if scope.since is not None:
        conditions.append(f"{company.headers.field('CreatedOn')} ge {moment(scope.since)}")
    if scope.period is None:
        wheres: Iterable[str] = [" and ".join(conditions)]
    else:
        numbers = [record.number for record in company.records_of(scope.period, key_of)]
        wheres = journal.within(numbers, *conditions)
    for batch in journal.read(wheres, reading.findings):
        if scope.dimensions:
            reading.findings += _without_dimensions(batch, scope.dimensions[0])
        yield batch


class Journal:
    """Reads lines by filters of their headers."""

    def __init__(
        self, api: FinanceOperationsApi, company: Company, key_of: KeyOf, dimensions: Sequence[str] = ()
    ) -> None:
        self._api = api
        self._company = company
        self._key_of = key_of
        stock = published(LINES, api.connection.lines)
        self._dimensions = Dimensions(api, stock, dimensions)
        self.lines = _with_field(stock, self._dimensions)

    def within(self, records: Sequence[int], *conditions: str) -> Iterator[str]:
        """Yield the filters of the headers in these records of the fiscal calendar."""
        field = self._company.headers.field("FiscalCalendarPeriod")
        for some in portions(records, NUMBERS_PER_REQUEST):
            yield " and ".join([*conditions, any_of(field, some)])

    def read(self, wheres: Iterable[str], findings: list[Finding]) -> Iterator[pa.RecordBatch]:
        """Yield the lines of the headers that pass one of the filters."""
        return overlapped(self._pages(wheres, findings), self._joined)

    def _pages(self, wheres: Iterable[str], findings: list[Finding]) -> Iterator[Work]:
        """Yield pages of lines, each with the headers that some of them belong to."""
        headers = self._company.headers
        for where in wheres:
            for page in self._api.keyed_pages(headers, findings, where):
                known = self._api.decode(headers, page)
                for condition in self._of_headers(_numbers(known["SourceKey"])):
                    for lines in self._api.keyed_pages(self.lines, findings, condition):
                        yield lines, known

    def _of_headers(self, numbers: Sequence[int]) -> Iterator[str]:
        """Yield filters of the lines of these headers, and of others between them."""
        field = self.lines.field("GeneralJournalEntry")
        runs = list(spans(sorted(numbers)))
        for at in range(0, len(runs), NUMBERS_PER_REQUEST):
            some = runs[at : at + NUMBERS_PER_REQUEST]
            yield " or ".join(f"({field} ge {first} and {field} le {last})" for first, last in some)

    def _joined(self, work: Work) -> pa.RecordBatch:
        import pyarrow.compute as pc

        page, headers = work
        lines = self._api.decode(self.lines, page)
        places = pc.index_in(lines["GeneralJournalEntry"], value_set=headers["SourceKey"])
        ours = places.is_valid()
        return self._canonical(lines.filter(ours), headers.take(places.filter(ours)))

    def _canonical(self, lines: pa.RecordBatch, headers: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa
        import pyarrow.compute as pc

        amounts: Column = lines["AccountingCurrencyAmount"]
        credits, nothing = yes(lines["IsCredit"]), pa.scalar(0, amounts.type)
        columns = {
            "record_id": lines["SourceKey"].cast(pa.string()),
            "document": headers["SubledgerVoucher"],
            "modified_at": stamps(headers["CreatedOn"]),
            "entry_number": lines["SourceKey"],
            "posting_date": headers["AccountingDate"].cast(pa.date32(), safe=False),
            "period": self._taken(headers["FiscalCalendarPeriod"], self._keys),
            "account": self._accounts(lines["MainAccount"]),
            "description": lines["Text"],
            "external_document": headers["DocumentNumber"],
            "debit": pc.if_else(credits, nothing, amounts),
            "credit": pc.if_else(credits, pc.negate(amounts), nothing),
            "amount": amounts,
            "currency": lines["TransactionCurrencyCode"],
            "currency_amount": lines["TransactionCurrencyAmount"],
            "kind": self._kinds(lines["PostingType"], headers["FiscalCalendarPeriod"]),
            "ledger": headers["PostingLayer"],
            "source": headers["JournalCategory"],
            "statistical": constant(False, lines.num_rows),  # there are no statistical accounts in this ledger
            "plan_document": _of_plans(headers["DocumentNumber"]),
        }
        return canonical_batch(Dataset.JOURNAL_LINES, columns, dimensions=self._dimensions.columns(lines))

    @cached_property
    def _keys(self) -> dict[int, str | None]:
        """The period of ours that each record of the fiscal calendars belongs to."""
        return {number: self._key_of(record.day) for number, record in self._company.fiscal_records.items()}

    @cached_property
    def _types(self) -> dict[int, str]:
        return {number: record.type for number, record in self._company.fiscal_records.items()}

    def _accounts(self, numbers: Column) -> Column:
        """Return the accounts that lines name by number.

        :raises DataError: for a number that is in no chart that can be read.
        """
        accounts = self._taken(numbers, self._company.accounts)
        if accounts.null_count:
            lost = numbers.filter(accounts.is_null())[0].as_py()
            raise DataError(
                f"Posted lines name main account {lost}, which is not in chart {self._company.ledger.chart}.",
                hint="An account that was added a moment ago is found when the task runs again.",
            )
        return accounts

    def _taken(self, numbers: Column, names: dict[int, Any]) -> Column:
        """Return what numbers stand for; each distinct one is looked up once."""
        import pyarrow as pa

        encoded = numbers.dictionary_encode()
        found = [names.get(number) for number in encoded.dictionary.to_pylist()]
        return pa.array(found, pa.string()).take(encoded.indices)

    def _kinds(self, posting_types: Column, records: Column) -> Column:
        import pyarrow as pa
        import pyarrow.compute as pc

        opens, closes, late = (
            pa.scalar(kind.value) for kind in (EntryKind.OPENING, EntryKind.CLOSING, EntryKind.ADJUSTING)
        )
        types = self._taken(records, self._types)
        closing = pa.array(sorted(self._api.connection.closing_types), pa.string())
        kinds: Column = pc.if_else(pc.equal(types, pa.scalar(FiscalType.CLOSING.value)), late, EntryKind.NORMAL.value)
        kinds = pc.if_else(pc.is_in(posting_types, value_set=closing), closes, kinds)
        return pc.if_else(pc.equal(types, pa.scalar(FiscalType.OPENING.value)), opens, kinds)


def spans(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last number of each run without a gap that is worth a condition of its own."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = number
        elif number - last > GAP:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def _numbers(column: Column) -> list[int]:
    return [int(number) for number in column.to_pylist()]


def _of_plans(documents: Column) -> Column:
    """Say which lines were drafts of ours that a person posted: by the document number, which posting hands on."""
    import pyarrow.compute as pc

    ours: Column = pc.match_substring_regex(documents, f"^{KEY_PATTERN}$")
    return pc.fill_null(ours, False)


def _with_field(lines: Resource, dimensions: Dimensions) -> Resource:
    return replace(lines, fields=(*lines.fields, dimensions.field)) if dimensions.field else lines


def _without_dimensions(batch: pa.RecordBatch, dimension: str) -> list[Finding]:
    lost = batch["record_id"].filter(batch[DIMENSION_PREFIX + dimension].is_null())
    detail = "its dimensions cannot be read: they are not in the active format, or no JSON"
    return [Finding(FindingKind.DIMENSIONS_UNKNOWN, str(record), detail) for record in lost.to_pylist()]
