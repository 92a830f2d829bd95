# SPDX-License-Identifier: Apache-2.0
"""Closes from Dynamics GP: of the distributor, and of the company whose books hold what real ones do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import CENTRES, SAME_CODES, Balances, Cells, balances_booked, booked
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes

DISTRIBUTOR = Path(__file__).parents[3] / "dags/flows/gp_distributor_close.yaml"
TUI = Path(__file__).parent / "gp/gp_tui_close.yaml"
LISTS = ("Load Accounts", "Load Account Names", "Load Cost Centres", "Load Cost Centre Names")


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


def books_of(sandbox: Sandbox, close: SandboxClose) -> Books:
    return sandbox.world.companies["TUI" if close.flow.name == "gp_tui_close" else "LARKFIELD"]


def ledger(sandbox: Sandbox, close: SandboxClose) -> Cells:
    """Return what the ledger says that the model has to hold."""
    books = books_of(sandbox, close)
    centres = CENTRES if books.code == "LARKFIELD" else SAME_CODES
    return booked(books, close.period.key, centres=centres, select=CLOSE_BY_DATE)


def ledger_balances(sandbox: Sandbox, close: SandboxClose) -> Balances:
    """Return the same of its balances."""
    return balances_booked(books_of(sandbox, close), close.period.key, CLOSE_BY_DATE)
