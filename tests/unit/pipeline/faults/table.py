# SPDX-License-Identifier: Apache-2.0
"""A ledger's fault table, and the period of its that the faults are tried on.

Two things may come of a fault: the read is complete in the end, or it is an error and nothing of the read is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows.plans import read_plans
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.faults import Fault
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.trail.records import BookScope, CellScope
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.happening import happening
from tests.unit.pipeline.figures import LINES, Cells, booked, held
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose
from tests.unit.pipeline.support import amounts, csv_rows, parquet_rows

LISTS = ("Load Accounts", "Load Account Names", "Load Cost Centres", "Load Cost Centre Names")
JSON, HTML = {"Content-Type": "application/json"}, {"Content-Type": "text/html"}

Switches = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Staying:
    """A fault that does not pass.

    :param error: what is raised, and ``told``: words of its sentence.
    """

    what: Fault | Switches
    error: type[MlconnectorError]
    told: str = ""


@dataclass(frozen=True, slots=True)
class FaultTable:
    """What is tried on one ledger.

    :param system: its name in the sandbox.
    :param key: a period of its own, so that what is done to it shows in no other ledger's table.
    :param path: expression of the requests that read journals.
    :param skip: how many of these pass before a fault strikes.
    :param options: of the connection, so that a period takes several requests.
    :param passing: faults, or switches of the server, that a run outlives.
    :param wrong_login: options of a connection whose login is refused, and ``refusal``: words of what is said then.
    :param lose_login: ends whatever the reader is logged in by, and ``with_session`` are options of a connection that
        has something to lose where others have not.
    :param refuse_login: changes the password behind the reader's back, and ``refused`` are words of what is said then.
    :param comparing: faults that strike when all lines are read, and the ledger's own figures are asked for.
    :param rows: counts the lines of a period as this ledger shows them.
    :param paged: switches by which the server gives a period in several pages, and ``shrink`` makes them smaller.
    """

    system: str
    key: str
    path: str
    passing: Mapping[str, Fault | Switches]
    staying: Mapping[str, Staying]
    wrong_login: Callable[[SandboxControl], Mapping[str, Any]]
    refusal: str
    lose_login: Callable[[Sandbox], object]
    refuse_login: Callable[[Sandbox, pytest.MonkeyPatch], object]
    refused: str
    comparing: Mapping[str, Staying] = field(default_factory=dict)
    rows: Callable[[Sandbox, str], int] = lambda sandbox, key: sandbox.world.books.count(key)
    with_session: Mapping[str, Any] = field(default_factory=dict)
    paged: Switches = field(default_factory=dict)
    shrink: Callable[[Sandbox], object] | None = None
    skip: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Rehearsal:
    """The close of a period that was loaded once, whose next run has something to bring."""

    table: FaultTable
    sandbox: Sandbox
    control: SandboxControl
    close: SandboxClose

    @property
    def books(self) -> Books:
        """What is true."""
        return self.sandbox.world.books

    def open(self, **options: Any) -> None:
        """Open the ledger anew, as each task does; ``options`` are of the connection."""
        self.close.ledger.close()
        clock = QuickClock(self.sandbox.world)
        self.close.ledger = open_ledger(self.control, self.close.flow, clock, **{**self.table.options, **options})

    def change_a_line(self, place: int = 0) -> None:
        """Change the amount of a line; F&O shows a correction instead."""
        line = list(self.books.lines(self.table.key))[place]
        self.books.change_line(line.entry_number, amount=line.amount + Decimal("0.01"))

    def bring_about(self, what: Fault | Switches) -> int:
        """Let a fault happen, or set switches; return the fault's id, 0 for switches."""
        if not isinstance(what, Fault):
            self.control.call("PATCH", f"/{self.table.system}/switches", dict(what))
            return 0
        path, skip = (what.path, what.skip) if what.path else (self.table.path, self.table.skip)
        return self.sandbox.world.faults.add(replace(what, system=self.table.system, path=path, skip=skip))

    def happening(self, at: int, what: Callable[[], object]) -> AbstractContextManager[list[str]]:
        """Let something happen when so many requests for journals have come, more than faults let pass."""
        return happening(self.sandbox.world, self.table.system, self.table.path, self.table.skip + at, what)

    def put_in_order(self) -> None:
        """Take back faults and switches."""
        self.sandbox.world.faults.clear()
        self.control.call("DELETE", f"/{self.table.system}/switches")

    def kept(self) -> tuple[object, object, Cells]:
        """Return what an error must leave as it is: the accepted cells with their watermark, the book, the model."""
        trail, flow = self.close.bench.trail, self.close.flow
        cells = CellScope(flow=flow.name, import_name=LINES, period=self.table.key)
        book = BookScope(
            flow=flow.name, company=flow.spec.erp.company, dataset=Dataset.JOURNAL_LINES, period=self.table.key
        )
        return trail.accepted(cells), trail.book(book), self.held()

    def held(self) -> Cells:
        """Return what the model holds of the period, zeros left out."""
        return held(self.control, self.close)

    def booked(self) -> Cells:
        """Return what the books say of the period, as the model names it."""
        return booked(self.books, self.table.key)

    def check_whole_read(self) -> None:
        """Read the period whole: each line of the books comes once, and their sums are what would be sent."""
        run, plan = self.close.open_run("whole"), self.close.plans()[-1]
        lines = next(plan for plan in read_plans(self.close.flow) if plan.dataset is Dataset.JOURNAL_LINES)
        batch = extract(self.close.bench, self.close.ledger, lines, run, self.close.period)
        self._check_once(batch)
        prepared = self.close.prepare(plan, batch)
        sent = amounts(csv_rows(self.close.bench, prepared.file))
        assert {cell: amount for cell, amount in sent.items() if amount} == self.booked()

    def check_complete(self, done: Outcome) -> None:
        """See that the model holds what the books say, and the period's book each of their lines once."""
        assert self.held() == self.booked()
        assert done.report.agrees, done.report.problems
        self._check_once(done.batches["journal_lines"])

    def check_unique(self, batch: BatchManifest) -> None:
        """See that no row came twice."""
        rows = parquet_rows(self.close.bench, batch.file)
        assert len(rows) == len({row["record_id"] for row in rows})

    def _check_once(self, batch: BatchManifest) -> None:
        self.check_unique(batch)
        assert batch.book_rows == self.table.rows(self.sandbox, self.table.key)
