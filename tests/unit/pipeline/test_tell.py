# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.pipeline.plan import Tolerance
from airflow_provider_mlconnector.pipeline.tell import _chunk, tell
from airflow_provider_mlconnector.trail.records import RunRef
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import actuals

CENTRES = crosswalk(
    "centres.csv", [Rule(MatchKind.EXACT, "SALES", "CC200", line=2), Rule(MatchKind.EXACT, "", "NONE", line=3)]
)


@pytest.fixture
def close(bench, ledger, new_run: Callable[..., RunRef]) -> Close:
    plan = actuals(crosswalks={"Cost Centre": CENTRES}, tolerance=Tolerance(rows=5))
    return Close(bench, ledger, FakeModel(), new_run(), plan=plan)


def steps(close: Close, record: str) -> dict[str, str]:
    return {step.step: step.sentence for step in tell(close.bench, record)}


def test_the_whole_way_of_a_record_that_was_accepted(close):
    close.whole_way()
    told = steps(close, "e1")
    assert list(told) == ["read", "booked", "mapped", "written", "started", "finished", "accepted"]
    assert "row 1 of 6" in told["read"]
    assert "Cell Account=40100, Cost Centre=CC200, Version=Actual, Time=Nov 25." in told["mapped"]
    assert "Cost Centre by centres.csv: code 'SALES' is 'CC200' (line 2)." in told["mapped"]
    assert "line 2 of prepared/" in told["written"]


def test_a_quarantined_record_tells_why(close):
    close.whole_way()
    told = steps(close, "e3")
    assert list(told) == ["read", "booked", "mapped", "quarantined"]
    assert told["mapped"] == "Not sent: unmapped: centres.csv has no Cost Centre for 'PROD' on 2025-11-04."


def test_a_record_left_out_by_rule_tells_which(close):
    close.ledger.lines[0]["kind"] = "closing"
    close.whole_way()
    assert steps(close, "e1")["mapped"] == "Left out by rule: closing entry."


def test_a_rejected_cell_is_told_for_each_of_its_records(close):
    close.model.rejected = {"40100"}
    close.whole_way()
    assert steps(close, "e2")["rejected"] == "Rejected: no such account"
    assert "rejected" not in steps(close, "e4")


def test_the_decision_is_told_by_the_code_book_of_then(close, new_run):
    close.whole_way()
    moved = crosswalk("centres.csv", [Rule(MatchKind.DEFAULT, "", "ALL", line=9)])
    plan = actuals(crosswalks={"Cost Centre": moved})
    Close(close.bench, close.ledger, close.model, new_run(), plan=plan).whole_way()
    told = [step.sentence for step in tell(close.bench, "e1") if step.step == "mapped"]
    assert "CC200" in told[0]
    assert "default is 'ALL' (line 9)" in told[1]


def test_every_version_of_a_record_is_told(close, new_run):
    close.whole_way()
    close.ledger.change(1, amount=Decimal("-101.00"), credit=Decimal("101.00"))
    Close(close.bench, close.ledger, close.model, new_run(), plan=close.plan).whole_way()
    told = tell(close.bench, "e1")
    assert [step.facts["record"]["amount"] for step in told if step.step == "read"] == ["-100.000000", "-101.000000"]
    assert [step.step for step in told].count("accepted") == 2


def test_a_run_that_did_not_touch_the_cell_says_so_or_nothing(close, new_run):
    close.whole_way()
    close.ledger.change(1, description="another text")
    other = Close(close.bench, close.ledger, close.model, new_run(), plan=close.plan)
    other.whole_way()
    assert "unchanged" in steps(close, "e1")
    assert other.run.run_id not in {step.run_id for step in tell(close.bench, "e4")}


def test_a_record_that_nobody_read_is_not_known(close):
    close.whole_way()
    with pytest.raises(DataError, match="No batch holds a record e99"):
        tell(close.bench, "e99")


def test_the_chunk_of_a_line_is_found_by_its_place_in_the_file(tmp_path):
    file = tmp_path / "cells.csv"
    filler = '"' + "x\n" * 50 + '"'
    file.write_text("Header\n" + f"{filler}\n" * 200_000)
    assert _chunk(file, 1) == 0
    assert _chunk(file, 200_000) == (file.stat().st_size - 1) // (8 << 20)
    file.write_text("Header\n1\n")
    assert _chunk(file, 1) is None
