# SPDX-License-Identifier: Apache-2.0
"""Records: lists keyed by SYSPRO's own keys, the modules of their figures, and what becomes of those that go."""

from __future__ import annotations

from decimal import Decimal

from airflow_provider_mlconnector.pipeline.reconcile import require_agreement
from airflow_provider_mlconnector.sandbox.books.subledgers import ap_invoices
from tests.unit.pipeline.support import csv_rows

AP = ("Load Vendors", "Load AP Invoices", "Load AP Invoices Data")
AR = ("Load Customers", "Load AR Invoices", "Load AR Invoices Data")
STOCK = ("Load Stock", "Load Stock Data")
PERIOD = "FY2027-P05"


def figures(control, module: str, *names: str) -> dict[str, tuple[Decimal, ...]]:
    return {row["Record"]: tuple(Decimal(row[name]) for name in names) for row in control.cells(module)}


def in_the_books(sandbox) -> dict[str, tuple[Decimal, Decimal]]:
    found = ap_invoices(sandbox.world.books)
    return {f"L/{one.party}/{one.number}": (one.amount, one.open_amount) for one in found}


def test_invoices_of_suppliers_are_records_with_their_figures_and_texts(closing, sandbox, control):
    close = closing(PERIOD)
    close.imports = AP
    require_agreement(close.run("whole").report)
    assert figures(control, "AP Invoices Data", "Amount", "Open Amount") == in_the_books(sandbox)
    one = next(iter(ap_invoices(sandbox.world.books)))
    member = control.members("AP Invoices")[f"L/{one.party}/{one.number}"]
    assert one.party in control.members("Vendors")
    model = sandbox.world.state("anaplan", lambda: None).hub.contents.list_named("AP Invoices")
    assert model.by_code(member["code"]).properties["Due Date"] == str(one.due)
    assert model.by_code(member["code"]).properties["Supplier"] == one.party


def test_an_invoice_that_changes_sends_that_record_alone(closing, control, sandbox):
    close = closing(PERIOD)
    close.imports = AP
    close.run("whole")
    invoice = [one for one in ap_invoices(sandbox.world.books) if one.open_amount][-1]
    owed = next(line for line in invoice.postings if line.amount == -invoice.amount)
    control.change_line(owed.entry_number, amount=str(owed.amount * 2))
    done = close.run()
    sent = csv_rows(close.bench, done.load("Load AP Invoices Data").prepared.file)
    assert [row["Record"] for row in sent] == [f"L/{invoice.party}/{invoice.number}"]
    assert figures(control, "AP Invoices Data", "Amount", "Open Amount") == in_the_books(sandbox)


def test_an_invoice_that_is_gone_is_removed_by_the_action_that_the_flow_names(closing, control, sandbox):
    close = closing(PERIOD)
    close.imports = AP
    close.run("whole")
    invoice = list(ap_invoices(sandbox.world.books))[-1]
    record = f"L/{invoice.party}/{invoice.number}"
    for line in invoice.postings:
        control.call("DELETE", f"/books/lines/{line.entry_number}")
    done = close.run()
    assert done.load("Load AP Invoices Data").prepared.cells_zeroed == 1
    assert record not in control.members("AP Invoices")
    assert figures(control, "AP Invoices Data", "Amount", "Open Amount") == in_the_books(sandbox)
    again = close.run()
    assert [load.sent for load in again.loads] == [0, 0, 0]


def test_without_such_an_action_its_figures_are_set_to_0_and_it_stays(closing, control):
    close = closing(PERIOD)
    close.imports = STOCK
    close.changed["Load Stock Data"] = {"delete": ""}
    close.run("whole")
    assert figures(control, "Stock Data", "Quantity", "Present")["L/00071/E1"] == (Decimal(31), Decimal(1))
    control.call("DELETE", "/books/stock/00071/E1")
    close.run()
    assert figures(control, "Stock Data", "Quantity", "Value", "Present")["L/00071/E1"] == (0, 0, 0)
    assert "L/00071/E1" in control.members("Stock")


def test_the_stock_of_a_warehouse_follows_its_count(closing, control):
    close = closing(PERIOD)
    close.imports = STOCK
    close.run("whole")
    control.call("PUT", "/books/stock/HIVE-NAT/01", {"quantity": "3", "allocated": "2.5"})
    done = close.run()
    sent = csv_rows(close.bench, done.load("Load Stock Data").prepared.file)
    assert [(row["Record"], row["Quantity"], row["Allocated"], row["Value"]) for row in sent] == [
        ("L/HIVE-NAT/01", "3", "2.5", "252.75")
    ]


def test_customers_and_their_invoices_carry_the_customers_reference(closing, control, sandbox):
    close = closing(PERIOD)
    close.imports = AR
    require_agreement(close.run("whole").report)
    assert set(control.members("Customers")) == {customer.number for customer in sandbox.world.books.customers}
    model = sandbox.world.state("anaplan", lambda: None).hub.contents.list_named("AR Invoices")
    assert all(member.properties["Reference"].startswith("PO ") for member in model)
    assert len(model) == len(figures(control, "AR Invoices Data", "Amount")) > 10
