# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period, added up from posted lines: no set of the environment holds them.

A fiscal year whose predecessor was closed begins with the balances that its opening period holds; one whose was not
goes on from that. So entries are read back to the last year that has an opening, or to the first there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.balances import Balance, balances_batch, balances_period, summed
from airflow_provider_mlconnector.systems.canonical import KeyOf
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.capabilities import ACTUAL_LAYER
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company, FiscalRecord, FiscalType
from airflow_provider_mlconnector.systems.dynamics_fo.journal import Journal
from airflow_provider_mlconnector.systems.dynamics_fo.names import layer_is
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

_MOVES = frozenset({EntryKind.NORMAL, EntryKind.ADJUSTING})


def read_balances(
    api: FinanceOperationsApi, company: Company, scope: Scope, reading: Reading, key_of: KeyOf
) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period, of the actual posting layer.

    :raises CapabilityError: when the scope names no period.
    """
    period = balances_period(scope)
    journal = Journal(api, company, key_of)
    reading.resource = f"{company.headers.name} and {journal.lines.name}"
    layer = layer_is(company.headers.field("PostingLayer"), ACTUAL_LAYER)
    within = company.records_of(period, key_of)
    earlier = _earlier(api, company, period, within, layer)
    parts = chain.from_iterable(
        _parts(batch, now=now)
        for records, now in ((earlier, False), (within, True))
        for batch in journal.read(
            journal.within([record.number for record in records], company.posted, layer), reading.findings
        )
    )
    yield balances_batch(period, summed(parts))


def _earlier(
    api: FinanceOperationsApi, company: Company, period: Period, within: Sequence[FiscalRecord], layer: str
) -> list[FiscalRecord]:
    """Return the records before a period, back to the last opening that holds anything."""
    ours = {record.number for record in within}
    before = [record for record in company.own_records if record.day < period.start and record.number not in ours]
    openings = [record for record in (*before, *within) if record.type == FiscalType.OPENING]
    field_ = company.headers.field("FiscalCalendarPeriod")
    for opening in sorted(openings, key=lambda record: record.start, reverse=True):
        where = f"{company.posted} and {layer} and {field_} eq {opening.number}"
        if api.count(company.headers, where):
            return [record for record in before if record.start >= opening.start]
    return before


def _parts(batch: pa.RecordBatch, *, now: bool) -> Iterator[tuple[str, Balance]]:
    """Yield lines per account: those of the period as its movement, openings and what was before as the opening."""
    import pyarrow as pa

    columns = {name: batch[name] for name in ("account", "kind", "debit", "credit")}
    grouped = pa.table(columns).group_by(["account", "kind"]).aggregate([("debit", "sum"), ("credit", "sum")])
    for row in grouped.to_pylist():
        moved = Balance(debit=row["debit_sum"], credit=row["credit_sum"])
        if not now or row["kind"] == EntryKind.OPENING:
            yield row["account"], Balance(opening=moved.movement)
        else:
            yield row["account"], moved if row["kind"] in _MOVES else Balance()
