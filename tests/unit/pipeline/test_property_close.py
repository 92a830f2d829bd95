# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to ledger, code book, model and runs: after the next incremental run the model is the ledger.

The suite runs few examples, always the same; ``HYPOTHESIS_PROFILE=deep`` looks for new ones.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from airflow_provider_mlconnector.errors import TransportError
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.plan import ReadMode, Send
from airflow_provider_mlconnector.pipeline.replay import Wanted
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.systems.anaplan.tasks import TaskState
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.hostile import ACCOUNTS, CENTRES, DEPARTMENTS, LATE, HostileLedger, World
from tests.unit.pipeline.profiles import of_a_machine
from tests.unit.pipeline.stepped import Step, SteppedRun
from tests.unit.pipeline.support import PERIOD, members

TEMPLATE: list[Path] = []
PLACES = st.integers(0, 99)


class Posting(StrEnum):
    """What is odd about a new line: its stamp, or what it is."""

    PLAIN = "plain"
    LATE = "late"
    OLD = "old"
    BLANK = "blank"
    CLOSING = "closing"
    ADJUSTING = "adjusting"
    STATISTICAL = "statistical"


class Trouble(StrEnum):
    """What the next loads meet, until something else is said."""

    NONE = "none"
    FAILURE = "failure"
    NO_UPLOAD = "no upload"
    LOST_ANSWER = "lost answer"
    LOST_REQUEST = "lost request"
    UNNAMED_REJECTS = "unnamed rejects"


def break_down() -> None:
    raise TransportError("the connection broke")


