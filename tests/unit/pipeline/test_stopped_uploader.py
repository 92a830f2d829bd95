# SPDX-License-Identifier: Apache-2.0
"""A worker that stands still past the end of its lease, and goes on after somebody else took the model over."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK
from airflow_provider_mlconnector.errors import LeaseTakenError
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.anaplan.uploads import MEGABYTE
from airflow_provider_mlconnector.trail.store import Trail
from tests.postgres import postgres_server, postgres_url  # noqa: F401  (fixtures)
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.support import run_ref
from tests.unit.pipeline.uploader import IMPORT, Place, bench_at, upload_and_start, work_at

CHUNKS = 12
AT_ONCE = 4
PATIENCE = 60.0

pytestmark = pytest.mark.postgres

HOLDS: dict[str, dict[str, Any]] = {
    "before the first chunk": {"method": "POST", "path": "/files/[0-9]+$", "times": 1},
    "between two chunks": {"method": "PUT", "path": "/chunks/", "times": None, "skip": AT_ONCE},
    "before the file is declared complete": {"method": "POST", "path": "/complete$", "times": 1},
    "before the start": {"method": "GET", "path": r"/imports/[0-9]+/tasks\?", "times": 1},
}
"""By the moment at which the worker is stopped, the request that the sandbox holds meanwhile."""


@dataclass
class Uploader:
    """A worker in a process of its own, and what it tells at its end."""

    process: Any
    told: Connection

    def stand_still(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> str:
        os.kill(self.process.pid, signal.SIGCONT)
        assert self.told.poll(PATIENCE)
        return str(self.told.recv())


@pytest.fixture
def place(tmp_path: Path, postgres_url: str, control: SandboxControl) -> Place:  # noqa: F811  (a fixture)
    trail = Trail(postgres_url)
    trail.upgrade()
    trail.open_run(run_ref("run"), requested_by="ada")
    trail.close()
    return Place(control.info, postgres_url, tmp_path / "stage", "run")


@pytest.fixture
def upload(place: Place, tmp_path: Path) -> Iterator[Callable[[], Uploader]]:
    """Send a file of twelve chunks from another process."""
    file = tmp_path / "journal.csv"
    file.write_bytes(b"id,entryNumber\n".ljust(CHUNKS * MEGABYTE, b"x"))
    started: list[Uploader] = []

    def start() -> Uploader:
        context = multiprocessing.get_context("spawn")
        told, tell = context.Pipe(duplex=False)
        process = context.Process(target=upload_and_start, args=(place, file, tell))
        process.start()
        started.append(Uploader(process, told))
        return started[-1]

    yield start
    for uploader in started:
        uploader.process.kill()
        uploader.process.join(PATIENCE)


@pytest.fixture(autouse=True)
def no_faults(control: SandboxControl) -> Iterator[None]:
    yield
    control.clear_faults()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stop_at(moment: str, uploader: Uploader, sandbox: Sandbox, control: SandboxControl) -> None:
    """Stop the worker while the sandbox holds its requests, then let these be served: they were sent in time."""
    hold = HOLDS[moment]
    fault = control.fault("hang", system="anaplan", seconds=PATIENCE, **hold)
    wait_until(lambda: control.hits(fault) == (AT_ONCE if hold["times"] is None else 1))
    uploader.stand_still()
    control.clear_faults()
    wait_until(lambda: sandbox.world.stats.in_flight("anaplan") == 0)


def expire(place: Place) -> None:
    with bench_at(place) as bench:
        wait_until(lambda: bench.leases.all()[0].until < SYSTEM_CLOCK.now())


@pytest.mark.parametrize("moment", HOLDS)
def test_a_worker_that_was_stopped_past_its_lease_sends_nothing_more_once_the_model_is_taken_over(
    moment: str,
    upload: Callable[[], Uploader],
    place: Place,
    sandbox: Sandbox,
    control: SandboxControl,
) -> None:
    before = control.starts().get(IMPORT, 0)
    uploader = upload()
    stop_at(moment, uploader, sandbox, control)
    with bench_at(place) as bench:
        successor = work_at(place, bench, "successor")
        wait_until(lambda: taken_over(successor))
        seen = control.events()
        assert uploader.go_on() == "FencedError"
        assert control.events() == seen
        assert control.starts().get(IMPORT, 0) == before
        assert [lease.owner for lease in bench.leases.all()] == ["successor"]


def taken_over(successor: Any) -> bool:
    try:
        successor.enter()
    except LeaseTakenError:
        return False
    return True


def test_a_worker_that_was_stopped_past_its_lease_goes_on_where_nobody_took_the_model(
    upload: Callable[[], Uploader], place: Place, sandbox: Sandbox, control: SandboxControl
) -> None:
    before = control.starts().get(IMPORT, 0)
    uploader = upload()
    stop_at("between two chunks", uploader, sandbox, control)
    expire(place)
    assert uploader.go_on() == "started"
    assert control.starts()[IMPORT] == before + 1
