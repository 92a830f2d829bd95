# SPDX-License-Identifier: Apache-2.0
"""Clients of the sandbox's SYSPRO, and what its books say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.sandbox.syspro import site_of
from airflow_provider_mlconnector.sandbox.syspro.site import COMPANIES, Switches
from airflow_provider_mlconnector.systems.port import Reading, Scope
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
from airflow_provider_mlconnector.systems.syspro.erp import Syspro
from tests.unit.systems.http.scripted_server import quick

KEY = "FY2027-P04"
Row = dict[str, Any]


class SysproSite:
    """The site, in the same process; clients are closed after each test."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.world = sandbox.world
        self.info = sandbox.info["syspro"]
        self.state = site_of(sandbox.world)
        self._clients: list[Syspro] = []

    def switch(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.state.switches, name, value)

    def fault(self, kind: str, path: str = "GenJournalDetail", **options: Any) -> int:
        return self.world.faults.add(Fault(FaultKind(kind), "syspro", path=path, **options))

    def client(self, **options: Any) -> Syspro:
        names = ("odata_url", "enet_url", "entity_url", "password", "company", "company_password")
        plain = {name: self.info[name] for name in names} | {"operator": self.info["login"]}
        client = Syspro(SysproConnection(**plain | options), quick())
        self._clients.append(client)
        return client

    def books(self, company: str = "L") -> Books:
        return self.world.companies[COMPANIES[company]]

    def scope(self, key: str = KEY, company: str = "L", **more: Any) -> Scope:
        return Scope(period=self.books(company).period(key), dimensions=("DEPARTMENT",), **more)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()
        self.world.faults.clear()
        self.state.switches = Switches()
        self.state.sessions.clear()
        self.state.restart()


def rows_of(client: Syspro, dataset: Dataset, scope: Scope | None = None) -> tuple[list[Row], Reading]:
    reading = client.read(dataset, scope or Scope())
    return [row for batch in reading.batches for row in batch.to_pylist()], reading


def by_cell(rows: Iterable[Row]) -> dict[tuple[str, str], Decimal]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        if not row["statistical"]:
            sums[row["account"], row["dimension.DEPARTMENT"].replace("000", "")] += row["amount"]
    return {cell: amount for cell, amount in sums.items() if amount}


def by_cell_in_the_books(books: Books, period: Period) -> dict[tuple[str, str], Decimal]:
    net = books.trial_balance_by_department(period.key, CLOSE)
    return {cell: amount for cell, amount in net.items() if amount}
