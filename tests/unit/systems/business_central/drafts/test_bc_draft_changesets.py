# SPDX-License-Identifier: Apache-2.0
"""Many changes as few requests, each of which takes effect as a whole or not at all, where the server keeps to that."""

from decimal import Decimal

import msgspec
import pytest

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    ConflictError,
    LostAnswerError,
    PermissionDeniedError,
    ProtocolError,
    SchemaDriftError,
    ServerError,
)
from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.systems.business_central.writing import Change
from tests.unit.systems.business_central.drafts.desk import JOURNALS, held, holds, journal

SMALL = journal("5")
KEY = SMALL.key
LATER = 30.0


def large(lines):
    """Return a journal of so many lines without dimensions."""
    amounts = [Decimal(place) for place in range(1, lines)]
    amounts.append(-sum(amounts))
    return journal(
        lines=tuple(
            JournalLine(number=place, account="60210", amount=amount, description=f"Rent {place}")
            for place, amount in enumerate(amounts, start=1)
        )
    )


def with_account(wanted, number, account):
    """Return a journal with another account in one line."""
    lines = (msgspec.structs.replace(line, account=account) if line.number == number else line for line in wanted.lines)
    return msgspec.structs.replace(wanted, lines=tuple(lines))


def without_isolation(desk):
    desk.control.call("PATCH", "/business_central/switches", {"isolation": False})


def lose(desk, kind, skip):
    fault = Fault(kind, "business_central", "POST", JOURNALS, skip=skip, seconds=LATER)
    return desk.world.faults.add(fault)


def put_in_the_way(desk, number):
    """Let somebody else add a line of another document under a number of the batch."""
    batch = next(batch for batch in desk.journals.batches if batch.code == "ANAPLAN")
    desk.journals.insert(batch, {"lineNumber": number, "accountNumber": "60220", "documentNumber": "G00001"})


def test_250_lines_and_their_dimensions_are_written_by_eight_requests(desk):
    wanted = journal(*(str(place) for place in range(1, 251)))
    before = desk.writes()
    assert desk.write(wanted) == [
        f"add 100 lines (1 to 100) of {KEY} to batch ANAPLAN",
        f"add 100 lines (101 to 200) of {KEY} to batch ANAPLAN",
        f"add 51 lines (201 to 251) of {KEY} to batch ANAPLAN",
        *(f"set dimensions of 50 lines ({first} to {first + 49}) of {KEY}" for first in range(1, 251, 50)),
    ]
    assert desk.writes() - before == 8
    assert sorted(holds(desk)) == sorted(held(wanted))
    assert desk.post_calls == 0


def test_lines_that_go_go_a_hundred_at_a_time_too(desk):
    desk.write(large(201))
    assert [step.sentence for step in desk.steps(journal(lines=()))] == [
        f"remove 100 lines (10000 to 1000000) of {KEY} from batch ANAPLAN",
        f"remove 100 lines (1010000 to 2000000) of {KEY} from batch ANAPLAN",
        f"remove line 2010000 ({KEY}-201) of {KEY} from batch ANAPLAN",
    ]
    desk.write(journal(lines=()))
    assert desk.lines() == []


def test_a_step_has_the_same_sentence_until_it_took_effect(desk):
    wanted = large(150)
    said = [[step.sentence for step in desk.steps(wanted)] for _ in range(2)]
    assert said[0] == said[1]
    desk.steps(wanted)[0].do()
    assert [step.sentence for step in desk.steps(wanted)] == said[0][1:]


def test_dimensions_are_not_mixed_with_lines_so_that_the_sentence_of_a_lost_request_stays(desk):
    desk.write(SMALL)
    desk.journals.lines[0].amount = Decimal(7)
    desk.journals.lines[1].dimensions["PROJECT"] = "P100"
    assert [step.sentence for step in desk.steps(SMALL)] == [f"set amount of line 1 of {KEY}"]
    assert len(desk.write(SMALL)) == 2
    assert holds(desk) == held(SMALL)


def test_one_bad_line_leaves_nothing_of_its_request_and_is_told(desk):
    bad = with_account(journal("1", "2", "3"), 3, "60800")
    (step,) = desk.steps(bad)
    with pytest.raises(BadRequestError, match=f"add line 3 of {KEY}.* was answered 400: Blocked must be equal"):
        step.do()
    assert desk.lines() == []


def test_what_a_server_that_keeps_to_no_snapshot_did_by_half_is_found_and_gone_on_with(desk):
    without_isolation(desk)
    wanted = journal("1", "2", "3")
    with pytest.raises(BadRequestError):
        desk.steps(with_account(wanted, 3, "60800"))[0].do()
    assert [line["number"] for line in desk.lines()] == [10_000, 20_000]
    assert desk.write(wanted)[0] == f"add 2 lines (3 to 4) of {KEY} to batch ANAPLAN"
    assert holds(desk) == held(wanted)


