# SPDX-License-Identifier: Apache-2.0
"""Dynamics GP in the sandbox, a reader of it, and waits that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY
from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import Site, Switches
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection, Query
from airflow_provider_mlconnector.systems.dynamics_gp.erp import DynamicsGp
from airflow_provider_mlconnector.systems.dynamics_gp.history import NO_MEMORY, Memory
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount
from airflow_provider_mlconnector.systems.port import Reading, Scope
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.gp_close import Database
from tests.unit.pipeline.ledgers import gp_connection

PERIOD = MONTHS_FROM_JULY.period_of_key("FY2027-P04")


@dataclass
class Server:
    """The server, and readers of it, each logged in anew."""

    sandbox: Sandbox
    control: SandboxControl
    opened: list[DynamicsGp] = field(default_factory=list)

    @property
    def site(self) -> Site:
        return site_of(self.sandbox.world)

    @property
    def books(self) -> Books:
        return self.sandbox.world.books

    def connection(self, *, password: str = "", **options: Any) -> GpConnection:
        own = {"account": WindowsAccount(self.control.info["dynamics_gp"]["login"], password)} if password else {}
        return gp_connection(self.control, **{"company": "Larkfield Ltd"} | own | options)

    def open(self, *, query: Query | None = None, memory: Memory = NO_MEMORY, **options: Any) -> DynamicsGp:
        connection = self.connection(**options)
        clock, retry = QuickClock(self.sandbox.world), RetryPolicy(uniform=lambda low, high: high)
        transport = Transport(clock=clock, retry=retry, read_timeout=2)
        erp = DynamicsGp(connection, MONTHS_FROM_JULY.period_of, transport, query=query, memory=memory)
        self.opened.append(erp)
        return erp

    def strike(self, kind: FaultKind, path: str = "asmx", **options: Any) -> int:
        return self.sandbox.world.faults.add(Fault(kind, "dynamics_gp", path=path, **options))

    def read(self, dataset: Dataset, *, period: Period | None = PERIOD, **options: Any) -> tuple[list[Any], Reading]:
        """Read a dataset whole; ``options`` are those of the connection."""
        dimensions = ("Department",) if dataset is Dataset.JOURNAL_LINES else ()
        reading = self.open(**options).read(dataset, Scope(period, dimensions=dimensions))
        return [row for batch in reading.batches for row in batch.to_pylist()], reading


@pytest.fixture(scope="module")
def _served() -> Iterator[Server]:
    with serve(["dynamics_gp"], scale=0.05) as sandbox:
        yield Server(sandbox, SandboxControl({"url": sandbox.url, **sandbox.info}))


@pytest.fixture
def server(_served: Server) -> Iterator[Server]:
    _served.site.switches = Switches()
    _served.site.domain.failures.clear()
    _served.site.domain.logons.clear()
    _served.sandbox.world.faults.clear()
    yield _served
    for erp in _served.opened:
        erp.close()
    _served.opened.clear()


@pytest.fixture
def database(server: Server, tmp_path: Path) -> Database:
    return Database(server.control, tmp_path / "gp.db", "LARKFIELD")
