# SPDX-License-Identifier: Apache-2.0
"""A close as a task would run it, step by step, against fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.layout import cell_scope
from airflow_provider_mlconnector.pipeline.load import LoadState, begin_load, finish_load
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest, LoadManifest, PreparedManifest
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.prepare import prepare
from airflow_provider_mlconnector.trail.records import CellScope, RunRef
from tests.unit.pipeline.fake_model import FakeModel, MemoryStore
from tests.unit.pipeline.support import PERIOD, Ledger, actuals, read_plan

TOTALS = {
    ("10100", "NONE"): Decimal("150.5"),
    ("40100", "SALES"): Decimal("-120.5"),
    ("40200", "PROD"): Decimal(-30),
}
"""What the ledger of the tests adds up to, with ``NONE`` for lines without a department."""


@dataclass
class Close:
    """One run of one plan; ``store`` is the task's own over all tries."""

    bench: Bench
    ledger: Ledger
    model: FakeModel
    run: RunRef
    plan: LoadPlan = field(default_factory=actuals)
    store: MemoryStore = field(default_factory=MemoryStore)
    generation: int = 0
    owner: str = "close/load"

    @property
    def scope(self) -> CellScope:
        """Whose accepted cells it changes."""
        return cell_scope(self.plan, PERIOD.key)

    def extract(self) -> BatchManifest:
        return extract(self.bench, self.ledger, read_plan(self.plan.dataset, self.plan.import_name), self.run, PERIOD)

    def prepare(self, batch: BatchManifest | None = None) -> PreparedManifest:
        return prepare(self.bench, self.plan, batch or self.extract(), PERIOD, self.model)

    def work(self, **more: Any) -> ModelWork:
        """Return the work of a new process of the task."""
        values: dict[str, Any] = {
            "owner": self.owner,
            "store": self.store,
            "generation": self.generation,
            "run_id": self.run.run_id,
            "deadline": self.bench.clock.now().timestamp() + 3600,
            **more,
        }
        return ModelWork(self.bench, self.model, **values)

    def begin(self, prepared: PreparedManifest, work: ModelWork | None = None) -> tuple[LoadState, ModelWork]:
        work = work or self.work()
        batch = self.bench.trail.batch(prepared.batch_id)
        told = BatchManifest(
            run=self.run,
            dataset=prepared.dataset,
            batch_id=batch.batch_id,
            mode=batch.mode,
            rows=batch.rows,
            sums=batch.sums,
            file=batch.file,
            book_version=prepared.book_version,
            book_rows=prepared.rows_book,
            cursor=prepared.cursor,
        )
        return begin_load(self.bench, self.plan, prepared, work, lambda: self.prepare(told)), work

    def finish(self, state: LoadState, work: ModelWork) -> LoadManifest:
        status = run_to_end(work, state.ref, self.bench.clock) if state.ref else None
        return finish_load(self.bench, self.plan, state, work, status)

    def load(self, prepared: PreparedManifest) -> LoadManifest:
        return self.finish(*self.begin(prepared))

    def whole_way(self) -> LoadManifest:
        return self.load(self.prepare())


def next_run(close: Close, new_run: Callable[..., RunRef], mode: str = "changes", **more: Any) -> Close:
    """Return another run of a close's plan."""
    return Close(close.bench, close.ledger, close.model, new_run(mode), **{"plan": close.plan, **more})
