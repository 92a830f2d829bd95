# SPDX-License-Identifier: Apache-2.0
"""A close of the company whose books hold what real ones do, and what its ledger says the model has to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes

FLOW = Path(__file__).parent / "tui/tui_close.yaml"
ENTITY = "Tūī"
LISTS = ("Load Accounts", "Load Cost Centres")
LINES, BALANCES = "Load GL Actuals", "Load GL Balances"

Cells = dict[tuple[str, str], Decimal]


def books_of(sandbox: Sandbox) -> Books:
    return sandbox.world.companies["TUI"]


@contextmanager
def opened_tui(
    folder: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl, **connection: object
) -> Iterator[Callable[[str], SandboxClose]]:
    """Yield what opens the close of a period; ``connection`` are options of the ledger's."""
    control.ensure_members("Entities", [ENTITY])
    name = books_of(sandbox).name
    with opened_closes(folder, trail_template, sandbox, control, FLOW, company=name, **connection) as opened:
        yield opened


def month(close: SandboxClose) -> str:
    return format_period(close.period, "MMM yy")


def held(control: SandboxControl, close: SandboxClose) -> Cells:
    """Return what the model holds of a close's period, zeros left out."""
    return control.amounts(month(close), Entity=ENTITY)


def ledger(sandbox: Sandbox, close: SandboxClose) -> Cells:
    """Return what the ledger says that the model has to hold: by date, without closing entries and statistics."""
    net = books_of(sandbox).trial_balance_by_department(close.period.key, CLOSE_BY_DATE)
    return {(account, department or "NONE"): amount for (account, department), amount in net.items() if amount}


def as_cells(lines: Iterable[Line]) -> Cells:
    """Return what lines add up to, by account and cost centre, zeros left out."""
    cells: Cells = {}
    for line in lines:
        cell = (line.account, line.department or "NONE")
        cells[cell] = cells.get(cell, Decimal(0)) + line.amount
    return {cell: amount for cell, amount in cells.items() if amount}
