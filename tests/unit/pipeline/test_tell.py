# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.pipeline.plan import Tolerance
from airflow_provider_mlconnector.pipeline.replay import Wanted, as_sent
from airflow_provider_mlconnector.pipeline.tell import tell
from airflow_provider_mlconnector.pipeline.whereabouts import read_line
from airflow_provider_mlconnector.systems.port import Finding, FindingKind
from airflow_provider_mlconnector.trail.records import RunRef
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import actuals, run_ref

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
    assert steps(close, "e2")["rejected"] == "Rejected: no such account (line 2, amount -120.50)"
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


def test_a_lost_code_is_told_by_the_run_that_met_it_and_the_former_cell_went_without_the_record(close, new_run):
    close.whole_way()
    lost = actuals(
        crosswalks={"Cost Centre": crosswalk("centres.csv", [CENTRES.rules[1]])}, tolerance=Tolerance(rows=9)
    )
    for _ in range(2):  # the second run meets the same and does nothing
        Close(close.bench, close.ledger, close.model, new_run(), plan=lost).whole_way()
    told = [step for step in tell(close.bench, "e1") if step.run_id != close.run.run_id]
    assert [step.step for step in told] == ["mapped", "left", "quarantined"]
    assert "no Cost Centre for 'SALES'" in told[0].sentence
    assert told[1].sentence.startswith("Its former cell Account=40100, Cost Centre=CC200")
    assert told[1].sentence.endswith("Amount 0.")


def test_another_decision_is_told_though_no_cell_moved_and_the_same_one_is_not_told_twice(close, new_run):
    close.whole_way()
    other = actuals(crosswalks={"Cost Centre": crosswalk("other.csv", CENTRES.rules)}, tolerance=Tolerance(rows=9))
    later = []
    for _ in range(2):
        close.bench.clock.advance(60)
        later.append(new_run())
        Close(close.bench, close.ledger, close.model, later[-1], plan=other).whole_way()
    told = [(step.run_id, step.sentence) for step in tell(close.bench, "e3") if step.step == "mapped"]
    assert [run_id for run_id, _ in told] == [close.run.run_id, later[0].run_id]
    assert "other.csv has no Cost Centre for 'PROD'" in told[1][1]


def test_a_file_that_was_repeated_is_told_with_who_asked_for_it(close):
    batch = close.bench.trail.batch(close.load(close.prepare()).prepared.batch_id)
    run = run_ref("again")
    close.bench.trail.open_run(run, requested_by="grace")
    made = as_sent(close.bench, close.plan, Wanted(batch_id=batch.batch_id), run)
    again = Close(close.bench, close.ledger, close.model, run, plan=close.plan)
    state, work = again.begin(made)
    again.finish(state, work)
    told = [step for step in tell(close.bench, "e1") if step.run_id == "again"]
    assert [step.step for step in told] == ["replayed", "written", "started", "finished", "accepted"]
    assert told[0].sentence == f"grace asked to send batch {batch.batch_id} again, byte for byte as it was sent."
    assert {step.by for step in told} == {"grace"}
    assert "Amount -120.5" in told[1].sentence


def test_a_record_that_could_not_be_read_is_told_though_no_batch_holds_it(close):
    close.ledger.findings = [Finding(FindingKind.ROW_INVALID, "e9", "the amount is no number")]
    close.whole_way()
    (told,) = tell(close.bench, "e9")
    assert told.sentence == "Quarantined when it was read, from journal_lines: the amount is no number"
    assert tell(close.bench, "e9", flow="larkfield_close") == [told]
    with pytest.raises(DataError):
        tell(close.bench, "e9", flow="another")


def test_a_cell_that_was_prepared_twice_has_its_reject_told_once(close, new_run):
    close.model.rejected = {"40100"}
    first = close.prepare()
    close.load(close.prepare())
    assert first.against == 0
    assert [step.step for step in tell(close.bench, "e1")].count("rejected") == 1


def test_a_record_that_nobody_read_is_not_known(close):
    close.whole_way()
    with pytest.raises(DataError, match="No batch holds a record e99"):
        tell(close.bench, "e99")


def test_the_chunk_of_a_line_is_found_by_its_place_in_the_file(tmp_path):
    file = tmp_path / "cells.csv"
    filler = '"' + "x\n" * 50 + '"'
    file.write_text("Header\n" + f"{filler}\n" * 200_000)
    assert read_line(file, 1)[1] == 0
    assert read_line(file, 200_000)[1] == (file.stat().st_size - 1) // (8 << 20)
    file.write_text("Header\n1\n")
    assert read_line(file, 1) == ({"Header": "1"}, None)
