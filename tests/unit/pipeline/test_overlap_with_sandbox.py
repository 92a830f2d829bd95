# SPDX-License-Identifier: Apache-2.0
"""A backfill and a scheduled run of each of two periods at once, in threads, over HTTP and on one model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from airflow_provider_mlconnector.errors import LeaseTakenError, ModelBusyError
from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.flows.plans import read_plans
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import ReadMode
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fake_model import MemoryStore
from tests.unit.pipeline.figures import CENTRES
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.sandbox_close import SandboxClose, open_anaplan

GL = "Load GL Actuals"
PERIODS = ("FY2026-P05", "FY2026-P06")


def own(close: SandboxClose, control: SandboxControl, number: int) -> SandboxClose:
    """Return the close as another process has it: sessions and clients of its own, the same bench."""
    clock = close.bench.clock
    ledger = open_ledger(control, close.flow, clock)
    return replace(
        close, ledger=ledger, model=open_anaplan(control, clock), imports=(GL,), runs=1000 * number, meanwhile={}
    )


def run(close: SandboxClose, mode: ReadMode) -> None:
    """Run once; where the model is taken, come back."""
    run = close.open_run(mode)
    plan = next(plan for plan in close.plans())
    read = next(read for read in read_plans(close.flow) if read.dataset == plan.dataset)
    batch = extract(close.bench, close.ledger, read, run, close.period)
    made, store = close.prepare(plan, batch), MemoryStore()
    while True:
        work = ModelWork(
            close.bench,
            close.model,
            owner=run.run_id,
            store=store,
            generation=0,
            run_id=run.run_id,
            deadline=close.bench.clock.now().timestamp() + 86_400,
        )
        try:
            state = begin_load(close.bench, plan, made, work, lambda: close.prepare(plan, batch))
            break
        except (LeaseTakenError, ModelBusyError):
            time.sleep(0.02)
    status = run_to_end(work, state.ref, close.bench.clock) if state.ref else None
    finish_load(close.bench, plan, state, work, status)


def test_pairs_of_a_backfill_and_a_scheduled_run_in_threads_leave_the_ledger_in_the_model(
    closing: Callable[[str], SandboxClose], control: SandboxControl
) -> None:
    closes = [closing(period) for period in PERIODS]
    for close in closes:
        close.run()
        first, second, *_ = control.lines(close.period.key)
        control.change_line(first["entry_number"], department="LOG")
        control.call("DELETE", f"/books/lines/{second['entry_number']}")
    pairs = [(close, mode) for close in closes for mode in ReadMode]
    workers = [(own(close, control, 1 + number), mode) for number, (close, mode) in enumerate(pairs)]
    errors: list[BaseException] = []

    def work(close: SandboxClose, mode: ReadMode) -> None:
        try:
            run(close, mode)
        except BaseException as error:  # told by the test itself
            errors.append(error)

    threads = [threading.Thread(target=work, args=worker) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for worker, _ in workers:
        worker.ledger.close()
    assert errors == []
    assert control.call("GET", "/anaplan/events")["uploads_into_running_tasks"] == []
    for close in closes:
        ledger = control.ledger(close.period.key)
        assert control.amounts(format_period(close.period, "MMM yy")) == {
            (account, CENTRES[department]): amount for (account, department), amount in ledger.items()
        }
    assert closes[0].bench.leases.all() == []
