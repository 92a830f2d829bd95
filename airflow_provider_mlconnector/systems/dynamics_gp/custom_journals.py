# SPDX-License-Identifier: Apache-2.0
"""Journal lines by an SBA resource that a customer had written: rows as the table GL20000 has them, fetched whole.

SBA itself has no general ledger. A resource of this kind is a service-enabled procedure of the customer's own, whose
filters nobody knows, so that period and changes are looked for here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.systems.canonical import KeyOf
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.chart import stamp
from airflow_provider_mlconnector.systems.dynamics_gp.journals import LineBatches
from airflow_provider_mlconnector.systems.dynamics_gp.sba import Row, field
from airflow_provider_mlconnector.systems.dynamics_gp.transactions import GpLine, finding_of_voided
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("JRNENTRY", "TRXDATE", "ACTNUMST", "SEQNUMBR", "DEBITAMT", "CRDTAMNT")
"""Columns without which a row is no line; OPENYEAR, RCTRXSEQ, SOURCDOC, REFRENCE, ORDOCNUM, DSCRIPTN, DEX_ROW_TS
and VOIDED help."""


def read_custom_lines(
    api: GpApi, scope: Scope, reading: Reading, key_of: KeyOf, rows: list[Row]
) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a scope out of all that the resource gave; those of voided entries are reported instead."""
    names = dict(api.connection.gl_fields)
    voided: dict[str, list[GpLine]] = {}

    def standing() -> Iterator[GpLine]:
        for row in rows:
            line = _line(api, row, names)
            if not _is_wanted(line, scope):
                continue
            if _is_voided(row, names):
                voided.setdefault(line.transaction, []).append(line)
            else:
                yield line

    yield from LineBatches(api, scope, key_of).of(standing(), reading)
    reading.findings += (finding_of_voided(lines) for lines in voided.values())


def _is_voided(row: Row, names: dict[str, str]) -> bool:
    return str(field(row, names.get("VOIDED", "VOIDED")) or "").strip().lower() not in ("", "0", "false")


def _is_wanted(line: GpLine, scope: Scope) -> bool:
    if scope.period is not None and not scope.period.contains(line.day):
        return False
    if scope.records:
        return line.record_id in scope.records
    return scope.since is None or line.modified_at is None or line.modified_at >= scope.since


def _line(api: GpApi, row: Row, names: dict[str, str]) -> GpLine:
    def value(column: str) -> Any:
        return field(row, names.get(column, column))

    missing = [names.get(column, column) for column in NEEDED if value(column) is None]
    if missing:
        raise SchemaDriftError(
            f"A row of SBA's {api.connection.gl_resource} has no {', '.join(missing)}.", column=missing[0]
        )
    try:
        return _read(api, value)
    except (ValueError, InvalidOperation) as exc:
        raise SchemaDriftError(
            f"A row of SBA's {api.connection.gl_resource} holds what cannot be read: {exc}.", retyped=True
        ) from None


def _read(api: GpApi, value: Any) -> GpLine:
    day = datetime.fromisoformat(str(value("TRXDATE")))
    changed = value("DEX_ROW_TS")
    key = (value("JRNENTRY"), value("OPENYEAR") or day.year, value("RCTRXSEQ") or 0)
    return GpLine(
        transaction="/".join(str(int(Decimal(str(part)))) for part in key),
        sequence=int(Decimal(str(value("SEQNUMBR")))),
        journal=int(value("JRNENTRY")),
        day=day.date(),
        modified_at=stamp(datetime.fromisoformat(str(changed))) if changed else None,
        number=str(value("ACTNUMST")).strip(),
        description=str(value("DSCRIPTN") or "").strip(),
        reference=str(value("REFRENCE") or "").strip(),
        debit=Decimal(str(value("DEBITAMT"))),
        credit=Decimal(str(value("CRDTAMNT"))),
        currency="",
        source=str(value("SOURCDOC") or "").strip(),
        ledger=api.connection.ledger,
        origin=str(value("ORDOCNUM") or "").strip(),
    )