def test_without_snapshots_lines_in_the_way_and_dimensions_that_are_there_are_gone_round(desk):
    without_isolation(desk)
    wanted = journal("1", "2", "3")
    (lines,) = desk.steps(wanted)
    put_in_the_way(desk, 30_000)
    with pytest.raises(ConflictError):
        lines.do()
    desk.steps(wanted)[0].do()
    (dimensions,) = desk.steps(wanted)
    desk.journals.lines[1].dimensions["DEPARTMENT"] = "LOG"
    with pytest.raises(ConflictError):
        dimensions.do()
    desk.write(wanted)
    assert [row for row in holds(desk) if row[0] == KEY] == held(wanted)


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.LATE, FaultKind.TRUNCATE])
@pytest.mark.parametrize("lost", range(3))
def test_the_answer_to_any_of_several_requests_may_be_lost(desk, kind, lost):
    wanted = large(201)
    struck = lose(desk, kind, lost)
    desk.write(wanted)
    assert desk.world.faults.hits(struck) == 1
    desk.world.clock.advance(LATER)
    assert desk.steps(wanted) == []
    assert sorted(holds(desk)) == sorted(held(wanted))


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.LATE, FaultKind.TRUNCATE])
@pytest.mark.parametrize("lost", range(2))
def test_without_snapshots_an_answer_may_be_lost_after_a_request_was_done_by_half(desk, kind, lost):
    without_isolation(desk)
    wanted = large(150)
    (first, _) = desk.steps(wanted)
    put_in_the_way(desk, 490_000)
    with pytest.raises(ConflictError):
        first.do()
    assert len(desk.steps(wanted)) == 2
    struck = lose(desk, kind, lost)
    desk.write(wanted)
    assert desk.world.faults.hits(struck) == 1
    desk.world.clock.advance(LATER)
    assert [row for row in sorted(holds(desk)) if row[0] == KEY] == sorted(held(wanted))


def answered(desk, *answers):
    """Let the next batch be answered so, without being carried out."""
    body = {"responses": list(answers)}
    desk.world.faults.add(Fault(FaultKind.STATUS, "business_central", "POST", r"/\$batch$", status=200, body=body))


def refusal(status, code="", message=""):
    return {"id": "2", "status": status, "body": {"error": {"code": code, "message": message}}}


DONE = {"id": "1", "status": 201, "headers": {}, "body": {}}


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (refusal(400, "Internal_EntityWithSameKeyExists", "It is there."), ConflictError, "keep it for the plan alone"),
        (refusal(400, "Application_DialogException", "It already exists."), ConflictError, "already exists"),
        (refusal(404, "Internal_RecordNotFound", "Gone."), ConflictError, "Gone"),
        (refusal(409, "Request_EntityChanged", "Another user."), ConflictError, "Another user"),
        (refusal(403), PermissionDeniedError, "may write general journals"),
        (
            refusal(400, "BadRequest", "No.  CorrelationId:  11111111-2222-3333-4444-555555555555."),
            BadRequestError,
            "No",
        ),
        (
            refusal(400, "BadRequest", "Could not find a property named 'amount' on type 'X'."),
            SchemaDriftError,
            "amount",
        ),
        (refusal(400, "BadRequest", "Please try again later."), ServerError, "again later"),
        (refusal(408), LostAnswerError, "408"),
        (refusal(429, "Application_TooManyRequests", "Too many requests"), ServerError, "Too many"),
        (refusal(503, "Internal_TenantUnavailable", "Not now"), ServerError, "Not now"),
        ({"id": "2", "status": 500, "body": "<html>"}, ServerError, "500"),
        ({"id": None, "status": 504}, ServerError, "One of the changes"),
        ({"id": "2", "status": 302}, ProtocolError, "Of 2 changes in one request, 1 were answered as done"),
        ({"id": "2"}, ProtocolError, "broken"),
    ],
)
def test_the_failure_of_one_change_is_judged_as_if_it_had_come_alone(desk, answer, error, says):
    answered(desk, DONE, answer)
    with pytest.raises(error, match=says) as caught:
        desk.steps(SMALL)[0].do()
    assert type(caught.value) is error
    assert "CorrelationId" not in str(caught.value)


@pytest.mark.parametrize("answers", [[], [DONE], [DONE, DONE, DONE]], ids=["none", "too few", "too many"])
def test_it_is_not_known_what_a_request_did_whose_changes_are_not_all_answered(desk, answers):
    answered(desk, *answers)
    with pytest.raises(ProtocolError, match=f"Of 2 changes in one request, {len(answers)} were answered as done"):
        desk.steps(SMALL)[0].do()


@pytest.mark.parametrize(
    "path", ["v2.0/$batch", "v2.0/companies(1)/journals(2)/Microsoft.NAV.anything", "v2.0/companies(1)/journals(2)"]
)
def test_nothing_but_lines_and_their_dimensions_is_ever_written(path):
    with pytest.raises(ValueError, match="Only lines and their dimensions are written"):
        Change(1, "do something else", "POST", path)
