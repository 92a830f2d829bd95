# SPDX-License-Identifier: Apache-2.0
"""Lines whose dimensions could not be read, and can be read again although nobody touched them."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.pipeline import extract as extracting
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.plan import ReadMode
from airflow_provider_mlconnector.systems.port import Scope
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.hostile import HostileLedger, World
from tests.unit.pipeline.stepped import SteppedRun

LINES = 6


@pytest.fixture(params=[True, False], ids=["read by id", "read whole"])
def world(bench: Bench, request: pytest.FixtureRequest) -> World:
    """Six lines of one department, loaded while its value was deleted; a later line, so that no overlap brings them."""
    world = World(bench, HostileLedger(by_record=request.param), FakeModel())
    world.ledger.lost = {"SALES"}
    for _ in range(LINES):
        world.post("40100", "SALES")
    bench.clock.sleep(3600)
    world.post("10100", "")
    made = SteppedRun(world).to_the_end().prepared
    assert made.rows_quarantined == LINES
    world.ledger.requested.clear()
    return world


def night(world: World) -> SteppedRun:
    world.bench.clock.sleep(86_400)
    run = SteppedRun(world)
    run.to_the_end()
    return run


def scopes(world: World) -> list[Scope]:
    asked = [scope for _, scope in world.ledger.requested]
    world.ledger.requested.clear()
    return asked


def test_the_next_increment_brings_them_as_soon_as_they_can_be_read(world: World) -> None:
    world.ledger.lost = set()
    done = night(world)
    assert world.held() == world.expected()
    assert done.loaded is not None
    assert done.loaded.prepared.rows_quarantined == 0
    scopes(world)
    night(world)
    assert [scope.since is None for scope in scopes(world)] == [False], "afterwards only changes are read"


def test_as_long_as_they_cannot_every_night_says_so(world: World) -> None:
    for _ in range(2):
        done = night(world)
        assert done.batch is not None
        notes = [event for event in world.bench.trail.events(done.run.run_id) if event.kind == EventKind.NOTE]
        assert [event.detail["lines"] for event in notes] == [LINES]
        assert "could not be read before" in notes[0].detail["sentence"]
        assert len(world.bench.trail.rejects(done.run.run_id)) == LINES
        world.check_accounted_for(done.made)  # type: ignore[arg-type]  # it was prepared


@pytest.mark.parametrize("world", [True], indirect=True)
def test_lines_that_stay_unreadable_do_not_make_every_night_read_the_period_whole(world: World, monkeypatch) -> None:
    monkeypatch.setattr(extracting, "UNREADABLE_TRIED", 2)
    tried = set()
    for _ in range(4):
        done = night(world)
        changes, again = scopes(world)
        assert changes.since is not None
        assert (len(again.records), again.since) == (2, None)
        tried.add(again.records)
        assert done.batch is not None
        assert done.batch.mode == ReadMode.CHANGES
    assert len(tried) > 1, "not the same ones every night"


@pytest.mark.parametrize("world", [True], indirect=True)
def test_when_one_of_many_can_be_read_the_period_is_read_whole_for_the_others(world: World, monkeypatch) -> None:
    monkeypatch.setattr(extracting, "UNREADABLE_TRIED", 2)
    world.ledger.lost = set()
    done = night(world)
    asked = scopes(world)
    assert [(scope.since is None, len(scope.records)) for scope in asked] == [(False, 0), (True, 2), (True, 0)]
    assert done.batch is not None
    assert done.batch.mode == ReadMode.WHOLE
    assert world.held() == world.expected()


@pytest.mark.parametrize("world", [True], indirect=True)
def test_records_that_are_read_again_do_not_move_the_watermark(world: World) -> None:
    before = world.accepted().watermark
    world.ledger.lost = set()
    row = world.ledger.lines[0]
    night(world)
    assert world.accepted().watermark == before
    world.change(row, description="touched")
    night(world)
    assert (world.accepted().watermark or before) > before  # type: ignore[operator]  # it was loaded before
