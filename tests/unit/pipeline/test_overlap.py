# SPDX-License-Identifier: Apache-2.0
"""Runs of one period, and of one model, under way at the same time: whoever is first, the model is the ledger."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.replay import Wanted
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.hostile import ACCOUNTS, HostileLedger, World
from tests.unit.pipeline.profiles import of_the_suite
from tests.unit.pipeline.stepped import Step, SteppedRun

ORDERS = [
    *(("B" * steps + "S" * 4 + "B" * (4 - steps)) for steps in range(5)),
    *(("S" * steps + "B" * 4 + "S" * (4 - steps)) for steps in range(1, 4)),
    "BSBSBSBS",
    "SBSBSBSB",
    "BBSSBSBS",
    "SSBBSBSB",
]
"""Turns of a backfill (B) and a scheduled run (S): each interrupts the other at every boundary of its four steps."""


def make_world(bench: Bench, flow: str = "close", version: str = "Actual", model: FakeModel | None = None) -> World:
    """Return a flow that was loaded once, with a line that changed since, one that is gone and one that is new."""
    world = World(bench, HostileLedger(), model or FakeModel(), flow=flow, version=version)
    for number in range(6):
        world.post(ACCOUNTS[number % 3], "SALES")
    bench.clock.sleep(60)
    SteppedRun(world).to_the_end()
    bench.clock.sleep(3600)
    world.change(world.ledger.lines[0], account="40200")
    world.ledger.lines.pop(2)
    world.post("10100", "PROD")
    return world


def take_turns(runs: Sequence[SteppedRun], turns: Sequence[int], between: Callable[[], None] = lambda: None) -> None:
    """Let runs go on in the order of ``turns``, and then in turn until all are over.

    Who finds the model taken stays where it is, and comes back at its next turn.
    """
    for turn in turns:
        runs[turn].go_on()
        between()
    for _ in range(20):
        for run in runs:
            run.go_on()
    assert {run.next for run in runs} == {Step.OVER}


def check_agreement(world: World) -> None:
    assert world.held() == world.expected()
    world.check_accepted_cells()
    assert not world.accepted().in_flight
    assert not world.bench.leases.all()


@pytest.mark.parametrize("order", ORDERS)
def test_a_backfill_and_a_scheduled_run_may_interrupt_each_other_at_any_step(bench: Bench, order: str) -> None:
    world = make_world(bench)
    runs = [SteppedRun(world, "whole"), SteppedRun(world)]
    first, *rest = ["BS".index(turn) for turn in order]
    runs[first].go_on()
    world.change(world.ledger.lines[1], **{"dimension.DEPARTMENT": "PROD"})
    take_turns(runs, rest)
    check_agreement(world)
    assert len(world.model.uploads) == len(world.model.made), "what was uploaded was imported before the next upload"


@settings(of_the_suite(examples=2, deep=300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(st.integers(0, 5), max_size=40), changes=st.lists(st.integers(0, 40), max_size=3))
def test_three_such_pairs_on_one_model_in_any_order(bench: Bench, turns: list[int], changes: list[int]) -> None:
    mark, model = bench.clock.now().isoformat(), FakeModel()
    worlds = [make_world(bench, f"close {name} {mark}", name, model) for name in ("A", "B", "C")]
    runs = [SteppedRun(world, mode) for world in worlds for mode in ("whole", "changes")]
    done = 0

    def change_now_and_then() -> None:
        nonlocal done
        done += 1
        if done in changes:
            bench.clock.sleep(60)
            worlds[done % 3].change(worlds[done % 3].ledger.lines[1], **{"dimension.DEPARTMENT": "PROD"})

    take_turns(runs, turns, change_now_and_then)
    for world in worlds:
        SteppedRun(world).to_the_end()
        check_agreement(world)


def test_three_such_pairs_on_one_model_in_threads(bench: Bench) -> None:
    model = FakeModel()
    worlds = [make_world(bench, f"close {name}", name, model) for name in ("A", "B", "C")]
    runs = [SteppedRun(world, mode) for world in worlds for mode in ("whole", "changes")]
    errors: list[BaseException] = []

    def work(run: SteppedRun) -> None:
        pause = random.Random(run.run.run_id)
        try:
            while run.next is not Step.OVER:
                run.go_on()
                time.sleep(pause.random() / 50)
        except BaseException as error:  # told by the test itself
            errors.append(error)

    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    for world in worlds:
        check_agreement(world)
    assert bench.trail.verify(check_file=bench.stage.fetch) == []


def test_a_replayed_old_batch_leaves_the_totals_of_today(bench: Bench) -> None:
    world = make_world(bench)
    old = bench.trail.batches(flow=world.flow)[-1]
    SteppedRun(world).to_the_end()
    world.change(world.ledger.lines[1], account="10100")
    SteppedRun(world).to_the_end()
    SteppedRun(world, wanted=Wanted(batch_id=old.batch_id)).to_the_end()
    check_agreement(world)


@pytest.mark.parametrize("steps", range(4))
def test_a_replay_and_a_newer_load_may_interrupt_each_other(bench: Bench, steps: int) -> None:
    world = make_world(bench)
    old = bench.trail.batches(flow=world.flow)[-1]
    runs = [SteppedRun(world, wanted=Wanted(batch_id=old.batch_id)), SteppedRun(world)]
    take_turns(runs, [0] * steps + [1] * 4)
    check_agreement(world)


def test_what_was_sent_is_not_repeated_over_what_was_sent_later(bench: Bench) -> None:
    world = make_world(bench)
    old = bench.trail.batches(flow=world.flow)[-1]
    SteppedRun(world).to_the_end()
    late = SteppedRun(world, wanted=Wanted(batch_id=old.batch_id), repeat=True)
    late.go_on()
    assert late.next is Step.OVER
    assert "sent some of these cells later" in late.refusal
    check_agreement(world)


def test_nor_when_the_later_load_comes_between_its_look_and_its_turn(bench: Bench) -> None:
    world = make_world(bench)
    old = bench.trail.batches(flow=world.flow)[-1]
    repeated = SteppedRun(world, wanted=Wanted(batch_id=old.batch_id), repeat=True)
    repeated.go_on()
    assert repeated.next is Step.BEGIN, "nothing was sent since: it may go"
    SteppedRun(world).to_the_end()
    repeated.go_on()
    assert repeated.next is Step.OVER
    assert "sent some of these cells later" in repeated.refusal
    check_agreement(world)


def test_a_replay_that_touches_no_cell_takes_nothing_for_accepted(bench: Bench) -> None:
    world = make_world(bench)
    SteppedRun(world).go_on()
    SteppedRun(world, wanted=Wanted(record_ids=("e99",))).to_the_end()
    world.check_accepted_cells()
    SteppedRun(world).to_the_end()
    check_agreement(world)


def test_a_repeated_file_does_not_make_known_what_another_load_left_unknown(bench: Bench) -> None:
    """The failed load may have changed its cell: it is sent again, although the ledger is back where it was."""
    world = make_world(bench)
    SteppedRun(world).to_the_end()
    moved, other = world.ledger.lines[:2]
    before = dict(moved)
    world.change(other, account="10100")
    sent = SteppedRun(world)
    sent.to_the_end()
    assert sent.batch is not None
    world.change(moved, **{"dimension.DEPARTMENT": "PROD"})
    world.model.ignored = 1
    SteppedRun(world).to_the_end()
    world.model.ignored = 0
    assert world.accepted().in_flight, "it is not known which cell was ignored"
    world.change(moved, **{"dimension.DEPARTMENT": before["dimension.DEPARTMENT"]})
    SteppedRun(world, wanted=Wanted(batch_id=sent.batch.batch_id), repeat=True).to_the_end()
    SteppedRun(world).to_the_end()
    check_agreement(world)
