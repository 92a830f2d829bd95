# SPDX-License-Identifier: Apache-2.0
"""Late postings: lines of a closed period that came after its last load."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.pipeline.sweep import sweep
from airflow_provider_mlconnector.pipeline.tell import tell
from airflow_provider_mlconnector.trail.records import EventKind, RunOutcome
from airflow_provider_mlconnector.trail.store import Trail
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import PERIOD, line, read_plan, run_ref

NEXT = replace(PERIOD, number=6, start=PERIOD.end + timedelta(days=1), end=PERIOD.end + timedelta(days=31))


@pytest.fixture
def close(bench, ledger, new_run):
    """Make runs of the period; each opens a run, loads it whole and ends it."""

    def run(outcome: RunOutcome | None = RunOutcome.SUCCEEDED, *, load: bool = True) -> Close:
        bench.clock.advance(3600)
        made = Close(bench, ledger, run.model, new_run())
        if load:
            made.whole_way()
        else:
            made.prepare()
        if outcome is not None:
            bench.trail.close_run(made.run.run_id, outcome)
        return made

    run.model = FakeModel()
    return run


@pytest.fixture
def swept(bench, ledger):
    """Sweep in a new run of the next period."""
    count = 0

    def look(*, erp=None, trail=None):
        nonlocal count
        count += 1
        bench.clock.advance(60)
        run = run_ref(f"next{count}", period=NEXT.key)
        bench.trail.open_run(run, requested_by="ada")
        return sweep(replace(bench, trail=trail or bench.trail), erp or ledger, read_plan(), run, [PERIOD])

    return look


def post(ledger, number, amount="7.25", **more):
    """Post a line now: after everything that the ledger has."""
    latest = max(row["modified_at"] for row in ledger.lines)
    ledger.lines.append({**line(number, "60000", amount, modified_at=latest + timedelta(hours=1)), **more})


def announced(bench, run):
    return [event.detail for event in bench.trail.events(run.run_id) if event.kind == EventKind.LATE_POSTINGS]


def test_a_period_to_which_nothing_was_posted_after_its_load_has_no_late_postings(close, swept, bench):
    close()
    done = swept()
    assert (done.late, done.periods) == ((), 1)
    assert bench.trail.events(done.run.run_id) == []


def test_a_late_posting_is_told_with_count_sum_stamp_and_ids(close, swept, bench, ledger):
    close()
    post(ledger, 7, "7.25")
    post(ledger, 8, "-2.00")
    done = swept()
    [late] = done.late
    assert (late.period, late.lines, late.new, late.debit) == (PERIOD.key, 2, 2, "7.25")
    assert (late.latest, late.records) == (ledger.lines[-1]["modified_at"], ("e8", "e7"))
    assert "Trigger a run with the partition key FY2026-P05" in late.sentence
    [told] = announced(bench, done.run)
    assert (told["period"], told["lines"], told["new"], told["debit"]) == (PERIOD.key, 2, 2, "7.25")
    assert told["records"] == ["e8", "e7"]


def test_a_changed_line_of_a_closed_period_is_late_too(close, swept, ledger):
    close()
    ledger.change(3, amount=Decimal("-31.00"))
    assert [late.records for late in swept().late] == [("e3",)]


def test_a_late_posting_is_announced_once_and_stays_known_until_it_is_loaded(close, swept, bench, ledger):
    close()
    post(ledger, 7)
    first, second = swept(), swept()
    post(ledger, 8)
    third = swept()
    assert [[(one.lines, one.new) for one in done.late] for done in (first, second, third)] == [
        [(1, 1)],
        [(1, 0)],
        [(2, 1)],
    ]
    assert [len(announced(bench, done.run)) for done in (first, second, third)] == [1, 0, 1]
    assert announced(bench, third.run)[0]["records"] == ["e8"]
    close()
    assert swept().late == ()


def test_the_line_that_is_announced_again_is_one_that_changed_again(close, swept, bench, ledger):
    close()
    post(ledger, 7)
    swept()
    ledger.change(7, amount=Decimal("9.00"))
    [late] = swept().late
    assert (late.lines, late.new) == (1, 1)


def test_a_sweep_that_fails_loses_nothing(close, swept, bench, ledger):
    close()
    post(ledger, 7)

    def break_down() -> None:
        raise ConnectionError("the line is dead")

    ledger.on_page = break_down
    with pytest.raises(ConnectionError):
        swept()
    ledger.on_page = None
    [late] = swept().late
    assert (late.lines, late.new) == (1, 1)


class Forgetful(Trail):
    """A trail whose database goes away when the report is to be written."""

    def put_book(self, *_args, **_more):
        raise ConnectionError("the database is gone")


def test_a_report_that_could_not_be_written_is_made_by_the_next_sweep(close, swept, bench, ledger):
    close()
    post(ledger, 7)
    with pytest.raises(ConnectionError):
        swept(trail=Forgetful(bench.trail._url, clock=bench.clock))
    done = swept()
    assert [late.new for late in done.late] == [1]
    assert len(announced(bench, done.run)) == 1


def test_of_two_sweeps_at_once_one_announces(close, swept, bench, ledger):
    close()
    post(ledger, 7)
    other = []

    def sweep_too() -> None:
        ledger.on_page = None
        other.append(swept())

    ledger.on_page = sweep_too
    done = swept()
    assert [[(late.lines, late.new) for late in one.late] for one in (done, *other)] == [[(1, 0)], [(1, 1)]]
    assert [len(announced(bench, one.run)) for one in (done, *other)] == [0, 1]


def test_a_run_of_the_period_loads_what_is_late_and_it_is_late_no_more(close, swept, bench, ledger):
    close()
    post(ledger, 7)
    assert len(swept().late) == 1
    done = close()
    assert done.model.amounts()[("60000", "SALES")] == Decimal("7.25")
    assert swept().late == ()


@pytest.mark.parametrize("outcome", [RunOutcome.FAILED, None], ids=["failed", "still running"])
def test_what_a_run_only_read_is_not_loaded_yet(close, swept, ledger, outcome):
    close()
    post(ledger, 7)
    close(outcome, load=False)
    assert [late.records for late in swept().late] == [("e7",)]
    close()
    assert swept().late == ()


def test_a_posting_that_leaves_the_period_again_is_late_no_more(close, swept, ledger):
    close()
    post(ledger, 7)
    assert len(swept().late) == 1
    ledger.change(7, posting_date=NEXT.start)
    assert swept().late == ()
    ledger.change(7, posting_date=PERIOD.start)
    assert [late.new for late in swept().late] == [1]


def test_a_late_commit_with_a_stamp_within_the_overlap_is_found(close, swept, ledger):
    close()
    latest = max(row["modified_at"] for row in ledger.lines)
    post(ledger, 7, modified_at=latest - timedelta(minutes=5))
    assert [late.records for late in swept().late] == [("e7",)]


def test_a_period_that_the_flow_never_loaded_is_not_asked_for(swept, ledger):
    post_nothing = swept()
    assert (post_nothing.periods, post_nothing.late, ledger.requested) == (0, (), [])


def test_a_period_that_was_empty_when_it_was_loaded_is_read_whole(close, swept, ledger):
    kept, ledger.lines[:] = list(ledger.lines), []
    close()
    ledger.lines[:] = kept
    [late] = swept().late
    assert late.lines == 6
    assert ledger.requested[-1][1].since is None


def test_a_sweep_asks_only_for_what_changed_since_the_period_was_loaded(close, swept, ledger):
    close()
    swept()
    scope = ledger.requested[-1][1]
    assert scope.period == PERIOD
    assert scope.since == max(row["modified_at"] for row in ledger.lines) - timedelta(minutes=10)
    assert scope.dimensions == ()


def test_a_sweep_checks_what_the_ledger_gives(close, swept, ledger):
    close()
    post(ledger, 7, account=None)
    with pytest.raises(SchemaDriftError, match="account"):
        swept()


def test_what_was_reported_survives_the_check_of_the_trail(close, swept, bench, ledger):
    close()
    post(ledger, 7)
    swept()
    post(ledger, 8)
    swept()
    close()
    swept()
    assert bench.trail.verify(check_file=bench.stage.fetch) == []


def test_the_way_of_a_late_posting_tells_when_it_was_found_and_when_it_was_loaded(close, swept, bench, ledger):
    close()
    post(ledger, 7)
    swept()
    close()
    steps = [step for step in tell(bench, "e7") if step.step in ("late", "read", "written", "accepted")]
    assert [step.step for step in steps] == ["late", "read", "written", "accepted"]
    assert steps[0].sentence.startswith("Found in FY2026-P05, which is closed, and not loaded")
