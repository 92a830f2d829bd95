# SPDX-License-Identifier: Apache-2.0
"""No minute of the server's own count holds more requests than the tenant may send."""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from datetime import timedelta

import pytest

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.trail.budgets import SLACK_SECONDS, Budgets
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.trail.support import in_processes

TENANT = "api.anaplan.com"


def busiest_minute(moments: list[float]) -> int:
    """Return the most requests in any 60 seconds, however they are laid."""
    ordered = sorted(moments)
    return max(place + 1 - bisect_left(ordered, moment - 59.999999) for place, moment in enumerate(ordered))


@pytest.mark.parametrize("seed", range(2))
def test_whatever_the_rhythm_no_minute_of_the_server_holds_more_than_we_may(
    trail: Trail, clock: StandingClock, seed: int
) -> None:
    dice = random.Random(seed)
    budgets = Budgets(trail.engine, clock, per_minute=30, reserve=5)
    arrived: list[float] = []
    while (clock.now() - START).total_seconds() < 400:
        if budgets.take(TENANT) == 0:
            arrived.append(clock.now().timestamp() + dice.uniform(0, SLACK_SECONDS))
        clock.advance(dice.choice((0.001, 0.01, 0.4, 2.5)))
    assert busiest_minute(arrived) <= 25
    assert len(arrived) >= 25 * 400 / (60 + SLACK_SECONDS + 1) * 0.8


def test_a_full_budget_says_when_to_come_back(trail: Trail, clock: StandingClock) -> None:
    budgets = Budgets(trail.engine, clock, per_minute=3, reserve=1)
    assert [budgets.take(TENANT) for _ in range(2)] == [0, 0]
    wait = budgets.take(TENANT)
    assert 60 < wait < 66
    assert budgets.take("another tenant") == 0
    clock.advance(wait)
    assert budgets.take(TENANT) == 0


def test_nobody_sends_while_the_server_says_wait(trail: Trail, clock: StandingClock) -> None:
    budgets = Budgets(trail.engine, clock)
    budgets.pause(TENANT, 30)
    budgets.pause(TENANT, 5)
    assert 30 < Budgets(trail.engine, clock).take(TENANT) < 31
    clock.advance(30)
    assert budgets.take(TENANT) == 0


def test_a_clock_that_was_ahead_does_not_lock_the_budget(trail: Trail, clock: StandingClock) -> None:
    budgets = Budgets(trail.engine, clock, per_minute=2, reserve=0)
    clock.moment = START + timedelta(hours=1)
    budgets.take(TENANT)
    budgets.take(TENANT)
    clock.moment = START
    assert 60 < budgets.take(TENANT) < 66


@pytest.mark.parametrize(("per_minute", "reserve"), [(60, 60), (60, -1), (0, 0)])
def test_a_reserve_that_leaves_nothing_is_refused(trail: Trail, per_minute: int, reserve: int) -> None:
    with pytest.raises(ConfigurationError):
        Budgets(trail.engine, per_minute=per_minute, reserve=reserve)


def test_eight_processes_together_take_no_more_than_the_budget(trail: Trail) -> None:
    budgets = Budgets(trail.engine, SYSTEM_CLOCK, per_minute=600, reserve=60)

    def takes(number: int) -> tuple[int, float]:
        began, taken = time.monotonic(), 0
        while budgets.take(TENANT) == 0:
            taken += 1
        return taken, time.monotonic() - began

    answers = in_processes(8, takes)
    assert sum(taken for taken, _ in answers) == 540
    seconds = max(seconds for _, seconds in answers)
    print(f"{540 / seconds:.0f} takes a second by 8 processes")
    assert 540 / seconds > 50, "far below what a burst needs, even on a loaded machine"
