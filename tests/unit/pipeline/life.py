# SPDX-License-Identifier: Apache-2.0
"""One journal line to which everything happens: loaded, rejected, quarantined, corrected and sent again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.finance.crosswalk import Crosswalk, crosswalk
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.engine import engine
from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Tolerance
from airflow_provider_mlconnector.pipeline.replay import Wanted, places, redeliver
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.trail.records import RunOutcome
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fake_model import MemoryStore
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose

GL = "Load GL Actuals"
TOLERANT = Tolerance(share=1.0)


@dataclass(frozen=True)
class Life:
    """The record, its cell, and the runs that it went through; ``amount`` is the last one of the line."""

    record: str
    account: str
    department: str
    amount: Decimal
    loaded: str
    rejected: str
    quarantined: str
    corrected: str
    replayed: str


def live(close: SandboxClose, control: SandboxControl) -> Life:
    """Let everything happen to one line of a period that was never loaded."""
    close.changed[GL] = {"tolerance": TOLERANT}
    first = _run(close)
    record, entry, account, department = _a_line(close, first)
    control.change_line(entry, amount="111.11")
    member = control.members("Accounts")[account]
    close.meanwhile[GL] = lambda: control.delete_members("Accounts", account)
    second = _run(close)
    close.meanwhile.clear()
    control.add_members("Accounts", member)
    close.changed[GL] = {"tolerance": TOLERANT, "crosswalks": {"Cost Centre": _without(close, department)}}
    third = _run(close)
    close.changed[GL] = {"tolerance": TOLERANT}
    control.change_line(entry, amount="222.22")
    fourth = _run(close, "whole")
    again = _replay(close, record)
    runs = [outcome.run.run_id for outcome in (first, second, third, fourth)]
    return Life(record, account, department, Decimal("222.22"), *runs, again)


def _run(close: SandboxClose, mode: str = "changes") -> Outcome:
    outcome = close.run(mode)
    close.bench.trail.close_run(outcome.run.run_id, RunOutcome.SUCCEEDED)
    close.bench.clock.sleep(60)
    return outcome


def _a_line(close: SandboxClose, outcome: Outcome) -> tuple[str, int, str, str]:
    """Return a line whose account is not the only one, and that has a department."""
    file = outcome.batches["journal_lines"].file
    assert file is not None
    with engine(close.bench) as db:
        db.files("batch", close.bench.stage.fetch(file))
        rows = db.rows(
            'SELECT record_id, entry_number, account, "dimension.DEPARTMENT" FROM batch '
            "WHERE \"dimension.DEPARTMENT\" != '' AND kind = 'normal' ORDER BY entry_number LIMIT 1"
        )
    return rows[0]


def _plan(close: SandboxClose) -> LoadPlan:
    return next(plan for plan in close.plans() if plan.import_name == GL)


def _without(close: SandboxClose, department: str) -> Crosswalk:
    """Return the flow's code book after somebody lost the line of a department."""
    book = _plan(close).crosswalks["Cost Centre"]
    return crosswalk(book.name, [rule for rule in book.rules if rule.code != department])


def _replay(close: SandboxClose, record: str) -> str:
    """Send the record's cell again, as the command does for grace."""
    wanted, plan, bench = Wanted(record_ids=(record,)), _plan(close), close.bench
    run = next(place for place in places(bench, wanted) if place.dataset == "journal_lines").run("replay by grace")
    bench.trail.open_run(run, requested_by="grace")
    made = redeliver(bench, plan, wanted, run, close.flow.calendar, ModelReading(close.model))
    work = ModelWork(
        bench,
        close.model,
        owner="grace",
        store=MemoryStore(),
        generation=0,
        run_id=run.run_id,
        deadline=bench.clock.now().timestamp() + 600,
    )
    state = begin_load(bench, plan, made, work, lambda: made)
    assert state.ref is not None
    finish_load(bench, plan, state, work, run_to_end(work, state.ref, bench.clock))
    bench.trail.close_run(run.run_id, RunOutcome.SUCCEEDED)
    return run.run_id
