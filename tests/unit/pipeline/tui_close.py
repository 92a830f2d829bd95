# SPDX-License-Identifier: Apache-2.0
"""A close of the company whose books hold what real ones do, and what its ledger says the model has to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import SAME_CODES, Cells, booked
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes

FLOW = Path(__file__).parent / "tui/tui_close.yaml"
ENTITY = "Tūī"
LISTS = ("Load Accounts", "Load Cost Centres")


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


def ledger(sandbox: Sandbox, close: SandboxClose) -> Cells:
    """Return what the ledger says that the model has to hold: by date, without closing entries and statistics."""
    return booked(books_of(sandbox), close.period.key, centres=SAME_CODES, select=CLOSE_BY_DATE)


def as_cells(lines: Iterable[Line]) -> Cells:
    """Return what lines add up to, by account and cost centre, zeros left out."""
    cells: Cells = {}
    for line in lines:
        cell = (line.account, line.department or "NONE")
        cells[cell] = cells.get(cell, Decimal(0)) + line.amount
    return {cell: amount for cell, amount in cells.items() if amount}
