# SPDX-License-Identifier: Apache-2.0
"""The sandbox's Acumatica, as it was before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.systems.acumatica.erp import Acumatica
from airflow_provider_mlconnector.systems.port import Reading, Scope
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.systems.acumatica.opening import open_company

Open = Callable[..., Acumatica]


class Desk(SandboxControl):
    """Controls of the Acumatica site."""

    def turn(self, **switches: object) -> None:
        self.call("PATCH", "/acumatica/switches", switches)

    def sessions(self) -> int:
        return len(self.call("GET", "/acumatica/sessions"))

    def answer(self, name: str, **query: object) -> None:
        """Answer a request with a ready-made error."""
        self.call("POST", f"/acumatica/faults/{name}", **{key: str(value) for key, value in query.items()})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["acumatica"]) as running:
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Desk]:
    desk = Desk({"url": sandbox.url, **sandbox.info})
    yield desk
    desk.clear_faults()
    for path in ("switches", "sessions", "failures"):
        desk.call("DELETE", f"/acumatica/{path}")
    desk.call("DELETE", "/stats")


@pytest.fixture
def opened(sandbox: Sandbox, control: Desk) -> Iterator[Open]:
    """Open companies, which are closed after the test; waiting moves the sandbox's clock on."""
    with ExitStack() as stack:

        def open_one(company: str = "LARKFIELD", **options: Any) -> Acumatica:
            plain = {"clock": QuickClock(sandbox.world)} | options
            return stack.enter_context(closing(open_company(control, company, **plain)))

        yield open_one


def rows_of(erp: Acumatica, dataset: Dataset, scope: Scope | None = None) -> tuple[list[dict[str, Any]], Reading]:
    """Return all rows of a dataset, and the reading when it is over."""
    reading = erp.read(dataset, scope or Scope())
    return [row for batch in reading.batches for row in batch.to_pylist()], reading
