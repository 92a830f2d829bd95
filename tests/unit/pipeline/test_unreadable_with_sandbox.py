# SPDX-License-Identifier: Apache-2.0
"""A dimension value that was deleted and put back: its lines were not touched, and the next increment loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.systems.business_central import lines as bc_lines
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.systems.port import Scope
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.sandbox_close import SandboxClose

GL = "Load GL Actuals"


@pytest.fixture(params=[FinanceApi.V2, FinanceApi.REPORTS_FINANCE])
def close(
    closing: Callable[[str], SandboxClose], control: SandboxControl, request: pytest.FixtureRequest
) -> Iterator[SandboxClose]:
    period = {FinanceApi.V2: "FY2026-P05", FinanceApi.REPORTS_FINANCE: "FY2026-P06"}[request.param]
    close = closing(period)
    close.ledger.close()
    close.ledger = open_ledger(control, close.flow, close.bench.clock, source=request.param)
    yield close
    close.ledger.close()


def read(close: SandboxClose, *records: str) -> list[dict[str, object]]:
    scope = Scope(close.period, None, ("DEPARTMENT",), records)
    return [row for batch in close.ledger.read(Dataset.JOURNAL_LINES, scope).batches for row in batch.to_pylist()]


def test_lines_are_read_by_their_ids_some_with_each_request(close: SandboxClose, monkeypatch) -> None:
    monkeypatch.setattr(bc_lines, "IDS_PER_REQUEST", 2)
    every = read(close)
    wanted = every[3:8]
    ids = [str(row["record_id"]) for row in wanted]
    assert sorted(read(close, *ids), key=lambda row: ids.index(str(row["record_id"]))) == wanted


@pytest.mark.parametrize("close", [FinanceApi.V2], indirect=True)
def test_lines_whose_dimension_value_comes_back_are_loaded_by_the_next_increment(
    close: SandboxClose, control: SandboxControl
) -> None:
    lines = control.lines(close.period.key)
    lost = [line for line in lines if line["department"] == "SALES"]
    assert lost
    later = next(line for line in lines if line["department"] != "SALES")
    control.change_line(later["entry_number"], description="later than all others: no overlap brings them again")
    control.call("DELETE", "/books/dimensions/DEPARTMENT/SALES")
    close.run()
    held_back = close.run().load(GL).prepared
    assert held_back.rows_quarantined == len(lost)
    close.bench.clock.sleep(86_400)
    control.call("PUT", "/books/dimensions/DEPARTMENT/SALES", {"name": "Sales"})
    done = close.run()
    assert done.load(GL).prepared.rows_quarantined == 0
    assert done.report.agrees, done.report.problems
    held = control.amounts(format_period(close.period, "MMM yy"))
    right = control.ledger(close.period.key)
    assert sum((amount for (_, centre), amount in held.items() if centre == "CC200"), Decimal(0)) == sum(
        Decimal(line["amount"]) for line in lost
    )
    assert len(held) == len(right)
