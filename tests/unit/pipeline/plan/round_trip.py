# SPDX-License-Identifier: Apache-2.0
"""There and back: actuals of a ledger become a budget in the model, and the budget drafts in the same ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.finance.drafts import Payload
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plan_spec import JournalSpec, PlanSpec
from airflow_provider_mlconnector.flows.plans import draft_plan
from airflow_provider_mlconnector.pipeline.draftplan import DraftPlan
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.export import ExportManifest, begin_export, finish_export
from airflow_provider_mlconnector.pipeline.preflight import preflight
from airflow_provider_mlconnector.pipeline.resolve import ResolvedManifest, read_payload, resolve
from airflow_provider_mlconnector.pipeline.writeback import Receipt, verify, write_back
from airflow_provider_mlconnector.sandbox.books import Books, NewLine
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.trail.records import RunRef
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, Cells, entity_of, month
from tests.unit.pipeline.plan.drafters import Office
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose, opened_closes

PIPELINE = Path(__file__).parents[1]
FLOWS = Path(__file__).parents[4] / "dags/flows"
BUDGET = "Budget"
CENT, LARGE = Decimal("0.01"), Decimal("99999999999.99")

Amounts = dict[tuple[str, str], Decimal]
"""Amounts of the books by account and department."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A ledger whose actuals go to the model and come back.

    :param books: code of the sandbox's books.
    :param journal: what a flow without a plan of its own says under ``journal``, or what is changed of another's.
    """

    system: System
    flow: Path
    books: str
    period: str
    journal: Mapping[str, Any]


def plan_of(flow: Flow, journal: Mapping[str, Any]) -> PlanSpec:
    """Return the flow's own plan with another journal, or its load of actuals as a plan."""
    if flow.spec.plan:
        own = flow.spec.plan[0]
        return own.model_copy(update={"journal": own.journal.model_copy(update=dict(journal))})
    load = next(load for load in flow.spec.load if load.import_name == LINES)
    columns = {**load.columns, "Version": "version"}
    return PlanSpec(export="Approved Budget", version=BUDGET, columns=columns, journal=JournalSpec(**journal))


@dataclass(frozen=True, slots=True)
class Home:
    """What came home: what was approved, what became of it when it was written, and when it was read back."""

    payload: Payload
    written: list[Receipt]
    verified: list[Receipt]


