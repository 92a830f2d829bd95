# SPDX-License-Identifier: Apache-2.0
"""Purchase orders are polled: what is loaded is what the books have on order, through changes and disappearances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.pipeline.reconcile import require_agreement
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.pipeline.support import csv_rows

FLOWS = Path(__file__).parents[3] / "dags/flows"
LEDGERS = {"business_central": "larkfield_orders", "acumatica": "acumatica_services_close"}
ORDERS = ("Load Purchase Orders", "Load Purchase Orders Data")
PERIOD = "FY2027-P05"


@pytest.fixture(params=LEDGERS, scope="module")
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with serve(["anaplan", request.param], scale=0.02) as running:
        yield running


@pytest.fixture(scope="module")
def control(sandbox: Sandbox) -> SandboxControl:
    return SandboxControl({"url": sandbox.url, **sandbox.info})


@pytest.fixture
def close(
    request: pytest.FixtureRequest, tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[SandboxClose]:
    """Return a close that has loaded the orders once."""
    system = request.node.callspec.params["sandbox"]
    flow = FLOWS / f"{LEDGERS[system]}.yaml"
    with opened_closes(tmp_path, trail_template, sandbox, control, flow) as opened:
        close = opened(PERIOD)
        close.imports = ORDERS
        require_agreement(close.run("whole").report)
        yield close


def on_order(control: SandboxControl) -> dict[str, tuple[Decimal, Decimal]]:
    """Return amount and open amount of what the books have on order."""
    rows = control.call("GET", "/books/purchase-orders")
    found = {row["number"]: (Decimal(row["amount"]), Decimal(row["open_amount"])) for row in rows}
    return {number: figures for number, figures in found.items() if figures[1]}


def loaded(control: SandboxControl) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the same figures as the model has them, by the number that the ledger's own id ends with or stands for."""
    rows = {row["Record"]: row for row in control.cells("Purchase Orders Data")}
    numbers = {code: row["name"].rpartition("/")[2] for code, row in control.members("Purchase Orders").items()}
    figures = {numbers[code]: (Decimal(row["Amount"]), Decimal(row["Open Amount"])) for code, row in rows.items()}
    return {number: pair for number, pair in figures.items() if pair[1]}


def sent(close: SandboxClose, run: Callable[[], object]) -> list[dict[str, str]]:
    return csv_rows(close.bench, run().load(ORDERS[1]).prepared.file)


def test_what_is_on_order_is_what_the_model_has(close: SandboxClose, control: SandboxControl):
    assert loaded(control) == on_order(control) != {}
    again = close.run()
    assert [load.sent for load in again.loads] == [0, 0]


def test_an_order_that_is_partly_invoiced_sends_its_row_alone(close: SandboxClose, control: SandboxControl):
    control.call("PATCH", "/books/purchase-orders/PO000103", {"open_amount": "1234.56"})
    rows = sent(close, close.run)
    assert [(row["Amount"], row["Open Amount"], row["Present"]) for row in rows] == [("12999.99", "1234.56", "1")]
    assert loaded(control) == on_order(control)


def test_an_order_that_is_invoiced_to_the_end_is_open_no_more(close: SandboxClose, control: SandboxControl):
    control.call("PATCH", "/books/purchase-orders/PO000104", {"open_amount": "0"})
    rows = sent(close, close.run)
    assert [row["Open Amount"] for row in rows] == ["0"]
    assert loaded(control) == on_order(control)


def test_an_order_that_vanishes_has_0_in_every_figure(close: SandboxClose, control: SandboxControl):
    control.call("DELETE", "/books/purchase-orders/PO000105")
    done = close.run()
    assert done.load(ORDERS[1]).prepared.cells_zeroed == 1
    gone = {row["Amount"]: row["Open Amount"] for row in control.cells("Purchase Orders Data") if row["Present"] == "0"}
    assert gone == {"0": "0"}
    assert loaded(control) == on_order(control)
