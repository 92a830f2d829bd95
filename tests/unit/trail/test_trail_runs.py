# SPDX-License-Identifier: Apache-2.0
"""Runs and their events."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import TrailError
from airflow_provider_mlconnector.trail.records import EventKind, RunOutcome, make_run_id
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.trail.support import run_ref, staged


def test_a_run_id_is_the_same_for_the_same_texts_only_and_fits_a_file_name() -> None:
    one = make_run_id("larkfield close", "FY2026-P05", "manual__2026-11-20T06:00:00+00:00")
    assert one == make_run_id("larkfield close", "FY2026-P05", "manual__2026-11-20T06:00:00+00:00")
    assert one != make_run_id("larkfield close", "FY2026-P05", "manual__2026-11-20T06:00:01+00:00")
    assert one.startswith("larkfield_close.FY2026-P05.")


def test_opening_a_run_again_changes_nothing(trail: Trail, clock: StandingClock) -> None:
    clock.advance(60)
    again = trail.open_run(run_ref(), requested_by="bob", detail={"x": 1})
    assert (again.requested_by, again.opened_at, again.detail) == ("ada", START, {})


def test_events_are_numbered_and_chained(trail: Trail) -> None:
    header = trail.run("r1").head
    assert trail.record("r1", EventKind.WAITED, {"seconds": 1.5}) == 1
    assert trail.record("r1", EventKind.UPLOADED, {"chunks": 4}, files=[staged("a.csv")], rows_digest="00") == 2
    first, second = trail.events("r1")
    assert (first.previous, second.previous) == (header, first.hash)
    assert (second.kind, second.files, second.rows_digest) == (EventKind.UPLOADED, (staged("a.csv"),), "00")
    assert (trail.run("r1").events, trail.run("r1").head) == (2, second.hash)


def test_detail_keeps_amounts_and_days_as_text(trail: Trail) -> None:
    trail.record("r1", EventKind.NOTE, {"sum": Decimal("0.10"), "day": date(2026, 11, 20), "at": START})
    assert trail.events("r1")[0].detail == {"sum": "0.10", "day": "2026-11-20", "at": "2026-11-20T06:00:00.000000Z"}


@pytest.mark.parametrize("detail", [{"x": float("nan")}, {"x": object()}])
def test_detail_that_is_no_json_is_refused_and_appends_nothing(trail: Trail, detail: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        trail.record("r1", EventKind.NOTE, detail)
    assert trail.events("r1") == []


def test_an_unknown_run_is_an_error_that_says_where_to_look(trail: Trail) -> None:
    with pytest.raises(TrailError, match=r"no run nope.*trail runs"):
        trail.record("nope", EventKind.NOTE, {})


def test_closing_hashes_of_a_flow_are_chained(trail: Trail) -> None:
    trail.open_run(run_ref("r2"), requested_by="ada")
    trail.open_run(run_ref("r3", flow="another"), requested_by="ada")
    closings = [trail.close_run(run_id, RunOutcome.SUCCEEDED) for run_id in ("r1", "r2", "r3")]
    assert len(set(closings)) == 3
    assert trail.run("r2").closing == closings[1]
    assert trail.run("r2").outcome is RunOutcome.SUCCEEDED
    assert trail.verify() == []


def test_closing_a_run_twice_alike_is_one_closing(trail: Trail) -> None:
    assert trail.close_run("r1", RunOutcome.FAILED) == trail.close_run("r1", RunOutcome.FAILED)


def test_a_cleared_step_opens_its_run_again_and_it_is_closed_anew(trail: Trail) -> None:
    failed = trail.close_run("r1", RunOutcome.FAILED)
    trail.record("r1", EventKind.NOTE, {"again": True})
    assert trail.run("r1").outcome is None
    assert trail.close_run("r1", RunOutcome.SUCCEEDED) != failed
    assert trail.run("r1").outcome is RunOutcome.SUCCEEDED
    assert trail.verify() == []


def test_runs_are_listed_newest_first_by_flow_and_period(trail: Trail, clock: StandingClock) -> None:
    clock.advance(1)
    trail.open_run(run_ref("r2"), requested_by="ada")
    trail.open_run(run_ref("r3", flow="another"), requested_by="ada")
    assert [run.run_id for run in trail.runs(run_ref().flow)] == ["r2", "r1"]
    assert [run.run_id for run in trail.runs(period="FY2026-P05", limit=2)] == ["r2", "r3"]
    assert trail.runs(period="FY2026-P06") == []
    assert trail.run("r3").ref == run_ref("r3", flow="another")