class AnyClose(RuleBasedStateMachine):
    """Events and steps of runs, in any order; at the end one more increment, and model and ledger agree."""

    runs = Bundle("runs")

    @initialize(send=st.sampled_from(Send), by_record=st.booleans())
    def begin(self, send: Send, by_record: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="any-close-"))
        shutil.copy(TEMPLATE[0], self.folder / "trail.db")
        self.clock = StandingClock()
        trail = Trail(f"sqlite:///{self.folder}/trail.db", clock=self.clock)
        self.bench = Bench(
            trail=trail,
            leases=Leases(trail.engine, self.clock),
            stage=LocalStage(self.folder / "stage"),
            log=logging.getLogger("any-close"),
            clock=self.clock,
        )
        self.world = World(self.bench, HostileLedger(by_record=by_record), FakeModel(), send)
        for number in range(4):
            self.world.post(ACCOUNTS[number % 3], DEPARTMENTS[number % 3])

    # The ledger

    @rule(account=st.sampled_from(ACCOUNTS), department=st.sampled_from(DEPARTMENTS), how=st.sampled_from(Posting))
    def post(self, account: str, department: str, how: Posting) -> None:
        now = self.clock.now()
        stamps = {Posting.LATE: now - LATE, Posting.OLD: START - timedelta(days=3), Posting.BLANK: None}
        more = {"statistical": True} if how is Posting.STATISTICAL else {}
        kind = str(how) if how in (Posting.CLOSING, Posting.ADJUSTING) else "normal"
        self.world.post(account, department, stamp=stamps.get(how, now), kind=kind, **more)

    @rule(place=PLACES, account=st.sampled_from(ACCOUNTS), department=st.sampled_from(DEPARTMENTS), late=st.booleans())
    def change(self, place: int, account: str, department: str, late: bool) -> None:
        if row := self._row(place):
            self.world.change(row, late=late, account=account, **{"dimension.DEPARTMENT": department})

    @rule(place=PLACES, how=st.sampled_from(["reverse", "vanish", "move"]))
    def take_away(self, place: int, how: str) -> None:
        row = self._row(place)
        if row is not None:
            {"reverse": self.world.reverse, "vanish": self.world.ledger.lines.remove, "move": self.world.move}[how](row)

    @rule(department=st.sampled_from(["SALES", "PROD"]))
    def delete_or_put_back_a_department(self, department: str) -> None:
        self.world.ledger.lost ^= {department}

    @rule(place=PLACES)
    def change_a_line_while_the_next_page_is_read(self, place: int) -> None:
        def change() -> None:
            self.world.ledger.on_page = None
            if row := self._row(place):
                self.world.change(row, **{"dimension.DEPARTMENT": "PROD"})
            self.clock.advance(3600)

        self.world.ledger.on_page = change

    # The code book and the model

    @rule(code=st.sampled_from(DEPARTMENTS), centre=st.sampled_from([*CENTRES, ""]))
    def edit_the_code_book(self, code: str, centre: str) -> None:
        self.world.walk.pop(code, None)
        if centre:
            self.world.walk[code] = centre

    @rule(account=st.sampled_from(ACCOUNTS))
    def lock_or_unlock_an_account(self, account: str) -> None:
        self.world.model.rejected ^= {account}

    @rule(account=st.sampled_from(ACCOUNTS))
    def delete_or_add_a_member(self, account: str) -> None:
        """A member that is deleted and added again between two runs has lost its cells: nothing but a check view shows
        that, so that here a run comes between.
        """
        held = self.world.model.lists["Accounts"].by_code
        if account in held:
            self.world.model.delete_account(account)
            self.a_nightly_run_goes_well()
        else:
            self.world.model.lists["Accounts"] = members(*held, account)

    @rule(trouble=st.sampled_from(Trouble))
    def the_next_loads_meet(self, trouble: Trouble) -> None:
        self._heal()
        model = self.world.model
        model.fails = trouble is Trouble.FAILURE
        model.on_upload = break_down if trouble is Trouble.NO_UPLOAD else lambda: None
        model.lose_answer = trouble is Trouble.LOST_ANSWER
        model.lose_request = trouble is Trouble.LOST_REQUEST
        model.dump_lines = trouble is not Trouble.UNNAMED_REJECTS

    @precondition(lambda self: any(not task.state.over for task in self.world.model.made))
    @rule()
    def a_person_cancels_what_runs(self) -> None:
        for task in self.world.model.made:
            if not task.state.over:
                task.state = TaskState.CANCELLED

    # Runs

    @rule(target=runs, mode=st.sampled_from(ReadMode))
    def schedule(self, mode: ReadMode) -> SteppedRun:
        return SteppedRun(self.world, mode)

    @rule(target=runs, place=PLACES, what=st.sampled_from(["batch", "record", "rejects"]), repeat=st.booleans())
    def replay(self, place: int, what: str, repeat: bool) -> SteppedRun:
        wanted = self._wanted(place, what)
        if wanted is None:
            return SteppedRun(self.world)
        return SteppedRun(self.world, wanted=wanted, repeat=repeat and what == "batch")

    @rule(run=runs)
    def go_on(self, run: SteppedRun) -> None:
        self._checked(run, run.try_on)

    @rule(run=runs)
    def go_on_to_the_end(self, run: SteppedRun) -> None:
        for _ in range(6):
            self._checked(run, run.try_on)

    @rule(run=consumes(runs))
    def die(self, run: SteppedRun) -> None:
        """Its process is gone for good, and with it whatever it held."""

    @rule(minutes=st.sampled_from([1, 15, 40, 600]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(60 * minutes)

    @invariant()
    def accepted_cells_are_those_of_the_model(self) -> None:
        self.world.check_accepted_cells()

    @rule()
    def a_nightly_run_goes_well(self) -> None:
        """Whatever was before it: after it the model is the ledger, but for accounts that are locked."""
        self._heal()
        self.world.ledger.on_page = None
        self.clock.advance(7200)
        loaded = SteppedRun(self.world).to_the_end()
        locked = self.world.model.rejected
        held, right = self.world.held(), self.world.expected()
        assert {cell: amount for cell, amount in held.items() if cell[0] not in locked} == {
            cell: amount for cell, amount in right.items() if cell[0] not in locked
        }
        assert not self.world.accepted().in_flight
        assert loaded.loaded + loaded.rejected == loaded.sent
        self.world.check_accepted_cells()
        self.world.check_accounted_for(loaded.prepared)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.model.rejected = set()
        self.a_nightly_run_goes_well()
        assert not self.bench.leases.all()
        self.bench.trail.close()
        shutil.rmtree(self.folder)

    def _checked(self, run: SteppedRun, go_on: Any) -> None:
        before = run.next
        go_on()
        if before is Step.FINISH and run.next is Step.OVER:
            self._check_watermark()

    def _check_watermark(self) -> None:
        """What is before the watermark was read: no moment after it is taken for known."""
        watermark = self.world.accepted().watermark
        began = [batch.started_at for batch in self.bench.trail.batches(period=PERIOD.key)]
        assert watermark is None or watermark <= max(began)

    def _row(self, place: int) -> dict[str, Any] | None:
        lines = self.world.ledger.lines
        return lines[place % len(lines)] if lines else None

    def _wanted(self, place: int, what: str) -> Wanted | None:
        if self.world.accepted().version == 0:
            return None
        batches = self.bench.trail.batches(period=PERIOD.key)
        if what == "batch" and batches:
            return Wanted(batch_id=batches[place % len(batches)].batch_id)
        if what == "record":
            return Wanted(record_ids=(f"e{1 + place % self.world.posted}",))
        rejected = sorted({row.run_id for row in self.bench.trail.rejects()})
        return Wanted(rejects_of=rejected[place % len(rejected)]) if rejected else None

    def _heal(self) -> None:
        model = self.world.model
        model.fails = model.lose_answer = model.lose_request = False
        model.dump_lines = True
        model.on_upload = lambda: None


AnyClose.TestCase.settings = of_a_machine(examples=8, deep=20_000, steps=30)


@pytest.fixture(scope="module", autouse=True)
def template(trail_template: Path) -> None:
    TEMPLATE[:] = [trail_template]


class TestAnyClose(AnyClose.TestCase):
    """The machine, found by pytest."""
