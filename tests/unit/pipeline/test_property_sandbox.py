# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the sandbox's books and model over HTTP: after the next nightly run the model is the ledger.

What is right is taken from the books' own trial balance and from the code book's file, read here by a way of its own.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import defaultdict
from contextlib import ExitStack, suppress
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from requests import HTTPError

from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.pipeline.layout import cell_scope
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, ReadMode
from airflow_provider_mlconnector.pipeline.replay import Wanted, prepare_replay
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.profiles import of_a_machine
from tests.unit.pipeline.sandbox_close import FLOW, SandboxClose, opened_closes
from tests.unit.pipeline.support import parquet_rows

TEMPLATE: list[Path] = []
PERIOD = "FY2026-P12"
GL = "Load GL Actuals"
ACCOUNTS = ("40100", "60310", "60420", "10110")
DEPARTMENTS = ("", "SALES", "PROD", "RND")
CENTRES = ("CC200", "CC300", "NONE", "")
LISTED = {"Account": "Accounts", "Cost Centre": "Cost Centres"}
PLACES = st.integers(0, 999)


class Stamp(StrEnum):
    """The modified stamp of what is posted."""

    NOW = "now"
    EARLIER = "some minutes before its commit"
    OLD = "days before its commit"
    BLANK = "none"


class Trouble(StrEnum):
    """What a run meets, once."""

    NONE = "none"
    REFUSED_UPLOAD = "refused upload"
    LOST_ANSWER = "lost answer"
    LOST_REQUEST = "lost request"
    HALF_PAGE = "half page"
    ANOTHER_RUN = "another run"
    MISSING_MEMBER = "missing member"


