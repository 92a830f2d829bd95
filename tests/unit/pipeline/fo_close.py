# SPDX-License-Identifier: Apache-2.0
"""Closes of Finance & Operations' ledgers, and what the books say that the model has to hold."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose, opened_closes

FLOW = Path(__file__).parents[3] / "dags/flows/fo_manufacturer_close.yaml"
TUI_FLOW = Path(__file__).parent / "dynamics_fo/tui_close.yaml"
ENTITY, TUI_ENTITY = "Larkfield Manufacturing", "Tūī"
LISTS = ("Load Accounts", "Load Cost Centres")
LINES, BALANCES = "Load GL Actuals", "Load GL Balances"
CENTRES = {"ADM": "CC100", "SALES": "CC200", "PROD": "CC300", "RND": "CC400", "LOG": "CC500", "": "NONE"}
NAMES = ("Opening", "Debit", "Credit", "Closing")

Cells = dict[tuple[str, str], Decimal]
Opened = Callable[[str], SandboxClose]


@contextmanager
def opened_fo(
    folder: Path,
    trail_template: Path,
    sandbox: Sandbox,
    control: SandboxControl,
    flow: Path = FLOW,
    **connection: object,
) -> Iterator[Opened]:
    """Yield what opens the close of a period; ``connection`` are options of the ledger's."""
    control.ensure_members("Entities", [TUI_ENTITY])
    with opened_closes(folder, trail_template, sandbox, control, flow, **connection) as opened:
        yield opened


def month(close: SandboxClose) -> str:
    return format_period(close.period, "MMM yy")


def held(control: SandboxControl, close: SandboxClose, entity: str = ENTITY) -> Cells:
    """Return what the model holds of a close's period, zeros left out."""
    return control.amounts(month(close), Entity=entity)


def expected(books: Books, *keys: str) -> Cells:
    """Return what the books say of Larkfield's periods, as the model names it."""
    return _cells(books, keys, lambda code: CENTRES.get(code, code))


def expected_of_tui(books: Books, key: str) -> Cells:
    """Return what the books say of a period of Tūī's; the thirteenth lies within the twelfth."""
    adjusting = (f"{key[:-2]}13",) if key.endswith("P12") else ()
    return _cells(books, (key, *adjusting), lambda code: code or "NONE")


def balances_held(control: SandboxControl, close: SandboxClose, entity: str = ENTITY) -> dict[str, list[Decimal]]:
    """Return opening, debit, credit and closing of each account as the model holds them; those without any left out."""
    rows = control.cells("GL Balances", Time=month(close), Entity=entity)
    told = {row["Account"]: [Decimal(row.get(name) or 0) for name in NAMES] for row in rows}
    return {account: amounts for account, amounts in told.items() if any(amounts)}


def balances_expected(books: Books, key: str) -> dict[str, list[Decimal]]:
    """Return the same as the books say it."""
    found = books.balances(key, CLOSE)
    told = {
        account: [balance.opening, balance.debit, balance.credit, balance.closing] for account, balance in found.items()
    }
    return {account: amounts for account, amounts in told.items() if any(amounts)}


def _cells(books: Books, keys: tuple[str, ...], centre: Callable[[str], str]) -> Cells:
    cells: Cells = {}
    for key in keys:
        for (account, department), amount in books.trial_balance_by_department(key, CLOSE).items():
            cell = (account, centre(department))
            cells[cell] = cells.get(cell, Decimal(0)) + amount
    return {cell: amount for cell, amount in cells.items() if amount}


@dataclass
class Closed:
    """All periods of a flow, closed once."""

    sandbox: Sandbox
    control: SandboxControl
    done: dict[str, tuple[SandboxClose, Outcome]]


def closed_by(
    opened: Opened, keys: list[str], with_balances: Container[str]
) -> dict[str, tuple[SandboxClose, Outcome]]:
    """Close these periods, the first one with the lists."""
    done: dict[str, tuple[SandboxClose, Outcome]] = {}
    for key in keys:
        close = opened(key)
        close.imports = (*(() if done else LISTS), LINES, *((BALANCES,) if key in with_balances else ()))
        done[key] = (close, close.run("whole"))
    return done
