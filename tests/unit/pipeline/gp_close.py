# SPDX-License-Identifier: Apache-2.0
"""Closes from Dynamics GP: of the distributor, and of the company whose books hold what real ones do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes

DISTRIBUTOR = Path(__file__).parents[3] / "dags/flows/gp_distributor_close.yaml"
TUI = Path(__file__).parent / "gp/gp_tui_close.yaml"
MEMBERS = {"ADM": "CC100", "SALES": "CC200", "PROD": "CC300", "RND": "CC400", "LOG": "CC500", "": "NONE"}
LISTS = ("Load Accounts", "Load Cost Centres")
LINES, BALANCES = "Load GL Actuals", "Load GL Balances"

Cells = dict[tuple[str, str], Decimal]


class Database:
    """The company's database; what happened in the books since is not in it before ``refresh``."""

    def __init__(self, control: SandboxControl, file: Path, company: str) -> None:
        self._control = control
        self._body = {"file": str(file), "company": company}
        self.refresh()

    def refresh(self) -> None:
        self._control.call("POST", "/dynamics_gp/tables", self._body)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._body["file"])) as db:
            return db.execute(statement).fetchall()


@contextmanager
def opened_gp(
    folder: Path,
    trail_template: Path,
    sandbox: Sandbox,
    control: SandboxControl,
    flow_file: Path = DISTRIBUTOR,
    *,
    database: Database | None = None,
    **options: Any,
) -> Iterator[Callable[[str], SandboxClose]]:
    """Yield what opens the close of a period."""
    control.ensure_members("Entities", ["Tūī GP"])
    query = database.query if database else None
    with opened_closes(folder, trail_template, sandbox, control, flow_file, query=query, **options) as opened:
        yield opened


def entity(close: SandboxClose) -> str:
    return "Tūī GP" if close.flow.name == "gp_tui_close" else "Larkfield Distribution"


def books_of(sandbox: Sandbox, close: SandboxClose) -> Books:
    return sandbox.world.companies["TUI" if close.flow.name == "gp_tui_close" else "LARKFIELD"]


def month(close: SandboxClose) -> str:
    return format_period(close.period, "MMM yy")


def held(control: SandboxControl, close: SandboxClose) -> Cells:
    """Return what the model holds of a close's period, zeros left out."""
    return control.amounts(month(close), Entity=entity(close))


def ledger(sandbox: Sandbox, close: SandboxClose) -> Cells:
    """Return what the ledger says that the model has to hold."""
    books = books_of(sandbox, close)
    members = MEMBERS if books.code == "LARKFIELD" else {"": "NONE"}
    net = books.trial_balance_by_department(close.period.key, CLOSE_BY_DATE)
    return {(account, members.get(code, code)): amount for (account, code), amount in net.items() if amount}


def held_balances(control: SandboxControl, close: SandboxClose) -> dict[str, tuple[Decimal, ...]]:
    """Return opening, debit, credit and closing of the accounts that the model holds any of."""
    rows = control.cells("GL Balances", Time=month(close), Entity=entity(close), Version="Actual")
    names = ("Opening", "Debit", "Credit", "Closing")
    told = {row["Account"]: tuple(Decimal(row[name] or 0) for name in names) for row in rows}
    return {account: amounts for account, amounts in told.items() if any(amounts)}


def ledger_balances(sandbox: Sandbox, close: SandboxClose) -> dict[str, tuple[Decimal, ...]]:
    """Return the same by the ledger."""
    found = books_of(sandbox, close).balances(close.period.key, CLOSE_BY_DATE)
    amounts = {name: (one.opening, one.debit, one.credit, one.closing) for name, one in found.items()}
    return {account: row for account, row in amounts.items() if any(row)}
