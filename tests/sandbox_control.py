"""What tests do to a sandbox that runs in another process: books, model, faults and clock over its control routes."""

from decimal import Decimal
from typing import Any

import requests


class SandboxControl:
    """A running sandbox, from outside."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.url: str = info["url"]

    def call(self, method: str, path: str, body: object = None, **params: str) -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox{path}", json=body, params=params, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    # The remote world misbehaves

    def fault(self, kind: str, path: str, **options: object) -> int:
        return int(self.call("POST", "/faults", {"kind": kind, "path": path, **options})["id"])

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def switches(self, **values: object) -> None:
        self.call("POST", "/anaplan/switches", values)

    def reset_switches(self) -> None:
        self.call("DELETE", "/anaplan/switches")

    # The books

    def ledger(self, period: str) -> dict[tuple[str, str], Decimal]:
        """Return what was posted, by account and department; zeros left out."""
        rows = self.call("GET", "/books/trial-balance-by-department", period=period)
        cells = {(row["account"], row["department"]): Decimal(row["amount"]) for row in rows}
        return {cell: amount for cell, amount in cells.items() if amount}

    def balances(self, period: str) -> dict[str, dict[str, Decimal]]:
        rows = self.call("GET", "/books/balances", period=period)
        return {account: {name: Decimal(text) for name, text in row.items()} for account, row in rows.items()}

    def lines(self, period: str) -> list[dict[str, Any]]:
        return list(self.call("GET", "/books/lines", period=period, limit="100000")["lines"])

    def change_line(self, entry: int, **values: object) -> None:
        self.call("PATCH", f"/books/lines/{entry}", values)

    # The model

    def cells(self, module: str, **members: str) -> list[dict[str, str]]:
        return list(self.call("GET", "/anaplan/cells", module=module, **members)["cells"])

    def amounts(self, month: str, version: str = "Actual") -> dict[tuple[str, str], Decimal]:
        """Return what the model holds for a month, by account and cost centre; zeros left out."""
        rows = self.cells("GL Actuals", Time=month, Version=version)
        cells = {(row["Account"], row["Cost Centre"]): Decimal(row["Amount"]) for row in rows}
        return {cell: amount for cell, amount in cells.items() if amount}

    def starts(self) -> dict[str, int]:
        """Return how often each action was started."""
        return dict(self.call("GET", "/anaplan/tasks")["starts"])

    def tasks(self, action: str) -> list[dict[str, Any]]:
        return [task for task in self.call("GET", "/anaplan/tasks")["tasks"] if task["action"] == action]
