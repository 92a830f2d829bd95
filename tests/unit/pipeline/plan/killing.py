# SPDX-License-Identifier: Apache-2.0
"""The write step in a process of its own, which is killed with SIGKILL while the sandbox has one of its requests."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.finance.drafts import Payload
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.pipeline.writeback import Receipt, write_back
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.state import World
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.store import Trail
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.plan.drafters import Office
from tests.unit.pipeline.support import LOG

START_SECONDS = 60.0
"""Real seconds within which a process that was started has sent its request, on a machine with much else to do."""

# each process is forked from one that has imported all that a ledger's client imports at its first use
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "msal", "pandas", "pyarrow.json", "spnego", "sqlite3", "zeep"])


class SandboxClock:
    """The sandbox's clock, from another process; waiting moves it on."""

    def __init__(self, control: SandboxControl) -> None:
        self._control = control
        told = datetime.fromisoformat(control.call("GET", "/clock")["now"])
        self._ahead = told - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self._control.call("POST", "/clock", {"advance": seconds})
        self._ahead += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Writing:
    """What a write step does, wherever it runs.

    :param trail: address of the trail; its run is open.
    :param owner: the task, the same in all of its tries.
    """

    office: Office
    payload: bytes
    trail: str
    folder: Path
    run_id: str
    owner: str = "plan/write"

    def go(self, clock: Clock | None = None) -> list[Receipt]:
        """Write; without a clock by the sandbox's."""
        clock = clock or SandboxClock(self.office.control)
        with self.bench(clock) as bench, closing(self.office.open(clock)) as drafting:
            resource = f"{self.office.system}/{self.office.company}/{self.office.name}"
            payload = Payload.decode(self.payload)
            return write_back(bench, payload, drafting, run_id=self.run_id, owner=self.owner, resource=resource)

    @contextmanager
    def bench(self, clock: Clock) -> Iterator[Bench]:
        """Open the trail as a process of its own does."""
        with closing(Trail(self.trail, clock=clock)) as trail:
            stage = LocalStage(self.folder / "stage")
            yield Bench(trail=trail, leases=Leases(trail.engine, clock), stage=stage, log=LOG, clock=clock)

    def in_a_process(self) -> BaseProcess:
        """Start it in a process of its own."""
        process = PROCESSES.Process(target=self.go, daemon=True)
        process.start()
        return process


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests to the sandbox, logins included: all, or those by a method whose target a pattern is found in."""

    method: str = ""
    path: str = ""


def killed(world: World, writing: Writing, which: Requests, *, at: int, carried_out: bool) -> None:
    """Let a process write, and kill it while the sandbox has its request of that number, counted from 0.

    :param carried_out: whether the ledger does what the request asks for; its answer comes to nobody either way.
    """
    kind = FaultKind.HELD if carried_out else FaultKind.HANG
    fault = world.faults.add(Fault(kind, method=which.method, path=which.path, skip=at, seconds=START_SECONDS))
    process = writing.in_a_process()
    _until(lambda: world.faults.hits(fault) > 0 or not process.is_alive())
    assert process.is_alive(), f"it was over before its request {at}"
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    systems = (writing.office.system, "entra")
    _until(lambda: not any(world.stats.in_flight(system) for system in systems))
    world.faults.clear()


def killed_at_its_file(writing: Writing, *, written: bool) -> None:
    """Let a process write, and kill it when its file is to appear, before that or after."""
    process = PROCESSES.Process(target=_die_at_the_file, args=(writing, written), daemon=True)
    process.start()
    process.join(START_SECONDS)
    assert process.exitcode == -signal.SIGKILL


def undisturbed(world: World, writing: Writing, *which: Requests) -> list[int]:
    """Let a process write, and return how many requests of each kind it sent."""
    faults = (Fault(FaultKind.DELAY, method=one.method, path=one.path, times=None, seconds=0.0) for one in which)
    counters = [world.faults.add(fault) for fault in faults]
    process = writing.in_a_process()
    process.join(START_SECONDS)
    assert process.exitcode == 0
    counts = [world.faults.hits(counter) for counter in counters]
    world.faults.clear()
    return counts


def _die_at_the_file(writing: Writing, written: bool) -> None:
    replace = os.replace

    def dying(source: Path, target: Path) -> None:
        if written:
            replace(source, target)
        os.kill(os.getpid(), signal.SIGKILL)

    os.replace = dying  # type: ignore[assignment]
    writing.go()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.002)
