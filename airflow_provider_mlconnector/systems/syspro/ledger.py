# SPDX-License-Identifier: Apache-2.0
"""Journal lines: the posted entries of a fiscal period, or those since a watermark.

An entry knows the period that it was posted to, its signed value in company currency and its GL code, no other currency
and no time. Changes are known by row versions where the service shows and filters them; else by the numbers of journals
within the period, which only grow, as posted journals are permanent. The year is closed without a journal, so there are
no closing entries; what was posted to a period after the twelfth adjusts the year.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.finance.drafts import KEY_PATTERN
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import Column, canonical_batch, constant
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading, Scope
from airflow_provider_mlconnector.systems.syspro.accounts import statistical_codes
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
from airflow_provider_mlconnector.systems.syspro.marks import Counter
from airflow_provider_mlconnector.systems.syspro.tables import JOURNALS, TIME_STAMP, VERSIONED_JOURNALS
from airflow_provider_mlconnector.systems.syspro.values import KEY_SEPARATOR, days, period_key

if TYPE_CHECKING:
    import pyarrow as pa

USUAL_PERIODS = 12


@dataclass(frozen=True, slots=True)
class _Page:
    batch: pa.RecordBatch
    counted: int | None


def read_lines(api: SysproApi, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the lines of the scope's period, or of all; those that changed since its watermark if it has one.

    Where the service stopped, or began, to show row versions since the last read, all lines of the period are read.
    """
    versioned = api.entity_set(JOURNALS).filters(TIME_STAMP)
    counter = Counter.VERSIONS if versioned else Counter.JOURNALS
    reading.resource = JOURNALS.name
    if not versioned:
        detail = "row versions cannot be filtered; changes are known by the numbers of journals"
        reading.findings.append(Finding(FindingKind.FALLBACK, JOURNALS.name, detail))
    conditions = {**of_period(scope.period), **_changes(counter, scope)}
    reading.announced = api.count(JOURNALS, conditions)
    statistical = statistical_codes(api)
    table = VERSIONED_JOURNALS if versioned else JOURNALS

    def build(rows: pa.RecordBatch) -> _Page:
        return _Page(_lines(api.connection, rows, scope.dimensions, statistical), _counted(counter, rows))

    for page in api.many_rows(table, reading.findings, build, conditions):
        if page.counted is not None and (versioned or scope.period):
            reading.cursor = _later(reading.cursor, counter.moment(page.counted))
        yield page.batch


def of_period(period: Period | None) -> dict[str, str]:
    """Return the filters of a fiscal period, by column."""
    if period is None:
        return {}
    return {"GlYear": f"GlYear eq {period.year}", "GlPeriod": f"GlPeriod eq {period.number}"}


def check_dimensions(connection: SysproConnection, wanted: tuple[str, ...]) -> None:
    """Refuse a dimension that GL codes have no segment of.

    :raises CapabilityError: with those that they have.
    """
    known = connection.gl_code.dimensions
    strange = sorted(set(wanted) - set(known))
    if strange:
        raise CapabilityError(
            f"GL codes have no segment {', '.join(strange)}; they have {', '.join(known) or 'none but the account'}.",
            hint="Write the structure of GL codes into the connection, such as ACCOUNT.DEPARTMENT.",
        )


def _changes(counter: Counter, scope: Scope) -> dict[str, str]:
    first = counter.since(scope.since)
    if first is None or (counter is Counter.JOURNALS and scope.period is None):
        return {}
    if counter is Counter.JOURNALS:
        return {"Journal": f"Journal ge {first}"}
    return {TIME_STAMP: f"{TIME_STAMP} ge binary'{base64.b64encode(first.to_bytes(8, 'big')).decode()}'"}


def _counted(counter: Counter, rows: pa.RecordBatch) -> int | None:
    """Return the largest count of a page."""
    if not rows.num_rows:
        return None
    if counter is Counter.JOURNALS:
        return max(int(number) for number in rows["Journal"].to_pylist() if number is not None)
    return max(int.from_bytes(base64.b64decode(str(text)), "big") for text in rows[TIME_STAMP].to_pylist())


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def _lines(
    connection: SysproConnection, rows: pa.RecordBatch, dimensions: tuple[str, ...], statistical: Column
) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    amount, zero = rows["EntryValue"], pa.scalar(0, rows["EntryValue"].type)
    segments = split_codes(connection, rows["GlCode"])
    columns = {
        "record_id": _record_ids(connection.company, rows),
        "document": rows["Reference"],
        "entry_number": rows["EntryNumber"],
        "posting_date": days(rows["EntryDate"]),
        "period": _periods(rows),
        "account": segments["ACCOUNT"],
        "debit": pc.max_element_wise(amount, zero),
        "credit": pc.negate(pc.min_element_wise(amount, zero)),
        "amount": amount,
        "kind": _kinds(rows["GlPeriod"]),
        "source": rows["Source"],
        "statistical": pc.is_in(rows["GlCode"], value_set=statistical),
        "plan_document": _of_plans(rows["Reference"]),
    }
    named = {code: segments[code] for code in dimensions}
    return canonical_batch(Dataset.JOURNAL_LINES, columns, dimensions=named)


def _of_plans(references: Column) -> Column:
    """Return which entries come from a journal that a plan became: those that carry its key."""
    import pyarrow.compute as pc

    ours: Column = pc.match_substring_regex(references, f"^{KEY_PATTERN}$")
    return pc.fill_null(ours, False)


def split_codes(connection: SysproConnection, codes: Column) -> Mapping[str, Any]:
    """Return the segments of GL codes: ``ACCOUNT``, and the others by their names; each distinct code is split once."""
    import pyarrow as pa

    encoded = codes.dictionary_encode()
    parts = [connection.gl_code.split(code) for code in encoded.dictionary.to_pylist()]
    names = ("ACCOUNT", *connection.gl_code.dimensions)
    return {
        name: pa.array([part[at] for part in parts], pa.string()).take(encoded.indices) for at, name in enumerate(names)
    }


def _record_ids(company: str, rows: pa.RecordBatch) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = [rows[name].cast(pa.string()) for name in ("GlYear", "GlPeriod", "Journal", "EntryNumber")]
    return pc.binary_join_element_wise(constant(company, rows.num_rows), *numbers, KEY_SEPARATOR)


def _periods(rows: pa.RecordBatch) -> Column:
    """Return the key of each row's period; a page holds few."""
    import pyarrow as pa

    pairs = list(zip(rows["GlYear"].to_pylist(), rows["GlPeriod"].to_pylist(), strict=True))
    keys = {pair: period_key(*pair) for pair in set(pairs)}
    return pa.array([keys[pair] for pair in pairs], pa.string())


def _kinds(numbers: Column) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    adjusts = pc.greater(numbers, pa.scalar(USUAL_PERIODS, numbers.type))
    return pc.if_else(adjusts, pa.scalar(EntryKind.ADJUSTING.value), pa.scalar(EntryKind.NORMAL.value))
