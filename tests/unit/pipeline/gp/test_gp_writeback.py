# SPDX-License-Identifier: Apache-2.0
"""Approved journals become entries in Dynamics GP, each exactly once, whatever happens between two requests.

The write step itself works here, over SOAP, on a real trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from airflow_provider_mlconnector.errors import CapabilityError, PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.writeback import verify, write_back
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from tests.clocks import QuickClock
from tests.unit.pipeline.support import FLOW
from tests.unit.systems.dynamics_gp.drafts.desk import BATCH, PERIOD, Desk, journal, planned

RESOURCE = f"dynamics_gp/dynamics_gp_default/LARKFIELD/{BATCH}"
FIRST, SECOND = journal("5"), journal("1", "2", part="2")
ENTRIES = 2
"""Requests that write both journals: one for each."""
REQUESTS = 17
"""All requests of writing them, every look included; a test counts them."""

LATER = 30.0
LOSSES = {
    "before it took effect": (FaultKind.RESET, 0.0),
    "after it took effect": (FaultKind.LOST_ANSWER, 0.0),
    "long before it took effect": (FaultKind.LATE, LATER),
}


class Killed(BaseException):
    """The worker is gone."""


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_gp"], scale=0.05) as running:
        yield running


@pytest.fixture
def clock(sandbox):
    return QuickClock(sandbox.world)


@pytest.fixture
def desk(sandbox) -> Iterator[Desk]:
    made = Desk(sandbox)
    made.clear()
    yield made
    made.close()


@pytest.fixture
def write(bench, desk, new_run):
    """Write journals as a new process."""
    run = new_run()

    def go(*journals: Journal):
        return write_back(
            bench, payload(*journals), desk.drafting(), run_id=run.run_id, owner="plan/run/write", resource=RESOURCE
        )

    go.run_id = run.run_id
    return go


def payload(*journals: Journal) -> Payload:
    return Payload(
        flow=FLOW,
        plan="Approved Budget",
        company="LARKFIELD",
        periods=(PERIOD,),
        version="Budget",
        name=BATCH,
        journals=journals,
    )


@contextmanager
def killed(*, at: int, operation: str = "", after: bool = False) -> Iterator[list[str]]:
    """Let the process die before its request of that number, or after it; yield the operations of those it sent.

    :param operation: only calls of it count.
    """
    sent: list[str] = []
    real = requests.Session.request

    def request(self, method, url, **more):
        asked = more["headers"].get("SOAPAction", "").strip('"').rpartition("/")[2]
        if operation not in ("", asked):
            return real(self, method, url, **more)
        if len(sent) == at and not after:
            raise Killed
        sent.append(asked)
        try:
            return real(self, method, url, **more)
        finally:
            if after and len(sent) == at + 1:
                raise Killed

    requests.Session.request = request
    try:
        yield sent
    except Killed:
        pass
    finally:
        requests.Session.request = real


def check(bench, desk, *journals: Journal) -> None:
    """See that the ledger holds just these, whatever was still on its way, and that nothing is left open."""
    desk.world.clock.advance(3600)
    assert desk.held() == planned(*journals)
    assert len(desk.drafts.entries) == len(journals)
    assert desk.post_calls == 0
    assert all(row.intent is None for row in Documents(bench.trail.engine).of_flow(FLOW, PERIOD))


def test_journals_are_written_whole_and_the_same_again_writes_nothing(bench, desk, write):
    receipts = write(FIRST, SECOND)

    check(bench, desk, FIRST, SECOND)
    assert sorted(int(receipt.number) for receipt in receipts) == sorted(desk.drafts.entries)
    assert [receipt.written for receipt in write(FIRST, SECOND)] == [False, False]
    verified = verify(bench, payload(FIRST, SECOND), desk.drafting(), run_id=write.run_id)
    assert [receipt.state for receipt in verified] == [DocumentState.VERIFIED] * ENTRIES


def test_both_journals_take_as_many_requests_as_the_tests_count_on(desk, write):
    with killed(at=1000) as sent:
        write(FIRST, SECOND)
    assert (len(sent), sent.count("CreateGLTransaction")) == (REQUESTS, ENTRIES)


@pytest.mark.parametrize("at", range(REQUESTS))
def test_a_worker_may_die_between_any_two_requests(bench, desk, write, at):
    with killed(at=at) as sent:
        write(FIRST, SECOND)
    assert len(sent) == at
    write(FIRST, SECOND)
    check(bench, desk, FIRST, SECOND)


@pytest.mark.parametrize("at", range(ENTRIES))
def test_a_worker_may_die_after_the_ledger_did_what_it_was_asked(bench, desk, write, at):
    with killed(at=at, operation="CreateGLTransaction", after=True) as sent:
        write(FIRST, SECOND)
    assert len(sent) == at + 1
    write(FIRST, SECOND)
    check(bench, desk, FIRST, SECOND)


@pytest.mark.parametrize("at", range(ENTRIES))
def test_a_worker_may_die_while_the_ledger_still_has_its_request(bench, desk, write, at):
    fault = desk.fault(FaultKind.LATE, skip=at, seconds=LATER)
    with killed(at=at, operation="CreateGLTransaction", after=True):
        write(FIRST, SECOND)
    assert desk.world.faults.hits(fault) == 1
    write(FIRST, SECOND)
    check(bench, desk, FIRST, SECOND)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("at", range(ENTRIES))
def test_the_answer_to_any_creation_may_be_lost(bench, desk, write, at, loss):
    kind, seconds = LOSSES[loss]
    fault = desk.fault(kind, skip=at, seconds=seconds)
    write(FIRST, SECOND)
    assert desk.world.faults.hits(fault) == 1
    check(bench, desk, FIRST, SECOND)


def test_a_request_that_comes_after_its_repetition_makes_no_second_entry(bench, desk, write):
    desk.fault(FaultKind.LATE, seconds=10 * LATER)
    write(FIRST)
    check(bench, desk, FIRST)


def test_a_failure_of_the_service_after_the_entry_was_made_doubles_nothing(bench, desk, write):
    desk.fault(FaultKind.LOST_ANSWER)
    desk.fault(FaultKind.STATUS, "GetGLTransactionList", status=503)
    desk.fault(FaultKind.STATUS, status=502)
    write(FIRST)
    check(bench, desk, FIRST)


@pytest.mark.parametrize("plan", [[journal("7"), SECOND], [SECOND]], ids=["changed", "gone"])
def test_a_draft_that_the_plan_has_otherwise_is_refused_until_a_person_deleted_it(bench, desk, write, plan):
    write(FIRST, SECOND)
    with pytest.raises(CapabilityError, match="neither change nor delete"):
        write(*plan)
    check(bench, desk, FIRST, SECOND)

    desk.act("DELETE", FIRST.key)
    write(*plan)
    check(bench, desk, *plan)


def test_what_a_person_posted_is_left_alone_and_refused_when_the_plan_changed(desk, write):
    posted = journal("5", part="posted by a person")
    write(posted)
    desk.act("POST", f"{posted.key}/post")

    assert [receipt.state for receipt in write(posted)] == [DocumentState.POSTED]
    with pytest.raises(PostedError, match=posted.key):
        write(journal("7", part="posted by a person"))
    with pytest.raises(PostedError, match=posted.key):
        write(SECOND)
    assert desk.held() == []
