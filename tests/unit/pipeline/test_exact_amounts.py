# SPDX-License-Identifier: Apache-2.0
"""An amount of 19 digits is the same in the ledger, in totals, in rejects and in the database, to the last digit."""

from __future__ import annotations

import sqlite3
from contextlib import closing as closed
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.pipeline.plan import Tolerance
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import PERIOD, Ledger, actuals, line

LARGE = Decimal("98765432109876543.21")
CENT = Decimal("0.01")


@pytest.fixture
def close(bench, new_run) -> Close:
    """A period of one amount of 19 digits and a cent beside it, in an account that Anaplan will not take."""
    ledger = Ledger()
    ledger.lines.extend(
        [line(1, "40100", str(LARGE)), line(2, "40100", str(CENT)), line(3, "10100", str(-LARGE - CENT))]
    )
    model = FakeModel(rejected={"40100"})
    return Close(bench, ledger, model, new_run(), plan=actuals(tolerance=Tolerance(rows=5)))


def database(folder: Path, query: str) -> list[tuple[str, ...]]:
    with closed(sqlite3.connect(folder / "trail.db")) as connection:
        return connection.execute(query).fetchall()


def test_it_survives_totals_and_rejects_and_is_text_in_the_database(close: Close, tmp_path: Path) -> None:
    done = close.whole_way()
    batch = close.bench.trail.batches(dataset="journal_lines")[0]
    assert Decimal(batch.sums["debit"]) == LARGE + CENT
    assert Decimal(batch.sums["amount"]) == 0
    (row,) = close.bench.trail.rejects(close.run.run_id)
    assert Decimal(row.reject.amount or 0) == LARGE + CENT
    assert close.bench.trail.verify(check_file=close.bench.stage.fetch) == []
    assert database(tmp_path, "SELECT typeof(amount), amount FROM rejects") == [("text", "98765432109876543.22")]
    assert database(tmp_path, "SELECT DISTINCT typeof(sums), typeof(detail) FROM batches JOIN events") == [
        ("text", "text")
    ]
    assert '98765432109876543.22"' in database(tmp_path, "SELECT sums FROM batches WHERE rows = 3")[0][0]
    assert done.prepared.sum_cells == "0.00"


def test_a_cent_beside_it_that_somebody_takes_away_is_found(close: Close, tmp_path: Path) -> None:
    close.whole_way()
    with closed(sqlite3.connect(tmp_path / "trail.db", isolation_level=None)) as connection:
        connection.execute("UPDATE rejects SET amount = '98765432109876543.21'")
    (problem,) = close.bench.trail.verify()
    assert problem.subject.startswith(f"{close.run.run_id} event")


def test_it_is_compared_with_the_ledgers_own_totals_to_the_cent(close: Close) -> None:
    manifest = close.extract()
    assert manifest.agrees is True
    assert Decimal(manifest.erp_total or 0) == Decimal(manifest.book_total or 0) == 2 * (LARGE + CENT)
    totals = close.ledger.period_totals(PERIOD)
    assert totals.by_account == {"40100": LARGE + CENT, "10100": -LARGE - CENT}
