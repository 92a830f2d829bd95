# SPDX-License-Identifier: Apache-2.0
"""Accepted cells, what is in flight, the watermark, and the rows that did not go through."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_mlconnector.errors import StaleVersionError, TrailError
from airflow_provider_mlconnector.trail import store
from airflow_provider_mlconnector.trail.records import Accepted, EventKind, RejectKind, RunOutcome
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.trail.support import CELLS, DAY, reject, staged


def test_cells_never_sent_are_at_version_0(trail: Trail) -> None:
    assert trail.accepted(CELLS) == Accepted()


def test_what_is_sent_is_unknown_until_its_outcome_is_accepted(trail: Trail) -> None:
    assert trail.mark_in_flight(CELLS, expected=0, touched=staged("touched-1"), run_id="r1") == 1
    assert trail.mark_in_flight(CELLS, expected=1, touched=staged("touched-2"), run_id="r1") == 2
    assert trail.accepted(CELLS).in_flight == (staged("touched-1"), staged("touched-2"))
    assert trail.accepted(CELLS).file is None
    version = trail.accept(CELLS, expected=2, file=staged("cells"), watermark=START, run_id="r1", detail={"loaded": 4})
    assert trail.accepted(CELLS) == Accepted(version=version, file=staged("cells"), watermark=START)
    assert [event.kind for event in trail.events("r1")] == [
        EventKind.IN_FLIGHT,
        EventKind.IN_FLIGHT,
        EventKind.ACCEPTED,
    ]
    assert trail.events("r1")[-1].detail["loaded"] == 4


def test_a_load_prepared_against_an_older_version_is_not_accepted(trail: Trail) -> None:
    trail.accept(CELLS, expected=0, file=staged("cells"), watermark=START, run_id="r1", detail={})
    with pytest.raises(StaleVersionError, match="version 1, not 0"):
        trail.accept(CELLS, expected=0, file=staged("older"), watermark=None, run_id="r1", detail={})
    with pytest.raises(StaleVersionError):
        trail.mark_in_flight(CELLS, expected=0, touched=staged("touched"), run_id="r1")
    assert trail.accepted(CELLS) == Accepted(version=1, file=staged("cells"), watermark=START)
    assert len(trail.events("r1")) == 1


def test_without_a_new_watermark_the_old_one_stays(trail: Trail) -> None:
    trail.accept(CELLS, expected=0, file=staged("one"), watermark=START, run_id="r1", detail={})
    trail.accept(CELLS, expected=1, file=staged("two"), watermark=None, run_id="r1", detail={})
    assert trail.accepted(CELLS).watermark == START
    later = START + timedelta(hours=1)
    trail.accept(CELLS, expected=2, file=staged("three"), watermark=later, run_id="r1", detail={})
    assert trail.accepted(CELLS).watermark == later


def test_cells_rejects_and_watermark_are_one_transaction(trail: Trail) -> None:
    with pytest.raises(TrailError, match="no run nope"):
        trail.accept(
            CELLS, expected=0, file=staged("cells"), watermark=START, run_id="nope", detail={}, rejects=[reject()]
        )
    with pytest.raises(TypeError):
        trail.accept(
            CELLS,
            expected=0,
            file=staged("c"),
            watermark=START,
            run_id="r1",
            detail={"x": object()},
            rejects=[reject()],
        )
    assert trail.accepted(CELLS) == Accepted()
    assert trail.rejects() == []
    assert trail.events("r1") == []


def test_accepted_cells_that_were_replaced_are_no_longer_needed(trail: Trail, clock: StandingClock) -> None:
    trail.accept(CELLS, expected=0, file=staged("one"), watermark=START, run_id="r1", detail={})
    trail.accept(CELLS, expected=1, file=staged("two"), watermark=START, run_id="r1", detail={})
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    clock.advance(DAY)
    assert trail.unused_files() == [staged("one")]


def test_rejects_are_found_by_run_kind_and_record(trail: Trail) -> None:
    trail.add_rejects("r1", [reject("e-1"), reject("e-2", RejectKind.QUARANTINED)])
    trail.accept(CELLS, expected=0, file=staged("c"), watermark=None, run_id="r1", detail={}, rejects=[reject("e-1")])
    assert [(row.event, row.position, row.reject) for row in trail.rejects("r1", kind=RejectKind.REJECTED)] == [
        (1, 1, reject("e-1")),
        (2, 1, reject("e-1")),
    ]
    assert [row.reject.kind for row in trail.rejects(record_id="e-2")] == [RejectKind.QUARANTINED]
    assert len(trail.rejects("r1", limit=2)) == 2
    counts = {"quarantined Load GL Actuals": 1, "rejected Load GL Actuals": 1}
    assert trail.events("r1")[0].detail == {"counts": counts}


def test_many_rejects_are_added_in_parts_and_counted(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "REJECTS_AT_ONCE", 3)
    assert trail.add_rejects("r1", (reject(f"e-{number}") for number in range(7))) == 7
    assert [row.reject.record_id for row in trail.rejects("r1")] == [f"e-{number}" for number in range(7)]
    assert len(trail.events("r1")) == 3
    assert trail.add_rejects("r1", []) == 0
    assert len(trail.events("r1")) == 3


def test_text_that_a_database_cannot_keep_does_not_stop_a_load(trail: Trail) -> None:
    odd = reject("e-\x00\ud800")
    trail.add_rejects("r1", [odd])
    assert trail.rejects("r1")[0].reject.record_id == "e-\ufffd?"
    assert trail.verify() == []
