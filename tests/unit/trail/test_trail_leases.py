# SPDX-License-Identifier: Apache-2.0
"""One task at a time works on a model, and an older one finds out that it is no longer the one."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import FencedError, LeaseTakenError
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import StandingClock
from tests.unit.trail.support import in_processes

MODEL = "api.anaplan.com/A1B2C3"
JOB = {"kind": "import", "task_id": "F00D"}


@pytest.fixture
def leases(trail: Trail, clock: StandingClock) -> Leases:
    return Leases(trail.engine, clock)


def test_a_model_that_is_taken_is_refused_at_once_with_who_has_it(leases: Leases) -> None:
    held = leases.note_remote(leases.acquire(MODEL, "load a", ttl=60), JOB)
    with pytest.raises(LeaseTakenError, match="load a works on") as taken:
        leases.acquire(MODEL, "load b", ttl=60)
    assert (taken.value.owner, taken.value.expired, taken.value.token) == ("load a", False, held.token)
    assert (taken.value.remote, taken.value.until) == (JOB, held.until)
    assert leases.acquire("api.anaplan.com/OTHER", "load b", ttl=60).owner == "load b"


def test_a_released_model_is_free_and_its_tokens_go_on_growing(leases: Leases) -> None:
    first = leases.acquire(MODEL, "load a", ttl=60)
    assert leases.release(first)
    assert leases.all() == []
    second = leases.acquire(MODEL, "load b", ttl=60)
    assert second.token > first.token
    assert second.remote is None


def test_a_later_process_of_the_same_task_fences_the_earlier_one_and_keeps_its_job(leases: Leases) -> None:
    before = leases.note_remote(leases.acquire(MODEL, "load a", ttl=60), JOB)
    after = leases.acquire(MODEL, "load a", ttl=60)
    assert after.remote == JOB
    for use in (leases.check, lambda lease: leases.renew(lease, 60), lambda lease: leases.note_remote(lease, None)):
        with pytest.raises(FencedError):
            use(before)
        use(after)


def test_releasing_a_lease_that_is_no_longer_ours_leaves_the_new_one_alone(leases: Leases) -> None:
    before = leases.acquire(MODEL, "load a", ttl=60)
    after = leases.acquire(MODEL, "load a", ttl=60)
    assert not leases.release(before)
    assert leases.all() == [after]
    assert leases.release(after)
    assert not leases.release(after)


def test_an_expired_lease_is_not_free_but_can_be_looked_into(leases: Leases, clock: StandingClock) -> None:
    held = leases.note_remote(leases.acquire(MODEL, "load a", ttl=60), JOB)
    clock.advance(61)
    with pytest.raises(LeaseTakenError, match="did not renew since 06:01:00 UTC") as taken:
        leases.acquire(MODEL, "load b", ttl=60)
    assert (taken.value.expired, taken.value.token, taken.value.remote) == (True, held.token, JOB)
    leases.check(held)


def test_a_takeover_fences_the_former_owner(leases: Leases, clock: StandingClock) -> None:
    held = leases.acquire(MODEL, "load a", ttl=60)
    clock.advance(61)
    taken = leases.takeover(MODEL, "load b", held.token, ttl=60)
    assert (taken.owner, taken.token, taken.remote) == ("load b", held.token + 1, None)
    with pytest.raises(FencedError, match="load a no longer holds"):
        leases.check(held)
    with pytest.raises(FencedError):
        leases.renew(held, 60)


def test_a_lease_whose_owner_is_known_to_have_ended_is_taken_before_it_expires(leases: Leases) -> None:
    held = leases.acquire(MODEL, "load a", ttl=60)
    taken = leases.takeover(MODEL, "load b", held.token, ttl=60, left=True)
    assert (taken.owner, taken.token) == ("load b", held.token + 1)
    with pytest.raises(FencedError):
        leases.renew(held, 60)
    with pytest.raises(LeaseTakenError):
        leases.takeover(MODEL, "load c", held.token, ttl=60, left=True)


def test_an_owner_that_renews_late_but_in_time_keeps_its_lease(leases: Leases, clock: StandingClock) -> None:
    held = leases.acquire(MODEL, "load a", ttl=60)
    clock.advance(61)
    renewed = leases.renew(held, ttl=60)
    assert renewed.token == held.token
    with pytest.raises(LeaseTakenError) as refused:
        leases.takeover(MODEL, "load b", held.token, ttl=60)
    assert not refused.value.expired


def test_a_takeover_of_what_somebody_else_took_or_released_meanwhile_is_refused(
    leases: Leases, clock: StandingClock
) -> None:
    held = leases.acquire(MODEL, "load a", ttl=60)
    clock.advance(61)
    other = leases.takeover(MODEL, "load b", held.token, ttl=1)
    clock.advance(2)
    with pytest.raises(LeaseTakenError) as refused:
        leases.takeover(MODEL, "load c", held.token, ttl=60)
    assert (refused.value.owner, refused.value.token) == ("load b", other.token)
    leases.release(other)
    with pytest.raises(LeaseTakenError, match="released meanwhile"):
        leases.takeover(MODEL, "load c", other.token, ttl=60)


def test_the_holders_of_all_models_are_listed(leases: Leases) -> None:
    one = leases.acquire("h/B", "load b", ttl=60)
    two = leases.note_remote(leases.acquire("h/A", "load a", ttl=60), JOB)
    assert leases.all() == [two, one]


def test_a_lease_travels_as_json(leases: Leases) -> None:
    held = leases.note_remote(leases.acquire(MODEL, "load a", ttl=60), JOB)
    assert type(held).from_json(held.to_json()) == held


def test_of_many_processes_one_gets_a_free_model_and_one_an_expired_one(trail: Trail, clock: StandingClock) -> None:
    leases = Leases(trail.engine, clock)

    def acquires(number: int) -> bool:
        try:
            return bool(leases.acquire(MODEL, f"load {number}", ttl=60))
        except LeaseTakenError:
            return False

    assert in_processes(8, acquires).count(True) == 1
    (held,) = leases.all()
    clock.advance(61)

    def takes_over(number: int) -> bool:
        try:
            return bool(leases.takeover(MODEL, f"other {number}", held.token, ttl=60))
        except LeaseTakenError:
            return False

    assert in_processes(8, takes_over).count(True) == 1
    assert leases.all()[0].token == held.token + 1
