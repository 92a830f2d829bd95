# SPDX-License-Identifier: Apache-2.0
"""Approved journals become drafts in Business Central over HTTP, whatever becomes of single answers."""

from __future__ import annotations

import logging
import shutil

import pytest

from airflow_provider_mlconnector.errors import PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.pipeline.writeback import verify, write_back
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.trail.documents import DocumentState
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import RunRef
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import QuickClock
from tests.unit.systems.business_central.drafts.desk import JOURNALS, Desk, held, holds, journal

PERIOD = "FY2027-P05"


def plan(*journals: Journal) -> Payload:
    return Payload(
        flow="larkfield_close",
        plan="Approved Budget",
        company="Larkfield Ltd",
        periods=(PERIOD,),
        version="Budget",
        name="ANAPLAN",
        journals=tuple(sorted(journals, key=lambda one: one.key)),
    )


PLAN = plan(journal("5", "6", part="first"), journal("7", part="second"))
SMALL = plan(journal("5"))
CREATIONS = 2
"""Requests that write the small plan: its lines, and their dimensions."""

WIDE = plan(journal(*map(str, range(1, 111))))
WIDE_CREATIONS = 5
"""Requests that write the wide plan: 111 lines, and the two dimensions of all but the last."""


@pytest.fixture
def desk(sandbox):
    opened = Desk(sandbox)
    opened.clear()
    yield opened
    opened.close()


@pytest.fixture
def write(tmp_path, trail_template, sandbox, desk):
    """Write a payload, as a run of its own, and read it back."""
    shutil.copy(trail_template, tmp_path / "trail.db")
    clock = QuickClock(sandbox.world)
    trail = Trail(f"sqlite:///{tmp_path}/trail.db", clock=clock)
    stage = LocalStage(tmp_path / "stage")
    bench = Bench(
        trail=trail, leases=Leases(trail.engine, clock), stage=stage, log=logging.getLogger("plan"), clock=clock
    )
    runs = []

    def go(wanted):
        runs.append(RunRef(run_id=f"run{len(runs)}", flow=wanted.flow, period=PERIOD, mode="plan"))
        trail.open_run(runs[-1], requested_by="ada")
        drafting, run_id = desk.drafting(), runs[-1].run_id
        receipts = write_back(bench, wanted, drafting, run_id=run_id, owner="plan/write", resource="erp/bc/ANAPLAN")
        verify(bench, wanted, drafting, run_id=run_id)
        return [(receipt.state, receipt.written) for receipt in receipts]

    yield go
    trail.close()


def test_a_plan_becomes_drafts_and_a_second_run_writes_nothing(desk, write):
    assert write(PLAN) == [(DocumentState.DRAFTED, True)] * 2
    assert holds(desk) == held(*PLAN.journals)
    before = desk.writes()
    assert write(PLAN) == [(DocumentState.DRAFTED, False)] * 2
    assert desk.writes() == before
    assert desk.post_calls == 0


def test_the_small_plan_takes_as_many_requests_as_the_tests_count_on(desk, write):
    before = desk.writes()
    write(SMALL)
    assert desk.writes() - before == CREATIONS


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.RESET, FaultKind.LATE])
@pytest.mark.parametrize("creation", range(CREATIONS))
def test_the_answer_to_any_creation_may_be_lost_and_the_ledger_may_do_it_later(desk, write, kind, creation):
    fault = Fault(kind, "business_central", "POST", JOURNALS, skip=creation, seconds=30)
    struck = desk.world.faults.add(fault)
    write(SMALL)
    assert desk.world.faults.hits(struck) == 1
    desk.world.clock.advance(30)
    assert holds(desk) == held(*SMALL.journals)
    assert desk.post_calls == 0


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.LATE])
@pytest.mark.parametrize("creation", range(WIDE_CREATIONS))
def test_lines_by_the_hundred_are_written_once_whatever_becomes_of_one_request(desk, write, kind, creation):
    before = desk.writes()
    struck = desk.world.faults.add(Fault(kind, "business_central", "POST", JOURNALS, skip=creation, seconds=30))
    write(WIDE)
    assert desk.world.faults.hits(struck) == 1
    desk.world.clock.advance(30)
    assert sorted(holds(desk)) == sorted(held(*WIDE.journals))
    assert desk.writes() - before == WIDE_CREATIONS
    assert desk.post_calls == 0


def test_a_changed_plan_replaces_its_drafts_and_takes_away_those_that_it_has_no_more(desk, write):
    write(PLAN)
    changed = plan(journal("5", "60.60", part="first"), journal("8", part="third"))
    states = write(changed)
    assert holds(desk) == held(*changed.journals)
    assert (DocumentState.REMOVED, True) in states


def test_what_a_person_posted_is_left_alone_and_told_when_the_plan_changes(desk, write):
    posted = plan(journal("9", part="posted"))
    write(posted)
    desk.post_by_hand()
    assert write(posted) == [(DocumentState.POSTED, False)]
    with pytest.raises(PostedError, match="A person posted document"):
        write(plan(journal("10", part="posted")))
    assert desk.lines() == []
