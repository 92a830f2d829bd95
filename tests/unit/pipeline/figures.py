# SPDX-License-Identifier: Apache-2.0
"""What the model holds of a close, and what the books say that it has to hold; zeros left out on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.flows.plans import load_plans
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE, Selection
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import SandboxClose

LINES, BALANCES = "Load GL Actuals", "Load GL Balances"
TURNS = ("FY2026-P01", "FY2026-P06", "FY2026-P12", "FY2027-P01", "FY2027-P05")
"""Periods of tame books that differ in what can go wrong: around both ends of a year, one amid it, and the open one."""
CENTRES = {
    "ADM": "CC100",
    "FIN": "CC110",
    "HR": "CC120",
    "IT": "CC130",
    "LEGAL": "CC140",
    "SALES": "CC200",
    "MKT": "CC210",
    "SUP": "CC220",
    "TRN": "CC230",
    "PROD": "CC300",
    "QA": "CC310",
    "RND": "CC400",
    "LOG": "CC500",
    "": "NONE",
}
"""Larkfield's cost centres, by department."""

SAME_CODES = {"": "NONE"}
"""Where departments are the cost centres, and only a line without one needs a name for that."""

Cells = dict[tuple[str, str], Decimal]
"""Amounts by account and cost centre."""


class Balance(NamedTuple):
    """What an account had, what came and went, and what it has."""

    opening: Decimal
    debit: Decimal
    credit: Decimal
    closing: Decimal


Balances = dict[str, Balance]
"""By account."""


def month(close: SandboxClose) -> str:
    """Return the name of a close's period in the model."""
    return format_period(close.period, "MMM yy")


def entity_of(close: SandboxClose) -> str:
    """Return the entity that a flow loads."""
    actuals = next(plan for plan in load_plans(close.flow) if plan.import_name == LINES)
    return actuals.columns["Entity"].constant or ""


def held(control: SandboxControl, close: SandboxClose) -> Cells:
    """Return what the model holds of a close's period."""
    return control.amounts(month(close), Entity=entity_of(close))


def balances_held(control: SandboxControl, close: SandboxClose) -> Balances:
    """Return the balances that the model holds of a close's period."""
    rows = control.cells("GL Balances", Time=month(close), Entity=entity_of(close), Version="Actual")
    names = [name.capitalize() for name in Balance._fields]
    return _any({row["Account"]: Balance(*(Decimal(row.get(name) or 0) for name in names)) for row in rows})


def booked(books: Books, *keys: str, centres: Mapping[str, str] = CENTRES, select: Selection = CLOSE) -> Cells:
    """Return what was posted to periods, together.

    :param centres: cost centre by department; others go by their own codes.
    :param select: which lines count.
    """
    cells: Cells = {}
    for key in keys:
        for (account, department), amount in books.trial_balance_by_department(key, select).items():
            cell = (account, centres.get(department, department))
            cells[cell] = cells.get(cell, Decimal(0)) + amount
    return {cell: amount for cell, amount in cells.items() if amount}


def balances_booked(books: Books, key: str, select: Selection = CLOSE) -> Balances:
    """Return the balances of a period."""
    found = books.balances(key, select).items()
    return _any({account: Balance(one.opening, one.debit, one.credit, one.closing) for account, one in found})


def _any(balances: Balances) -> Balances:
    return {account: amounts for account, amounts in balances.items() if any(amounts)}
