# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.systems.anaplan.local import LocalBudget, LocalTokenStore
from airflow_provider_mlconnector.systems.anaplan.ports import Token
from tests.unit.systems.http.scripted_server import FakeClock


@settings(deadline=None)
@given(gaps=st.lists(st.floats(0, 3), min_size=1, max_size=120), limit=st.integers(2, 12))
def test_no_sliding_minute_ever_holds_more_than_allowed(gaps, limit):
    clock = FakeClock()
    budget = LocalBudget(per_minute=limit, reserve=1, clock=clock)
    sent = []
    for gap in gaps:
        clock.advance(gap)
        while (wait := budget.take("host")) > 0:
            clock.sleep(wait)
        sent.append(clock.monotonic())
    for at in sent:
        assert sum(1 for other in sent if at - 59.999 < other <= at) <= limit - 1


def test_the_reserve_is_left_to_people():
    budget = LocalBudget(per_minute=600, reserve=60, clock=FakeClock())
    assert sum(budget.take("host") == 0 for _ in range(600)) == 540


def test_a_pause_holds_everybody_back_and_a_shorter_one_does_not_end_it():
    clock = FakeClock()
    budget = LocalBudget(clock=clock)
    budget.pause("host", 30.0)
    budget.pause("host", 5.0)
    assert budget.take("host") == 30.0
    assert budget.take("other") == 0.0
    clock.advance(30.0)
    assert budget.take("host") == 0.0


def test_many_threads_make_one_token():
    clock = FakeClock()
    store = LocalTokenStore(clock)
    made = []

    def fresh(last, refresh_token):
        time.sleep(0.01)
        made.append(1)
        return Token(f"t{len(made)}", clock.now() + timedelta(minutes=35)), None

    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda _: store.token("k", fresh=fresh, early=300), range(20)))
    assert len(made) == 1
    assert {token.value for token in tokens} == {"t1"}


def test_a_refused_token_is_forgotten_but_a_newer_one_stays():
    clock = FakeClock()
    store = LocalTokenStore(clock)
    values = iter(["a", "b", "c"])

    def fresh(last, refresh_token):
        return Token(next(values), clock.now() + timedelta(minutes=35)), None

    assert store.token("k", fresh=fresh, early=300).value == "a"
    store.reject("k", "a")
    assert store.token("k", fresh=fresh, early=300).value == "b"
    store.reject("k", "a")
    assert store.token("k", fresh=fresh, early=300).value == "b"


def test_a_failed_login_is_told_and_tried_again_next_time():
    clock = FakeClock()
    store = LocalTokenStore(clock)
    attempts = iter([ValueError("down"), Token("t", clock.now() + timedelta(minutes=35))])

    def fresh(last, refresh_token):
        made = next(attempts)
        if isinstance(made, ValueError):
            raise made
        return made, None

    with pytest.raises(ValueError, match="down"):
        store.token("k", fresh=fresh, early=300)
    assert store.token("k", fresh=fresh, early=300).value == "t"
