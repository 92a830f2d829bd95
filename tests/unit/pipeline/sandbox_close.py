# SPDX-License-Identifier: Apache-2.0
"""A close of the Larkfield flow against the sandbox: real readers, a real client, a real trail; no Airflow."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import load_plans, read_plans
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
from airflow_provider_mlconnector.pipeline.manifests import (
    BatchManifest,
    LoadManifest,
    PreparedManifest,
    ReconcileReport,
)
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.prepare import prepare
from airflow_provider_mlconnector.pipeline.reconcile import reconcile
from airflow_provider_mlconnector.pipeline.removal import begin_removal, finish_removal, is_needed
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.anaplan.auth import BasicLogin
from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
from airflow_provider_mlconnector.systems.anaplan.definitions import ModelRef
from airflow_provider_mlconnector.systems.anaplan.hosts import custom_hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalBudget, LocalTokenStore
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.port import Erp
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import RunRef
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fake_model import MemoryStore
from tests.unit.pipeline.ledgers import open_ledger

FLOW = Path(__file__).parents[3] / "dags/flows/larkfield_close.yaml"
ACTUALS = ("Load Accounts", "Load Cost Centres", "Load GL Actuals")
BALANCES = ("Load Accounts", "Load GL Balances")


def open_anaplan(
    control: SandboxControl, clock: Clock, *, password: str | None = None, ref: ModelRef | None = None
) -> AnaplanModel:
    """Open the model; with ``ref`` nothing is asked yet."""
    told = control.info["anaplan"]
    client = AnaplanClient(
        custom_hosts(told["api_url"], told["auth_url"], told["oauth_url"]),
        BasicLogin(told["login"], password or told["password"]),
        Transport(clock=clock),
        tokens=LocalTokenStore(),
        budget=LocalBudget(per_minute=100_000),
    )
    return client.model(ref or client.resolve_model("Finance", "FP&A Hub"))


@dataclass
class SandboxClose:
    """A flow's close of one period; ``run`` makes one run of it.

    :param changed: what the plan of an import has otherwise than the flow.
    :param meanwhile: what happens between the preparation of an import's file and its load.
    """

    bench: Bench
    flow: Flow
    period: Period
    ledger: Erp
    model: AnaplanModel
    imports: tuple[str, ...] = ACTUALS
    runs: int = 0
    changed: dict[str, dict[str, object]] = field(default_factory=dict)
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)

    def plans(self) -> list[LoadPlan]:
        plans = [plan for plan in load_plans(self.flow) if plan.import_name in self.imports]
        return [replace(plan, **self.changed.get(plan.import_name, {})) for plan in plans]  # type: ignore[arg-type]

    def open_run(self, mode: str) -> RunRef:
        self.runs += 1
        run = RunRef(run_id=f"{self.period.key}.{self.runs}", flow=self.flow.name, period=self.period.key, mode=mode)
        self.bench.trail.open_run(run, requested_by="ada")
        return run

    def run(self, mode: str = "changes") -> Outcome:
        """Read, prepare, load and reconcile everything once."""
        run = self.open_run(mode)
        plans = self.plans()
        wanted = {plan.dataset for plan in plans}
        reads = [plan for plan in read_plans(self.flow) if plan.dataset in wanted]
        batches = {plan.dataset: extract(self.bench, self.ledger, plan, run, self.period) for plan in reads}
        prepared, loads = [], []
        for plan in plans:
            made = self.prepare(plan, batches[plan.dataset])
            prepared.append(made)
            self.meanwhile.get(plan.import_name, lambda: None)()
            loads.append(self.load(plan, made, batches[plan.dataset]))
            self.remove(plan, loads[-1])
        reader = ModelReading(self.model)
        report = reconcile(self.bench, run, plans, list(batches.values()), prepared, loads, reader, self.period)
        return Outcome(run, {str(name): batch for name, batch in batches.items()}, prepared, loads, report)

    def prepare(self, plan: LoadPlan, batch: BatchManifest) -> PreparedManifest:
        return prepare(self.bench, plan, batch, self.period, ModelReading(self.model))

    def load(self, plan: LoadPlan, made: PreparedManifest, batch: BatchManifest) -> LoadManifest:
        work = self.work(made.run, plan.import_name)
        state = begin_load(self.bench, plan, made, work, lambda: self.prepare(plan, batch))
        status = run_to_end(work, state.ref, self.bench.clock) if state.ref else None
        return finish_load(self.bench, plan, state, work, status)

    def remove(self, plan: LoadPlan, load: LoadManifest) -> None:
        """Run the plan's delete action where records are gone."""
        if is_needed(plan, load):
            work = self.work(load.run, plan.delete)
            ref = begin_removal(plan, load, work)
            finish_removal(work, ref, run_to_end(work, ref, self.bench.clock))

    def work(self, run: RunRef, what: str) -> ModelWork:
        return ModelWork(
            self.bench,
            self.model,
            owner=f"{run.run_id}/{what}",
            store=MemoryStore(),
            generation=0,
            run_id=run.run_id,
            deadline=self.bench.clock.now().timestamp() + 600,
        )


@dataclass
class Outcome:
    """What a run left."""

    run: RunRef
    batches: dict[str, BatchManifest]
    prepared: list[PreparedManifest]
    loads: list[LoadManifest]
    report: ReconcileReport

    def load(self, import_name: str) -> LoadManifest:
        return next(load for load in self.loads if load.import_name == import_name)


@contextmanager
def opened_closes(
    folder: Path,
    trail_template: Path,
    sandbox: Sandbox,
    control: SandboxControl,
    flow_file: Path = FLOW,
    **connection: Any,
) -> Iterator[Callable[[str], SandboxClose]]:
    """Yield what opens the close of a period, on a trail and a staging area in a folder.

    :param connection: options of the ledger's.
    """
    shutil.copy(trail_template, folder / "trail.db")
    clock = QuickClock(sandbox.world)
    trail = Trail(f"sqlite:///{folder}/trail.db", clock=clock)
    bench = Bench(
        trail=trail,
        leases=Leases(trail.engine, clock),
        stage=LocalStage(folder / "stage"),
        log=logging.getLogger("close"),
        clock=clock,
    )
    flow = load_flow(flow_file)
    ledger = open_ledger(control, flow, clock, **connection)
    yield lambda key: SandboxClose(bench, flow, flow.calendar.period(key), ledger, open_anaplan(control, clock))
    ledger.close()
    trail.close()
