# SPDX-License-Identifier: Apache-2.0
"""Closes of Finance & Operations' ledgers, and what the books say that the model has to hold."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import BALANCES, LINES, SAME_CODES, Cells, booked
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose, opened_closes

FLOW = Path(__file__).parents[3] / "dags/flows/fo_manufacturer_close.yaml"
TUI_FLOW = Path(__file__).parent / "dynamics_fo/tui_close.yaml"
TUI_ENTITY = "Tūī"
LISTS = ("Load Accounts", "Load Cost Centres")

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


def booked_of_tui(books: Books, key: str) -> Cells:
    """Return what the books say of a period of Tūī's; the thirteenth lies within the twelfth."""
    adjusting = (f"{key[:-2]}13",) if key.endswith("P12") else ()
    return booked(books, key, *adjusting, centres=SAME_CODES)


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
