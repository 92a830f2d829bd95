# SPDX-License-Identifier: Apache-2.0
"""Approved journals become entries in Dynamics GP, each exactly once, whatever happens between two requests.

The write step itself works here, over SOAP, on a real trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import CapabilityError, PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.writeback import verify
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from tests.clocks import QuickClock
from tests.unit.pipeline.plan.interrupting import LATER, LOSSES, killed, payload
from tests.unit.pipeline.plan.interrupting import write as write_as_task
from tests.unit.pipeline.support import FLOW
from tests.unit.systems.dynamics_gp.drafts.desk import BATCH, PERIOD, Desk, journal, planned

FIRST, SECOND = journal("5"), journal("1", "2", part="2")
CREATE = "CreateGLTransaction"
ENTRIES = 2
"""Requests that write both journals: one for each."""


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
        return write_as_task(bench, desk.drafting(), approved(*journals), run.run_id)

    go.run_id = run.run_id
    return go


def approved(*journals: Journal) -> Payload:
    return payload("LARKFIELD", BATCH, PERIOD, *journals)


def creation(method: str, url: str, more: dict[str, Any]) -> str:
    """Return a name for calls that create an entry."""
    return CREATE if more["headers"].get("SOAPAction", "").strip('"').endswith(f"/{CREATE}") else ""


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
    verified = verify(bench, approved(FIRST, SECOND), desk.drafting(), run_id=write.run_id)
    assert [receipt.state for receipt in verified] == [DocumentState.VERIFIED] * ENTRIES


@pytest.mark.parametrize("at", range(ENTRIES))
def test_a_worker_may_die_while_the_ledger_still_has_its_request(bench, desk, write, at):
    fault = desk.fault(FaultKind.LATE, skip=at, seconds=LATER)
    with killed(creation, at=at, after=True):
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
