# SPDX-License-Identifier: Apache-2.0
"""What the model has to hold, computed from the ledger and the code book alone."""

import csv
from decimal import Decimal
from pathlib import Path

from tests.sandbox_control import SandboxControl

Balances = dict[str, dict[str, Decimal]]
"""Opening, debit, credit and closing by account."""

ROOT = Path(__file__).parents[2]


def members(book: str = "cost_centres") -> dict[str, str]:
    """Return cost centres by department, as a code book has them."""
    with (ROOT / f"dags/crosswalks/{book}.csv").open() as lines:
        return {row["code"]: row["member"] for row in csv.DictReader(lines)}


def expected(ledger: dict[tuple[str, str], Decimal]) -> dict[tuple[str, str], Decimal]:
    """Return the ledger's totals by account and cost centre."""
    centre = members()
    return {(account, centre[department]): amount for (account, department), amount in ledger.items()}


def balances_in_books(sandbox: SandboxControl, period: str) -> Balances:
    """Return the balances of the accounts that have any."""
    return {account: row for account, row in sandbox.balances(period).items() if any(row.values())}


def balances_in_model(sandbox: SandboxControl, month: str, entity: str) -> Balances:
    """Return what the model holds of an entity, of the accounts that have any."""
    names = ("Opening", "Debit", "Credit", "Closing")
    rows = sandbox.cells("GL Balances", Time=month, Version="Actual", Entity=entity)
    held = {row["Account"]: {name.lower(): Decimal(row.get(name) or 0) for name in names} for row in rows}
    return {account: row for account, row in held.items() if any(row.values())}
