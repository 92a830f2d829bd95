# SPDX-License-Identifier: Apache-2.0
"""A writer that dies between two requests, and answers that are lost: one complete set of lines all the same."""

import pytest

from airflow_provider_mlconnector.errors import ConflictError, LostAnswerError, PermissionDeniedError, ServerError
from airflow_provider_mlconnector.sandbox.business_central.posting_rules import DefaultDimension
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from tests.unit.systems.business_central.drafts.desk import JOURNALS, Killed, held, holds, journal

SMALL = journal("5")
REQUESTS = 2
"""Of the small journal: its lines, and their dimensions."""

WAY = ["POST 0", "PATCH 0", "POST 1", "POST 2"]
"""Requests on the way to another version: lines go, one is changed, one is added; dimensions follow."""

LATER = 30.0
LOSSES = {
    "before it took effect": (FaultKind.RESET, 0.0),
    "after it took effect": (FaultKind.LOST_ANSWER, 0.0),
    "long before it took effect": (FaultKind.LATE, LATER),
}


def lose(desk, method, skip, loss="after it took effect", times=1):
    kind, seconds = LOSSES[loss]
    fault = Fault(kind, "business_central", method, JOURNALS, times=times, skip=skip, seconds=seconds)
    return desk.world.faults.add(fault)


def old_and_new(desk):
    """Leave a draft of an earlier version, and return one that changes, takes away and adds lines and dimensions."""
    desk.journals.rules.put_default(DefaultDimension("20400", "DEPARTMENT", "ADM"))
    desk.write(journal("1", "2", "3"))
    desk.journals.lines[0].dimensions["DEPARTMENT"] = "LOG"
    return journal("1", "5")


def test_the_small_journal_takes_as_many_requests_as_the_tests_count_on(desk):
    assert len(desk.write(SMALL)) == REQUESTS


@pytest.mark.parametrize("steps", range(REQUESTS + 1))
def test_a_writer_that_dies_is_followed_by_one_that_finishes(desk, steps):
    if steps < REQUESTS:
        with pytest.raises(Killed):
            desk.write(SMALL, killed_after=steps)
    desk.write(SMALL)
    assert holds(desk) == held(SMALL)
    assert desk.post_calls == 0


def test_a_writer_may_die_anywhere_on_the_way_to_another_version(desk):
    assert len(desk.write(old_and_new(desk))) == len(WAY)
    for steps in range(len(WAY)):
        desk.clear()
        wanted = old_and_new(desk)
        with pytest.raises(Killed):
            desk.write(wanted, killed_after=steps)
        desk.write(wanted)
        assert holds(desk) == held(wanted), steps


def test_a_writer_may_die_after_every_single_step(desk):
    for _ in range(REQUESTS - 1):
        with pytest.raises(Killed):
            desk.write(SMALL, killed_after=1)
    assert len(desk.write(SMALL)) == 1
    assert holds(desk) == held(SMALL)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("request_number", range(REQUESTS))
def test_the_answer_to_any_creation_may_be_lost(desk, loss, request_number):
    fault = lose(desk, "POST", request_number, loss)
    desk.write(SMALL)
    assert desk.world.faults.hits(fault) == 1
    desk.world.clock.advance(LATER)
    assert desk.steps(SMALL) == []
    assert holds(desk) == held(SMALL)
    assert desk.post_calls == 0


@pytest.mark.parametrize("request_", WAY)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_answer_to_any_request_on_the_way_to_another_version_may_be_lost(desk, loss, request_):
    wanted = old_and_new(desk)
    method, _, number = request_.partition(" ")
    fault = lose(desk, method, int(number), loss)
    desk.write(wanted)
    assert desk.world.faults.hits(fault) == 1
    desk.world.clock.advance(LATER)
    assert holds(desk) == held(wanted)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_answer_to_the_removal_of_a_line_may_be_lost(desk, loss):
    desk.write(SMALL)
    wanted = journal(lines=SMALL.lines[:1])
    fault = lose(desk, "DELETE", 0, loss)
    desk.write(wanted)
    assert desk.world.faults.hits(fault) == 1
    desk.world.clock.advance(LATER)
    assert holds(desk) == held(wanted)


@pytest.mark.parametrize("request_number", range(REQUESTS))
def test_a_creation_that_took_effect_long_after_it_was_repeated_doubles_nothing(desk, request_number):
    lose(desk, "POST", request_number, "long before it took effect")
    drafting = desk.drafting()
    while steps := drafting.steps(SMALL):
        try:
            for step in steps:
                step.do()
        except LostAnswerError:
            continue
    desk.world.clock.advance(LATER)
    assert desk.steps(SMALL) == []
    assert holds(desk) == held(SMALL)


def test_the_same_request_twice_leaves_its_lines_once_and_is_no_reason_to_give_up_but_to_look_again(desk):
    (early,) = desk.steps(SMALL)
    early.do()
    with pytest.raises(ConflictError):
        early.do()
    assert len(desk.lines()) == len(SMALL.lines)
    desk.write(SMALL)
    assert holds(desk) == held(SMALL)


def test_a_line_that_a_person_changed_since_the_look_is_not_written_over(desk):
    desk.write(SMALL)
    step = desk.steps(journal("7"))[0]
    desk.control.call("PATCH", "/business_central/journals/ANAPLAN/lines/10000", {"amount": "8"})
    with pytest.raises(ConflictError):
        step.do()
    assert desk.lines()[0]["amount"] == "8"


def test_a_line_that_is_gone_since_the_look_is_no_reason_to_give_up(desk):
    desk.write(journal("5", "6"))
    step = next(step for step in desk.steps(SMALL) if step.sentence.startswith("remove 2 lines (20000 to 30000)"))
    step.do()
    with pytest.raises(ConflictError):
        step.do()


def test_a_number_that_a_hidden_line_has_is_told(desk):
    batch = next(batch for batch in desk.journals.batches if batch.code == "ANAPLAN")
    desk.journals.insert(batch, {"lineNumber": 10_000, "accountType": "Customer", "accountNumber": "C00010"})
    with pytest.raises(ConflictError, match="keep it for the plan alone"):
        desk.steps(SMALL)[0].do()


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_request_that_the_server_gave_up_may_have_taken_effect(desk, status):
    desk.world.faults.add(Fault(FaultKind.STATUS, "business_central", "POST", JOURNALS, status=status))
    with pytest.raises((LostAnswerError, ServerError)):
        desk.steps(SMALL)[0].do()


def test_an_application_that_may_only_read_is_told_what_it_lacks(desk):
    desk.world.faults.add(Fault(FaultKind.STATUS, "business_central", "POST", JOURNALS, status=403))
    with pytest.raises(PermissionDeniedError, match="may write general journals"):
        desk.steps(SMALL)[0].do()


def test_a_request_is_waited_for_until_the_service_itself_has_given_it_up(desk):
    assert desk.drafting().settle > 8 * 60