class AnyCloseOfTheSandbox(RuleBasedStateMachine):
    """Events in the books, the code book and the model, runs with and without trouble, and replays."""

    @initialize(source=st.sampled_from([FinanceApi.V2, FinanceApi.REPORTS_FINANCE]))
    def begin(self, source: FinanceApi) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="any-close-"))
        shutil.copytree(FLOW.parents[1], self.folder / "dags")
        self.flow_file = self.folder / "dags" / "flows" / FLOW.name
        self.flow_file.write_text(FLOW.read_text().partition("\nplan:")[0])  # many codes may come to one member
        self.code_book = self.folder / "dags" / "crosswalks" / "cost_centres.csv"
        self.source = source
        self.lost: set[str] = set()
        self.posted: list[int] = []
        self.missing: dict[str, Any] = {}
        self.stack = ExitStack()
        self.sandbox = self.stack.enter_context(serve(["anaplan", "business_central"], scale=0.002))
        self.control = SandboxControl({"url": self.sandbox.url, **self.sandbox.info})
        opened = self.stack.enter_context(opened_closes(self.folder, TEMPLATE[0], self.sandbox, self.control))
        self.close = opened(PERIOD)
        self.clock = self.close.bench.clock
        self.close.ledger = open_ledger(self.control, self.close.flow, self.clock, source=source)
        self.stack.callback(self.close.ledger.close)
        self.close.run()
        self.close.imports = (GL,)

    # The books

    @rule(
        accounts=st.permutations(ACCOUNTS),
        department=st.sampled_from(DEPARTMENTS),
        stamp=st.sampled_from(Stamp),
        cents=st.integers(1, 10**9),
    )
    def post(self, accounts: list[str], department: str, stamp: Stamp, cents: int) -> None:
        """Post a document; no two have the same amount."""
        if department in self.lost:
            return
        amount = Decimal(cents * 1000 + len(self.posted)) / 100
        lines = [
            {"account": accounts[0], "amount": str(amount), "department": department},
            {"account": accounts[1], "amount": str(-amount)},
        ]
        body: dict[str, Any] = {"posting_date": "2026-06-15", "lines": lines}
        before = {Stamp.EARLIER: timedelta(minutes=9), Stamp.OLD: timedelta(days=40)}.get(stamp)
        if before:
            body["modified_at"] = (self.clock.now() - before).isoformat()
        entries = self.control.call("POST", "/books/documents", body)["entries"]
        if stamp is Stamp.BLANK:
            for entry in entries:
                self.control.call("PUT", f"/books/lines/{entry}/stamp", {"modified_at": None})
        self.posted.append(entries[0])

    @rule(place=PLACES, account=st.sampled_from(ACCOUNTS), department=st.sampled_from(DEPARTMENTS))
    def change(self, place: int, account: str, department: str) -> None:
        if line := self._line(place):
            more = {} if department in self.lost else {"department": department}
            self.control.change_line(line["entry_number"], account=account, **more)

    @rule(place=PLACES, cents=st.integers(-(10**9), 10**9))
    def correct(self, place: int, cents: int) -> None:
        line = self._line(place)
        if line and line["department"] not in self.lost:
            self.control.call(
                "POST", f"/books/lines/{line['entry_number']}/correction", {"amount": str(Decimal(cents) / 100)}
            )

    @rule(place=PLACES, storno=st.booleans())
    def reverse(self, place: int, storno: bool) -> None:
        if line := self._line(place):
            self.control.call("POST", f"/books/lines/{line['entry_number']}/reversal", {"storno": storno})

    @rule(place=PLACES, how=st.sampled_from(["vanish", "move"]))
    def take_away(self, place: int, how: str) -> None:
        line = self._line(place)
        if line and how == "vanish":
            self.control.call("DELETE", f"/books/lines/{line['entry_number']}")
        elif line:
            self.control.change_line(line["entry_number"], posting_date="2026-07-01")

    @precondition(lambda self: self.posted)
    @rule(place=PLACES, same_ids=st.booleans())
    def roll_back(self, place: int, same_ids: bool) -> None:
        """Undo postings; what is posted next has their entry numbers, and perhaps their ids."""
        entry = self.posted[place % len(self.posted)]
        with suppress(HTTPError):  # it vanished before
            self.control.call("POST", f"/books/lines/{entry}/roll-back", {"same_ids": same_ids})
            self.posted = [earlier for earlier in self.posted if earlier < entry]

    @rule()
    def close_the_year(self) -> None:
        self.control.call("POST", "/books/years/2026/close")

    @rule(department=st.sampled_from(["PROD", "RND"]))
    def delete_or_put_back_a_department(self, department: str) -> None:
        if department in self.lost:
            self.control.call("PUT", f"/books/dimensions/DEPARTMENT/{department}", {"name": department})
        else:
            self.control.call("DELETE", f"/books/dimensions/DEPARTMENT/{department}")
        self.lost ^= {department}

    # The code book

    @rule(code=st.sampled_from(DEPARTMENTS), centre=st.sampled_from(CENTRES))
    def edit_the_code_book(self, code: str, centre: str) -> None:
        walk = self._walk()
        walk.pop(code, None)
        if centre:
            walk[code] = centre
        with self.code_book.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("code", "member"), *walk.items()])
        self.close.flow = load_flow(self.flow_file)

    # Runs

    @rule(mode=st.sampled_from(ReadMode), trouble=st.sampled_from(Trouble), place=PLACES)
    def run(self, mode: ReadMode, trouble: Trouble, place: int) -> None:
        """Run once; what goes wrong goes wrong."""
        self._arm(trouble, place)
        with suppress(MlconnectorError):
            self.close.run(mode)
        self.control.clear_faults()
        self.close.meanwhile.clear()
        self._put_back()

    @rule(place=PLACES)
    def replay(self, place: int) -> None:
        bench, plan = self.close.bench, self._plan()
        batches = bench.trail.batches(dataset=plan.dataset, period=PERIOD)
        wanted = Wanted(batch_id=batches[place % len(batches)].batch_id)
        run = self.close.open_run(ReadMode.CHANGES)
        made = prepare_replay(bench, plan, wanted, run, self.close.period, ModelReading(self.close.model))
        with suppress(MlconnectorError):
            self.close.load(plan, made, None)  # type: ignore[arg-type]  # nobody else is in the way

    @rule(hours=st.sampled_from([1, 24]))
    def time_passes(self, hours: int) -> None:
        self.sandbox.world.clock.advance(3600 * hours)

    @rule()
    def a_nightly_run_goes_well(self) -> None:
        self.sandbox.world.clock.advance(3600)
        done = self.close.run()
        walk = self._walk()
        lines = self._lines("close_by_date")
        fine = [line for line in lines if line["department"] in walk and not self._is_unreadable(line)]
        made = done.load(GL).prepared
        assert (
            made.rows_book
            == len(self._lines("everything"))
            == made.rows_accepted + made.rows_quarantined + (made.rows_left_out)
        )
        assert (made.rows_accepted, made.rows_quarantined) == (len(fine), len(lines) - len(fine))
        held = self.control.amounts(self._month())
        assert held == self._expected(walk, fine)
        assert held == self._accepted()
        assert done.report.agrees, done.report.problems

    def teardown(self) -> None:
        if not hasattr(self, "close"):
            return
        try:
            self.a_nightly_run_goes_well()
            assert not self.close.bench.leases.all()
            assert not self.close.bench.trail.verify()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    # What is right

    def _expected(self, walk: dict[str, str], fine: list[dict[str, Any]]) -> dict[tuple[str, str], Decimal]:
        """Return the trial balance by department in the model's words, less the lines that cannot be read."""
        rows = self.control.call("GET", "/books/trial-balance-by-department", period=PERIOD, select="close_by_date")
        cells: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in rows:
            unreadable = row["department"] in self._unreadable
            if row["department"] in walk and not unreadable:
                cells[row["account"], walk[row["department"]]] += Decimal(row["amount"])
        assert sum(cells.values()) == sum(Decimal(line["amount"]) for line in fine)
        return {cell: amount for cell, amount in cells.items() if amount}

    @property
    def _unreadable(self) -> set[str]:
        """Departments whose lines the API shows without dimensions: v2.0 expands what is no longer there."""
        return self.lost if self.source is FinanceApi.V2 else set()

    def _is_unreadable(self, line: dict[str, Any]) -> bool:
        return line["department"] in self._unreadable

    def _accepted(self) -> dict[tuple[str, str], Decimal]:
        accepted = self.close.bench.trail.accepted(cell_scope(self._plan(), PERIOD))
        assert not accepted.in_flight
        rows = parquet_rows(self.close.bench, accepted.file)
        return {(row["Account"], row["Cost Centre"]): row["Amount"] for row in rows if row["Amount"]}

    def _walk(self) -> dict[str, str]:
        with self.code_book.open(newline="", encoding="utf-8") as file:
            return {row["code"]: row["member"] for row in csv.DictReader(file)}

    def _plan(self) -> LoadPlan:
        return next(plan for plan in self.close.plans() if plan.import_name == GL)

    def _month(self) -> str:
        return format_period(self.close.period, "MMM yy")

    def _lines(self, select: str) -> list[dict[str, Any]]:
        return list(self.control.call("GET", "/books/lines", period=PERIOD, limit="100000", select=select)["lines"])

    def _line(self, place: int) -> dict[str, Any] | None:
        lines = self._lines("close_by_date")
        return lines[place % len(lines)] if lines else None

    # What goes wrong

    def _arm(self, trouble: Trouble, place: int) -> None:
        match trouble:
            case Trouble.REFUSED_UPLOAD:
                self.control.fault("status", "/files/", method="PUT", status=400, times=1)
            case Trouble.LOST_ANSWER:
                self.control.fault("lost_answer", "/imports/.*/tasks$", method="POST", times=1)
            case Trouble.LOST_REQUEST:
                self.control.fault("reset", "/imports/.*/tasks$", method="POST", times=1)
            case Trouble.HALF_PAGE:
                self.control.fault("truncate", "generalLedgerEntries", times=1)
            case Trouble.ANOTHER_RUN:
                other = SandboxClose(
                    self.close.bench, self.close.flow, self.close.period, self.close.ledger, self.close.model, (GL,)
                )
                other.runs = 10_000 + 10 * self.close.runs
                self.close.meanwhile[GL] = lambda: None if self.close.meanwhile.pop(GL, None) is None else _run(other)
            case Trouble.MISSING_MEMBER:
                self.close.meanwhile[GL] = lambda: self._delete_member(place)
            case Trouble.NONE:
                pass

    def _delete_member(self, place: int) -> None:
        """Delete the account of a line between the preparation of the file and its import."""
        if line := self._line(place):
            members = self.control.call("GET", "/anaplan/members", list="Accounts")["members"]
            self.missing = next(member for member in members if member["code"] == line["account"])
            self.control.call("DELETE", "/anaplan/members", {"list": "Accounts", "members": [line["account"]]})

    def _put_back(self) -> None:
        """Let a run see that the member is missing, and add it again."""
        if self.missing:
            with suppress(MlconnectorError):
                self.close.run()
            self.control.call("POST", "/anaplan/members", {"list": "Accounts", "members": [self.missing]})
            self.missing = {}


def _run(close: SandboxClose) -> None:
    with suppress(MlconnectorError):
        close.run()


AnyCloseOfTheSandbox.TestCase.settings = of_a_machine(examples=2, deep=5_000, steps=15)


@pytest.fixture(scope="module", autouse=True)
def template(trail_template: Path) -> None:
    TEMPLATE[:] = [trail_template]


class TestAnyCloseOfTheSandbox(AnyCloseOfTheSandbox.TestCase):
    """The machine, found by pytest."""
