# SPDX-License-Identifier: Apache-2.0
"""Journal lines: the posted general ledger entries of a period, or what changed in it.

Amounts are in company currency; the entries of both APIs tell no other. The fiscal period follows from the posting
date, as an entry has no period of its own. A year's closing entries lie between its last day and the next one's first,
so they are asked for apart, with the last period of a year. Otherwise API v2.0 does not tell why an entry was posted:
it is ``normal``. The finance API tells its source code, by which entries of the closing that were posted on an ordinary
day are known, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError, SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX, Dataset, EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.systems.business_central.dimensions import DimensionSets, flatten
from airflow_provider_mlconnector.systems.business_central.names import (
    closed_by,
    decode_names,
    modified_since,
    of_records,
    posted_within,
    stamps,
)
from airflow_provider_mlconnector.systems.business_central.resources import (
    DIMENSION_LINES,
    DIMENSION_SETS,
    DIMENSIONS,
    FINANCE_LINES,
    LINES,
    LINES_EXPANDED,
)
from airflow_provider_mlconnector.systems.canonical import (
    Column,
    KeyOf,
    canonical_batch,
    constant,
    period_keys,
)
from airflow_provider_mlconnector.systems.http.odata import Page
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa


IDS_PER_REQUEST = 25
"""Ids in one filter: an address has to stay well below 2,000 characters, which every proxy takes."""


@dataclass(frozen=True, slots=True)
class Days:
    """Posting dates to read, as a filter; ``closing`` when nothing but closing entries lies there."""

    where: str
    closing: bool = False


def days_of(period: Period | None, *, ends_year: bool) -> tuple[Days, ...]:
    """Return the posting dates of a period, those of closing entries apart; all dates when there is no period."""
    if period is None:
        return (Days(""),)
    days = Days(posted_within(period))
    return (days, Days(closed_by(period), closing=True)) if ends_year else (days,)


def read_lines(
    api: BusinessCentralApi, scope: Scope, reading: Reading, key_of: KeyOf, *, ends_year: bool
) -> Iterator[pa.RecordBatch]:
    """Yield the lines from the finance API where it is offered, else from API v2.0.

    Lines whose dimensions could not be read are reported, each by its id. Before changes are read the server is asked
    for their number: a line that gets lost on the way may have changed in nothing that the totals of a period show.

    :param ends_year: the period is the last of a fiscal year.
    """
    days = days_of(scope.period, ends_year=ends_year)
    if scope.since is not None and not scope.records:
        counts = [api.count(LINES, _where(scope, some_days, ())) for some_days in days]
        known = [count for count in counts if count is not None]
        reading.announced = sum(known) if len(known) == len(counts) else None
    if api.offers(FINANCE_LINES):
        batches = _finance_lines(api, scope, days, reading, key_of)
    else:
        if api.connection.source is FinanceApi.AUTO:
            detail = "the finance API does not answer; lines come from API v2.0"
            reading.findings.append(Finding(FindingKind.FALLBACK, FINANCE_LINES.title, detail))
        batches = _v2_lines(api, scope, days, reading, key_of)
    unseen = set(scope.dimensions)
    for batch in batches:
        if unseen and batch.num_rows:
            _check_dimensions(api, unseen, batch)
            unseen.clear()
        if scope.dimensions:
            reading.findings += _without_dimensions(batch, scope.dimensions[0])
        yield batch


def _v2_lines(
    api: BusinessCentralApi, scope: Scope, days: Sequence[Days], reading: Reading, key_of: KeyOf
) -> Iterator[pa.RecordBatch]:
    resource = LINES_EXPANDED if scope.dimensions else LINES
    reading.resource = resource.title

    def build(kind: EntryKind, rows: pa.RecordBatch, page: Page) -> pa.RecordBatch:
        if scope.dimensions and not page.reduced and rows[DIMENSION_LINES.name].null_count:
            raise SchemaDriftError(f"{resource.title} came without {DIMENSION_LINES.name}, which were asked for.")
        dimensions = flatten(rows[DIMENSION_LINES.name], scope.dimensions) if scope.dimensions else {}
        own = {
            "entry_number": rows["entryNumber"],
            "document_type": decode_names(rows["documentType"]),
            "amount": _difference(rows["debitAmount"], rows["creditAmount"]),
            "kind": constant(kind.value, rows.num_rows),
        }
        return canonical_batch(Dataset.JOURNAL_LINES, {**_shared(rows, key_of), **own}, dimensions=dimensions)

    def read(where: str, kind: EntryKind) -> Iterator[pa.RecordBatch]:
        return api.many_rows(resource, reading.findings, partial(build, kind), where=where)

    return _for_each(scope, days, read)


def _finance_lines(
    api: BusinessCentralApi, scope: Scope, days: Sequence[Days], reading: Reading, key_of: KeyOf
) -> Iterator[pa.RecordBatch]:
    reading.resource = FINANCE_LINES.title
    sets = DimensionSets(
        scope.dimensions, lambda newest: api.rows(DIMENSION_SETS, reading.findings, where=f"setId gt {newest}")
    )

    def build(kind: EntryKind, rows: pa.RecordBatch, _: Page) -> pa.RecordBatch:
        dimensions = sets.columns(rows["dimensionSetID"]) if scope.dimensions else {}
        own = {
            "entry_number": rows["number"],
            "external_document": rows["externalDocumentNumber"],
            "amount": rows["amount"],
            "kind": _kinds(rows["sourceCode"], api.connection.closing_sources, kind),
            "source": rows["sourceCode"],
        }
        return canonical_batch(Dataset.JOURNAL_LINES, {**_shared(rows, key_of), **own}, dimensions=dimensions)

    def read(where: str, kind: EntryKind) -> Iterator[pa.RecordBatch]:
        return api.many_rows(FINANCE_LINES, reading.findings, partial(build, kind), where=where)

    return _for_each(scope, days, read)


def _shared(rows: pa.RecordBatch, key_of: KeyOf) -> dict[str, Any]:
    """Return the columns that the entries of both APIs give alike."""
    return {
        "record_id": rows["id"],
        "document": rows["documentNumber"],
        "modified_at": stamps(rows["lastModifiedDateTime"]),
        "posting_date": rows["postingDate"],
        "period": period_keys(rows["postingDate"], key_of),
        "account": rows["accountNumber"],
        "description": rows["description"],
        "debit": rows["debitAmount"],
        "credit": rows["creditAmount"],
        "statistical": constant(False, rows.num_rows),  # statistical accounts have a ledger of their own
        "plan_document": constant(False, rows.num_rows),  # a posted entry does not tell the journal that it came from
    }


def _for_each(
    scope: Scope, days: Sequence[Days], read: Callable[[str, EntryKind], Iterator[pa.RecordBatch]]
) -> Iterator[pa.RecordBatch]:
    """Read by each filter of a scope: one for each sort of day, or as many as the ids of single records need."""
    ids = scope.records
    portions = [ids[at : at + IDS_PER_REQUEST] for at in range(0, len(ids), IDS_PER_REQUEST)] or [()]
    for some_days in days:
        kind = EntryKind.CLOSING if some_days.closing else EntryKind.NORMAL
        for portion in portions:
            yield from read(_where(scope, some_days, portion), kind)


def _where(scope: Scope, days: Days, records: Sequence[str]) -> str:
    parts = [days.where] if days.where else []
    if scope.since is not None:
        parts.append(modified_since(scope.since))
    if records:
        parts.append(of_records(records))
    return " and ".join(parts)


def _difference(debit: Column, credit: Column) -> Column:
    import pyarrow.compute as pc

    return pc.subtract(debit, credit)


def _kinds(sources: Column, closing: frozenset[str], kind: EntryKind) -> Column:
    """Return the kind of each line: closing by its source code, else the one that its day tells."""
    import pyarrow as pa
    import pyarrow.compute as pc

    closes = pc.is_in(sources, value_set=pa.array(sorted(closing), pa.string()))
    return pc.if_else(closes, pa.scalar(EntryKind.CLOSING.value), pa.scalar(kind.value))


def _without_dimensions(batch: pa.RecordBatch, dimension: str) -> list[Finding]:
    lost = batch["record_id"].filter(batch[DIMENSION_PREFIX + dimension].is_null())
    detail = "its dimensions cannot be read: they name a dimension value or set that the server does not have"
    return [Finding(FindingKind.DIMENSIONS_UNKNOWN, str(record), detail) for record in lost.to_pylist()]


def _check_dimensions(api: BusinessCentralApi, codes: set[str], batch: pa.RecordBatch) -> None:
    """Refuse a dimension that the company does not have; asked for only when the first lines show none of it.

    :raises CapabilityError: with the dimensions that there are.
    """
    strange = {code for code in codes if not any(batch[DIMENSION_PREFIX + code].unique().to_pylist())}
    if not strange or not api.answers_for(DIMENSIONS):
        return
    known = {str(code) for rows in api.rows(DIMENSIONS, []) for code in rows["code"].to_pylist()}
    if strange - known:
        raise CapabilityError(
            f"The company has no dimension {', '.join(sorted(strange - known))}; "
            f"it has {', '.join(sorted(known)) or 'none'}.",
            hint="Write the dimension's code as Business Central shows it.",
        )
