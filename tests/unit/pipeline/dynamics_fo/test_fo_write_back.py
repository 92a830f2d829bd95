# SPDX-License-Identifier: Apache-2.0
"""Approved journals become general journals of Finance & Operations, each exactly once, whatever happens on the way.

The write step is the real one, on a real trail; the ledger is the sandbox, over HTTP. Every request that changes it is
interrupted in turn: the process dies before or after it, or its answer is lost before, after, or long before it counts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import LostAnswerError, PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.pipeline.writeback import Receipt, verify, write_back
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.drafting import Draft, Drafting, Problem, Step
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.draft_options import JournalOptions
from airflow_provider_mlconnector.systems.dynamics_fo.drafts import FinanceOperationsDrafts
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import QuickClock
from tests.unit.pipeline.support import LOG, run_ref
from tests.unit.systems.dynamics_fo.fo_desk import NAME, PERIOD, FoDesk, held, holds, journal

LATER = 30.0
JOURNAL_REQUESTS = r"^/dynamics_fo/(data/LedgerJournal|api/services/)"
SERVICE = "PlanPosting/PlanPostingService/post"


class Killed(BaseException):
    """The worker is gone."""


class Mishap(StrEnum):
    """What goes wrong with one request that changes the ledger."""

    KILLED_BEFORE = "the worker dies before it sends"
    KILLED_AFTER = "the worker dies after the ledger did it"
    KILLED_AND_LATE = "the worker dies, and the ledger does it 30 seconds later"
    LOST = "the answer is lost, and the ledger did it"
    LOST_IN_VAIN = "the answer is lost, and the ledger never does it"
    LOST_AND_LATE = "the answer is lost, and the ledger does it 30 seconds later"


FAULTS = {
    Mishap.KILLED_AND_LATE: FaultKind.LATE,
    Mishap.LOST: FaultKind.LOST_ANSWER,
    Mishap.LOST_IN_VAIN: FaultKind.RESET,
    Mishap.LOST_AND_LATE: FaultKind.LATE,
}


@dataclass
class Interrupted:
    """Drafts whose requests are counted, and one of which goes wrong."""

    drafting: Drafting
    desk: FoDesk
    at: int = 0
    mishap: Mishap | None = None
    done: list[str] = field(default_factory=list)

    @property
    def settle(self) -> float:
        return self.drafting.settle

    @property
    def effect(self) -> str:
        return self.drafting.effect

    def problems(self, journals: list[Journal]) -> list[Problem]:
        return self.drafting.problems(journals)

    def find(self, journal: Journal) -> Draft:
        return self.drafting.find(journal)

    def steps(self, journal: Journal) -> list[Step]:
        return [Step(step.sentence, partial(self._do, step)) for step in self.drafting.steps(journal)]

    def close(self) -> None:
        self.drafting.close()

    def _do(self, step: Step) -> None:
        self.done.append(step.sentence)
        mishap = self.mishap if len(self.done) == self.at else None
        if mishap is Mishap.KILLED_BEFORE:
            raise Killed
        if mishap in FAULTS:
            fault = Fault(FAULTS[mishap], "dynamics_fo", path=JOURNAL_REQUESTS, seconds=LATER)
            self.desk.world.faults.add(fault)
        try:
            step.do()
        except LostAnswerError:
            if mishap is Mishap.KILLED_AND_LATE:
                raise Killed from None
            raise
        if mishap is Mishap.KILLED_AFTER:
            raise Killed


@dataclass
class Office:
    """A bench of one test, and its ledger."""

    bench: Bench
    desk: FoDesk
    api: FinanceOperationsApi
    run_id: str
    options: dict[str, str] = field(default_factory=dict)

    def open(self, at: int = 0, mishap: Mishap | None = None) -> Interrupted:
        """Return drafts of a new process; what it logs in by is shared, to save the tests' time."""
        drafting = FinanceOperationsDrafts(self.api, NAME, JournalOptions.read(self.options))
        return Interrupted(drafting, self.desk, at, mishap)

    def write(self, plan: Payload, drafting: Drafting | None = None) -> list[Receipt]:
        ours = drafting or self.open()
        return write_back(self.bench, plan, ours, run_id=self.run_id, owner="plan/run/write", resource="erp/fo/lark")

    def write_through(self, plan: Payload, at: int, mishap: Mishap) -> None:
        """Write a plan though something goes wrong with one request; a dead worker is followed by another."""
        try:
            self.write(plan, self.open(at, mishap))
        except Killed:
            self.write(plan)
        self.bench.clock.sleep(LATER)  # not so long that the token of a late request has expired

    def documents(self) -> dict[str, DocumentState]:
        rows = Documents(self.bench.trail.engine).of_flow("flow", PERIOD)
        assert all(row.intent is None for row in rows)
        return {row.key: row.state for row in rows}


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_fo"], scale=0.02) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox):
    desk = FoDesk(sandbox)
    yield desk.api(QuickClock(sandbox.world))
    desk.close()


