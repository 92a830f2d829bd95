# SPDX-License-Identifier: Apache-2.0
"""What the model has to hold, computed from the ledger and the code book alone."""

import csv
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).parents[2]


def members() -> dict[str, str]:
    """Return cost centres by department, as the code book has them."""
    with (ROOT / "dags/crosswalks/cost_centres.csv").open() as lines:
        return {row["code"]: row["member"] for row in csv.DictReader(lines)}


def expected(ledger: dict[tuple[str, str], Decimal]) -> dict[tuple[str, str], Decimal]:
    """Return the ledger's totals by account and cost centre."""
    centre = members()
    return {(account, centre[department]): amount for (account, department), amount in ledger.items()}
