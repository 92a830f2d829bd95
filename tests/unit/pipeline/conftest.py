# SPDX-License-Identifier: Apache-2.0
"""A bench with a real trail on SQLite and a real staging area, and a ledger to read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.prepare import prepare
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import RunRef
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import StandingClock
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.pipeline.support import LOG, PERIOD, FakeReader, Ledger, line, read_plan, run_ref


@pytest.fixture(scope="session")
def trail_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the trail's schema, to be copied."""
    file = tmp_path_factory.mktemp("template") / "trail.db"
    trail = Trail(f"sqlite:///{file}")
    trail.upgrade()
    trail.close()
    return file


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def bench(tmp_path: Path, trail_template: Path, clock: StandingClock) -> Iterator[Bench]:
    shutil.copy(trail_template, tmp_path / "trail.db")
    trail = Trail(f"sqlite:///{tmp_path}/trail.db", clock=clock)
    yield Bench(
        trail=trail,
        leases=Leases(trail.engine, clock),
        stage=LocalStage(tmp_path / "stage"),
        log=LOG,
        clock=clock,
        memory_limit="256MB",
    )
    trail.close()


@pytest.fixture
def new_run(bench: Bench) -> Callable[..., RunRef]:
    """Open a run of the flow."""
    count = 0

    def open_run(mode: str = "changes") -> RunRef:
        nonlocal count
        count += 1
        run = run_ref(f"run{count}", mode)
        bench.trail.open_run(run, requested_by="ada")
        return run

    return open_run


@pytest.fixture
def prepared(bench: Bench, ledger: Ledger, new_run: Callable[..., RunRef]) -> Callable[..., PreparedManifest]:
    """Read a dataset and prepare a plan of it."""

    def run(plan: LoadPlan, *, model: FakeReader | None = None, mode: str = "changes") -> PreparedManifest:
        batch = extract(bench, ledger, read_plan(plan.dataset, plan.import_name), new_run(mode), PERIOD)
        return prepare(bench, plan, batch, PERIOD, model)

    return run


@pytest.fixture
def ledger() -> Ledger:
    """Six lines on three accounts that add up to zero, in two departments."""
    made = Ledger()
    made.lines.extend(
        [
            line(1, "40100", "-100.00"),
            line(2, "40100", "-20.50"),
            line(3, "40200", "-30.00", **{"dimension.DEPARTMENT": "PROD"}),
            line(4, "10100", "100.00", **{"dimension.DEPARTMENT": ""}),
            line(5, "10100", "20.50", **{"dimension.DEPARTMENT": ""}),
            line(6, "10100", "30.00", **{"dimension.DEPARTMENT": ""}),
        ]
    )
    return made


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def close(bench: Bench, ledger: Ledger, model: FakeModel, new_run: Callable[..., RunRef]) -> Close:
    """A run of the ledger's actuals; blank departments are called ``NONE``."""
    for row in ledger.lines:
        row["dimension.DEPARTMENT"] = row["dimension.DEPARTMENT"] or "NONE"
    return Close(bench, ledger, model, new_run())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "business_central", "dynamics_gp"], scale=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def control(sandbox: Sandbox) -> SandboxControl:
    return SandboxControl({"url": sandbox.url, **sandbox.info})


@pytest.fixture
def closing(
    tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Callable[[str], SandboxClose]]:
    """Open a close of a period, on a trail and a staging area of its own."""
    with opened_closes(tmp_path, trail_template, sandbox, control) as opened:
        yield opened