@pytest.fixture
def office(tmp_path, trail_template, sandbox, api) -> Iterator[Office]:
    shutil.copy(trail_template, tmp_path / "trail.db")
    clock = QuickClock(sandbox.world)
    trail = Trail(f"sqlite:///{tmp_path}/trail.db", clock=clock)
    bench = Bench(
        trail=trail,
        leases=Leases(trail.engine, clock),
        stage=LocalStage(tmp_path / "stage"),
        log=LOG,
        clock=clock,
        memory_limit="256MB",
    )
    desk = FoDesk(sandbox)
    desk.clear()
    run = run_ref("run1", "changes")
    trail.open_run(run, requested_by="ada")
    yield Office(bench, desk, api, run.run_id)
    desk.close()
    trail.close()


def payload(*journals: Journal) -> Payload:
    return Payload(
        flow="flow", plan="Budget", company="lark", periods=(PERIOD,), version="Budget", name=NAME, journals=journals
    )


PLAN = payload(journal(("60210", "SALES", "99999999999.99"), ("20400", "", "-99999999999.99")))
REQUESTS = 3
"""Of this plan: a header and two lines."""

OLD = payload(
    journal(("60210", "SALES", "5"), ("60210", "ADM", "6"), ("20400", "", "-11")),
    journal(("60210", "SALES", "1"), ("20400", "", "-1"), part="2"),
)
NEW = payload(journal(("60210", "SALES", "7"), ("20400", "", "-7")))
CHANGES = 3 + 3
"""From the one to the other: a document of three requests goes; of the other one line goes, and two change."""


def test_the_plans_here_take_as_many_requests_as_the_tests_count_on(office):
    drafting = office.open()
    office.write(PLAN, drafting)
    assert len(drafting.done) == REQUESTS
    office.desk.clear()
    office.write(OLD)
    changing = office.open()
    office.write(NEW, changing)
    assert len(changing.done) == CHANGES, changing.done


@pytest.mark.parametrize("mishap", Mishap)
@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
def test_one_complete_draft_stands_whatever_happens_to_one_request(office, at, mishap):
    office.write_through(PLAN, at, mishap)
    assert holds(office.desk) == held(*PLAN.journals)
    assert len(office.desk.told_journals()) == 1
    assert office.desk.post_calls == 0
    assert office.documents() == {PLAN.journals[0].key: DocumentState.DRAFTED}


@pytest.mark.parametrize("at", range(1, CHANGES + 1))
def test_a_changed_plan_replaces_its_drafts_though_the_worker_dies_and_its_last_request_counts_later(office, at):
    office.write(OLD)
    office.write_through(NEW, at, Mishap.KILLED_AND_LATE)
    assert holds(office.desk) == held(*NEW.journals)
    assert len(office.desk.told_journals()) == 1


def test_the_same_plan_again_sends_nothing(office):
    office.write(PLAN)
    before = office.desk.writes()
    assert [receipt.written for receipt in office.write(PLAN)] == [False]
    assert office.desk.writes() == before


def test_a_draft_that_was_written_reads_back_as_approved_with_the_ledgers_number(office):
    office.write(PLAN)
    (receipt,) = verify(office.bench, PLAN, office.open(), run_id=office.run_id)
    (header,) = office.desk.told_journals()
    assert (receipt.state, receipt.number) == (DocumentState.VERIFIED, header["number"])


@pytest.mark.parametrize("mishap", [Mishap.KILLED_AFTER, Mishap.LOST_IN_VAIN, Mishap.LOST_AND_LATE])
def test_a_journal_that_the_customers_service_posts_is_posted_once_whatever_happens_to_its_call(office, mishap):
    office.options = {"posting_service": SERVICE}
    office.desk.switch(posting_service=SERVICE)
    plan = payload(journal(("60210", "SALES", "9"), ("20400", "", "-9"), part=mishap))
    office.write_through(plan, REQUESTS + 1, mishap)
    entries = [line for line in office.desk.world.books.lines(PERIOD) if line.external_document == plan.journals[0].key]
    assert [line.amount for line in entries] == [9, -9]
    (draft,) = office.desk.told_journals()
    assert draft["posted"]
    assert [receipt.state for receipt in office.write(plan)] == [DocumentState.POSTED]


def test_what_a_person_posted_is_left_alone_and_refused_when_the_plan_changed(office):
    posted = payload(journal(("60210", "SALES", "7"), ("20400", "", "-7"), part="posted"))
    office.write(posted)
    office.desk.post_by_hand(office.desk.told_journals()[0]["number"])
    assert [receipt.state for receipt in office.write(posted)] == [DocumentState.POSTED]
    changed = replace(posted.journals[0], lines=journal(("60210", "ADM", "7"), ("20400", "", "-7")).lines)
    with pytest.raises(PostedError, match="posted"):
        office.write(payload(changed))
    with pytest.raises(PostedError, match="posted"):
        office.write(payload())
    assert holds(office.desk) == held(*posted.journals)