@dataclass
class Traveller:
    """One close and its plan, step by step as their tasks do it."""

    trip: Trip
    sandbox: Sandbox
    control: SandboxControl
    close: SandboxClose
    office: Office

    @property
    def books(self) -> Books:
        return self.sandbox.world.companies[self.trip.books]

    def posted(self) -> Amounts:
        """Return what the books hold on the days of the period, in the ledger's own periods of its ends."""
        period, own = self.close.period, self.books.company.fiscal.period_of
        keys = {own(period.start).key, own(period.end).key}
        lines = (line for key in sorted(keys) for line in self.books.lines(key, selection=CLOSE))
        return plus(
            *({(line.account, line.department): line.amount} for line in lines if period.contains(line.posting_date))
        )

    def post(self, *amounts: tuple[str, str, Decimal]) -> None:
        """Let an accountant post a document in the middle of the period, by account, department and amount."""
        period = self.close.period
        lines = [NewLine(account, amount, department) for account, department, amount in amounts]
        self.books.post_document(period.start + (period.end - period.start) / 2, lines)

    def load(self) -> Outcome:
        """Load the actuals into a model that has the members for them; return what the run left."""
        self.control.ensure_members("Accounts", sorted({account for account, _ in self.posted()}))
        self.control.ensure_members("Cost Centres", sorted(self.plan.inverses["Cost Centre"].rules))
        self.close.imports = (LINES,)
        return self.close.run()

    def plan_as_actual(self) -> Cells:
        """Let a planner take the actuals over as the budget, and return them."""
        entity, time = entity_of(self.close), month(self.close)
        rows = self.control.cells("GL Actuals", Time=time, Entity=entity, Version="Actual")
        cells = [{**row, "Version": BUDGET} for row in rows]
        self.control.call("POST", "/anaplan/cells", {"module": "GL Actuals", "cells": cells})
        return self.control.amounts(time, version=BUDGET, Entity=entity)

    def type_budget(self, amounts: Mapping[tuple[str, str], Decimal]) -> None:
        """Let a planner type a budget by account and cost centre; the lists get what they lack."""
        self.control.ensure_members("Accounts", sorted({account for account, _ in amounts}))
        self.control.ensure_members("Cost Centres", sorted({centre for _, centre in amounts}))
        rest = {"Entity": entity_of(self.close), "Version": BUDGET, "Time": month(self.close)}
        for (account, centre), amount in amounts.items():
            place = {"Account": account, "Cost Centre": centre}
            self.control.type_cell("GL Actuals", **place, **rest, Amount=str(amount))

    @cached_property
    def plan(self) -> DraftPlan:
        """How the budget comes back."""
        return draft_plan(self.close.flow, plan_of(self.close.flow, self.trip.journal))

    def come_home(self) -> Home:
        """Export, resolve, check, write and verify.

        :raises PreflightError: when anything is wrong with it.
        """
        close, bench = self.close, self.close.bench
        run = close.open_run("plan")
        resolved = self._resolved(run, self._exported(run))
        statuses = {close.period: close.ledger.period_status(close.period)}
        close.ledger.close()  # before drafts are looked for: a session may be a seat
        payload, _ = read_payload(bench, resolved)
        drafting = self.office.open(bench.clock)
        preflight(bench, resolved, statuses, drafting, {})
        resource = f"{self.trip.system}/{self.office.name}"
        written = write_back(bench, payload, drafting, run_id=run.run_id, owner="plan/write", resource=resource)
        verified = verify(bench, payload, drafting, run_id=run.run_id)
        drafting.close()
        return Home(payload, written, verified)

    def _exported(self, run: RunRef) -> ExportManifest:
        work = self.close.work(run, "export")
        ref = begin_export(self.plan, work)
        status = run_to_end(work, ref, self.close.bench.clock)
        exported = finish_export(self.close.bench, self.plan, run, work, ref, status)
        work.release()
        return exported

    def _resolved(self, run: RunRef, exported: ExportManifest) -> ResolvedManifest:
        reading, close = ModelReading(self.close.model), self.close
        return resolve(close.bench, self.plan, exported, [close.period], BUDGET, reading)


@contextmanager
def travelling(folder: Path, trail_template: Path, trip: Trip) -> Iterator[Traveller]:
    """Open the books of a trip in a sandbox of its own, so that no other ledger posts to them."""
    with serve(["anaplan", trip.system], scale=0.02) as sandbox:
        control = SandboxControl({"url": sandbox.url, **sandbox.info})
        books = sandbox.world.companies[trip.books]
        books.accounts = tuple(replace(account, direct_posting=True) for account in books.accounts)
        company = {"company": books.name} if trip.system is System.BUSINESS_CENTRAL else {}
        with opened_closes(folder, trail_template, sandbox, control, trip.flow, **company) as opened:
            close = opened(trip.period)
            if trip.books == "TUI":
                control.ensure_members("Entities", [entity_of(close)])  # the others are in the model
            journal, name = plan_of(close.flow, trip.journal).journal, close.flow.spec.erp.company
            handed_over = folder / "handed over"
            office = Office(control, trip.system, name, trip.books, journal.name, handed_over, journal.options)
            office.set_up()
            yield Traveller(trip, sandbox, control, close, office)


def plus(*sums: Amounts) -> Amounts:
    """Add amounts up, zeros left out."""
    total: Amounts = {}
    for amounts in sums:
        for place, amount in amounts.items():
            total[place] = total.get(place, Decimal(0)) + amount
    return {place: amount for place, amount in total.items() if amount}
