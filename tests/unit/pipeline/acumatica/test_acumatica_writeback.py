# SPDX-License-Identifier: Apache-2.0
"""Approved journals become batches in Acumatica, each exactly once, whatever happens between two requests.

The write step itself works here, over HTTP, on a real trail; the server does not look for a batch that it is told to
make, so that only what the step does keeps it from making a second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as otherwise

import pytest

from airflow_provider_mlconnector.errors import PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.writeback import verify
from airflow_provider_mlconnector.sandbox.acumatica import site_of
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.acumatica.draft_options import DraftOptions
from airflow_provider_mlconnector.systems.drafting import DraftState
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from tests.clocks import QuickClock
from tests.unit.pipeline.plan.interrupting import LATER, LOSSES, NameOf, killed, payload
from tests.unit.pipeline.plan.interrupting import write as write_as_task
from tests.unit.pipeline.support import FLOW
from tests.unit.systems.acumatica.drafts.desk import LEDGER, OPTIONS, PERIOD, Desk, held, journal, planned

ONE_BY_ONE = otherwise(OPTIONS, chunk=1)
SMALL, CHANGED = journal("5"), journal("7")
WRITES = 3
"""Requests that write the small journal: its batch, and each of its lines."""
CHANGES = ("DELETE", "PUT", "PUT", "PUT", "PUT")
"""Methods of the requests that remove a journal, and put other lines into another one."""


@pytest.fixture(scope="module")
def sandbox():
    with serve(["acumatica"], scale=0.05) as running:
        yield running


@pytest.fixture
def clock(sandbox):
    return QuickClock(sandbox.world)


@pytest.fixture
def desk(sandbox) -> Iterator[Desk]:
    made = Desk(sandbox)
    made.clear()
    made.turn(finds_by_filter=False)
    yield made
    made.close()


@pytest.fixture
def write(bench, desk, new_run):
    """Write journals as a new process; it logs out unless it is killed."""
    run = new_run()

    def go(*journals: Journal, options: DraftOptions = ONE_BY_ONE):
        return write_as_task(bench, desk.drafting(options), approved(*journals), run.run_id)

    go.run_id = run.run_id
    return go


def approved(*journals: Journal) -> Payload:
    return payload("LARKFIELD", LEDGER, PERIOD, *journals)


def requests_by(*methods: str) -> NameOf:
    """Return a name for each request by one of these methods: the method."""
    return lambda method, url, more: method if method in methods else ""


def check(bench, desk, *journals: Journal) -> None:
    """See that the ledger holds just these, whatever was still on its way, and that nothing is left open."""
    desk.world.clock.advance(3600)
    assert held(desk) == planned(*journals)
    assert len(desk.batches) == len(journals)
    assert desk.post_calls == 0
    assert all(row.intent is None for row in Documents(bench.trail.engine).of_flow(FLOW, PERIOD))


def test_journals_are_written_whole_and_the_same_again_writes_nothing(bench, desk, write):
    receipts = write(SMALL, journal("1", "2", part="2"))

    check(bench, desk, SMALL, journal("1", "2", part="2"))
    assert {receipt.number for receipt in receipts} == {batch["number"] for batch in desk.batches}
    before = desk.writes()
    assert [receipt.written for receipt in write(SMALL, journal("1", "2", part="2"))] == [False, False]
    assert desk.writes() == before
    verified = verify(bench, approved(SMALL), desk.drafting(), run_id=write.run_id)
    assert [receipt.state for receipt in verified] == [DocumentState.VERIFIED]


@pytest.mark.parametrize("at", range(WRITES))
def test_a_worker_may_die_while_the_ledger_still_has_its_request(bench, desk, write, at):
    desk.fault(FaultKind.LATE, "JournalTransaction", method="PUT", skip=at, seconds=LATER)
    with killed(requests_by("PUT"), at=at, after=True):
        write(SMALL)
    write(SMALL)
    check(bench, desk, SMALL)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("at", range(WRITES))
def test_the_answer_to_any_creation_may_be_lost(bench, desk, write, at, loss):
    kind, seconds = LOSSES[loss]
    fault = desk.fault(kind, "JournalTransaction", method="PUT", skip=at, seconds=seconds)
    write(SMALL)
    assert desk.hits(fault) == 1
    check(bench, desk, SMALL)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_answer_to_a_change_or_a_removal_may_be_lost(bench, desk, write, loss):
    write(SMALL, journal("1", part="2"))
    kind, seconds = LOSSES[loss]
    for method in ("PUT", "DELETE"):
        desk.fault(kind, "JournalTransaction", method=method, seconds=seconds)
    write(CHANGED)
    check(bench, desk, CHANGED)


@pytest.mark.parametrize("at", range(len(CHANGES)))
def test_a_worker_may_die_amid_a_change_and_a_removal(bench, desk, write, at):
    write(SMALL, journal("1", part="2"))
    with killed(requests_by(*CHANGES), at=at) as sent:
        write(CHANGED)
    assert tuple(sent) == CHANGES[:at]
    write(CHANGED)
    check(bench, desk, CHANGED)


def test_what_a_person_posted_is_left_alone_and_refused_when_the_plan_changed(desk, write):
    write(SMALL)
    desk.post_by_hand(SMALL.key)

    assert [receipt.state for receipt in write(SMALL)] == [DocumentState.POSTED]
    with pytest.raises(PostedError, match=SMALL.key):
        write(CHANGED)
    with pytest.raises(PostedError, match=SMALL.key):
        write(journal("1", part="2"))
    assert desk.batches == []


@pytest.mark.parametrize("mishap", [*LOSSES, "killed before", "killed after"])
def test_where_the_flow_says_so_each_batch_is_released_once_whatever_happens(desk, write, mishap):
    releasing = otherwise(ONE_BY_ONE, release=True)
    if mishap in LOSSES:
        kind, seconds = LOSSES[mishap]
        desk.fault(kind, "ReleaseJournalTransaction", method="POST", seconds=seconds)
        write(SMALL, options=releasing)
    else:
        with killed(requests_by("POST"), at=1, after=mishap.endswith("after")):  # the first one logs in
            write(SMALL, options=releasing)
        write(SMALL, options=releasing)
    desk.world.clock.advance(3600)

    assert desk.batches == []
    assert desk.drafting().find(SMALL).state is DraftState.POSTED
    assert len(site_of(desk.world).tenants[0].released) == 1
