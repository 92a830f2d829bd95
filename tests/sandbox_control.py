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

    def hits(self, fault_id: int) -> int:
        """Return how many requests a fault struck."""
        return next(int(fault["hits"]) for fault in self.call("GET", "/faults") if fault["id"] == fault_id)

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def switches(self, **values: object) -> None:
        self.call("POST", "/anaplan/switches", values)

    def reset_switches(self) -> None:
        self.call("DELETE", "/anaplan/switches")

    # The books

    def ledger(self, period: str, **query: str) -> dict[tuple[str, str], Decimal]:
        """Return what was posted, by account and department; zeros left out.

        :param query: ``company`` by its code, and ``select``: everything, close or close_by_date.
        """
        rows = self.call("GET", "/books/trial-balance-by-department", period=period, **query)
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

    def amounts(self, month: str, version: str = "Actual", **members: str) -> dict[tuple[str, str], Decimal]:
        """Return what the model holds for a month, by account and cost centre; zeros left out."""
        rows = self.cells("GL Actuals", Time=month, Version=version, **members)
        cells = {(row["Account"], row["Cost Centre"]): Decimal(row["Amount"]) for row in rows}
        return {cell: amount for cell, amount in cells.items() if amount}

    def starts(self) -> dict[str, int]:
        """Return how often each action was started."""
        return dict(self.call("GET", "/anaplan/tasks")["starts"])

    def events(self) -> list[dict[str, Any]]:
        """Return the uploads, starts, ends and outcomes that the model saw, oldest first."""
        return list(self.call("GET", "/anaplan/events")["events"])

    def tasks(self, action: str) -> list[dict[str, Any]]:
        return [task for task in self.call("GET", "/anaplan/tasks")["tasks"] if task["action"] == action]

    # People in the model

    def build_import(self, name: str, **settings: object) -> None:
        """Change what an import does to its target (``clears_target``, ``adds`` …); without settings as it was made."""
        self.call("PUT", f"/anaplan/imports/{name}", settings)

    def number_list(self, name: str) -> None:
        """Make a list a numbered one."""
        self.call("POST", f"/anaplan/lists/{name}/numbered")

    def members(self, list_name: str) -> dict[str, dict[str, str]]:
        """Return the members of a list by code: id, name, code of the parent."""
        rows = self.call("GET", "/anaplan/members", list=list_name)["members"]
        return {row["code"]: row for row in rows}

    def add_members(self, list_name: str, *members: dict[str, str]) -> None:
        self.call("POST", "/anaplan/members", {"list": list_name, "members": members})

    def ensure_members(self, list_name: str, codes: list[str]) -> None:
        """Add the members that a list lacks, each with its code as its name."""
        known = self.members(list_name)
        self.add_members(list_name, *({"code": code, "name": code} for code in codes if code not in known))

    def change_member(self, list_name: str, member: str, **values: str) -> None:
        """Give a member another name, code or parent."""
        self.call("PATCH", "/anaplan/members", {"list": list_name, "member": member, **values})

    def delete_members(self, list_name: str, *members: str) -> None:
        self.call("DELETE", "/anaplan/members", {"list": list_name, "members": members})

    def type_cell(self, module: str, **cell: str) -> None:
        """Type a value over a cell; names members by code and line items with their values."""
        self.call("POST", "/anaplan/cells", {"module": module, "cells": [cell]})

    def upload_by_hand(self, import_name: str, text: str, *, user: str = "", default: bool = False) -> None:
        """Choose another file for an import, as the planner or another user."""
        body = {"text": text, "user": user, "default": default}
        self.call("POST", f"/anaplan/imports/{import_name}/upload", body)

    def start_by_hand(self, action: str, *, user: str = "", **mapping: str) -> str:
        """Start an action as the planner or another user; return the task's id."""
        body = {"action": action, "user": user, "mapping": mapping}
        return str(self.call("POST", "/anaplan/tasks", body)["task_id"])

    def put_model_into(self, state: str, seconds: float | None = None) -> None:
        """Lock, archive, take offline or unlock the model, for so many virtual seconds or until further notice."""
        self.call("POST", "/anaplan/model", {"state": state, **({} if seconds is None else {"seconds": seconds})})

    def hold_model(self, seconds: float) -> None:
        """Let a person work in the model for so many virtual seconds: tasks wait."""
        self.call("POST", "/anaplan/model", {"hold_seconds": seconds})

    def remember_model(self, name: str) -> None:
        self.call("POST", "/anaplan/model", {"snapshot": name})

    def restore_model(self, name: str) -> None:
        """Bring back what the model held when it was remembered."""
        self.call("POST", "/anaplan/model", {"restore": name})
