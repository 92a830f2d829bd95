# SPDX-License-Identifier: Apache-2.0
"""Journal lines: the posted general ledger entries of a period, or what changed in it.

Amounts are in company currency; the entries of both APIs tell no other. The fiscal period follows from the posting
date, as an entry has no period of its own. API v2.0 does not tell why an entry was posted: every line is ``normal``.
The finance API tells its source code, by which closing entries are known where a filter by days lets one through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError, SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX, Dataset, EntryKind
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.systems.business_central.dimensions import DimensionSets, flatten
from airflow_provider_mlconnector.systems.business_central.names import (
    decode_names,
    modified_since,
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


def read_lines(api: BusinessCentralApi, scope: Scope, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    """Yield the lines from the finance API where it is offered, else from API v2.0.

    Lines whose dimensions could not be read are reported, each by its id.
    """
    if api.offers(FINANCE_LINES):
        batches = _finance_lines(api, scope, reading, key_of)
    else:
        if api.connection.source is FinanceApi.AUTO:
            detail = "the finance API does not answer; lines come from API v2.0"
            reading.findings.append(Finding(FindingKind.FALLBACK, FINANCE_LINES.title, detail))
        batches = _v2_lines(api, scope, reading, key_of)
    unseen = set(scope.dimensions)
    for batch in batches:
        if unseen and batch.num_rows:
            _check_dimensions(api, unseen, batch)
            unseen.clear()
        if scope.dimensions:
            reading.findings += _without_dimensions(batch, scope.dimensions[0])
        yield batch


def _v2_lines(api: BusinessCentralApi, scope: Scope, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    resource = LINES_EXPANDED if scope.dimensions else LINES
    reading.resource = resource.title

    def build(rows: pa.RecordBatch, page: Page) -> pa.RecordBatch:
        if scope.dimensions and not page.reduced and rows[DIMENSION_LINES.name].null_count:
            raise SchemaDriftError(f"{resource.title} came without {DIMENSION_LINES.name}, which were asked for.")
        dimensions = flatten(rows[DIMENSION_LINES.name], scope.dimensions) if scope.dimensions else {}
        own = {
            "entry_number": rows["entryNumber"],
            "document_type": decode_names(rows["documentType"]),
            "amount": _difference(rows["debitAmount"], rows["creditAmount"]),
            "kind": constant(EntryKind.NORMAL.value, rows.num_rows),
        }
        return canonical_batch(Dataset.JOURNAL_LINES, {**_shared(rows, key_of), **own}, dimensions=dimensions)

    return api.many_rows(resource, reading.findings, build, where=_where(scope), expand=bool(scope.dimensions))


def _finance_lines(api: BusinessCentralApi, scope: Scope, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    reading.resource = FINANCE_LINES.title
    sets = DimensionSets(
        scope.dimensions, lambda newest: api.rows(DIMENSION_SETS, reading.findings, where=f"setId gt {newest}")
    )

    def build(rows: pa.RecordBatch, _: Page) -> pa.RecordBatch:
        dimensions = sets.columns(rows["dimensionSetID"]) if scope.dimensions else {}
        own = {
            "entry_number": rows["number"],
            "external_document": rows["externalDocumentNumber"],
            "amount": rows["amount"],
            "kind": _kinds(rows["sourceCode"], api.connection.closing_sources),
            "source": rows["sourceCode"],
        }
        return canonical_batch(Dataset.JOURNAL_LINES, {**_shared(rows, key_of), **own}, dimensions=dimensions)

    return api.many_rows(FINANCE_LINES, reading.findings, build, where=_where(scope))


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


def _where(scope: Scope) -> str:
    parts = []
    if scope.period is not None:
        parts.append(posted_within(scope.period))
    if scope.since is not None:
        parts.append(modified_since(scope.since))
    return " and ".join(parts)


def _difference(debit: Column, credit: Column) -> Column:
    import pyarrow.compute as pc

    return pc.subtract(debit, credit)


def _kinds(sources: Column, closing: frozenset[str]) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    closes = pc.is_in(sources, value_set=pa.array(sorted(closing), pa.string()))
    return pc.if_else(closes, pa.scalar(EntryKind.CLOSING.value), pa.scalar(EntryKind.NORMAL.value))


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
