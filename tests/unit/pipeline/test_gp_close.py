# SPDX-License-Identifier: Apache-2.0
"""Every period of the distributor and of the hostile company, closed from Dynamics GP over SOAP, NTLM and SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import BALANCES, LINES, TURNS, balances_held, held
from tests.unit.pipeline.gp_close import DISTRIBUTOR, LISTS, TUI, Database, ledger, ledger_balances, opened_gp
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose

COMPANIES = {"distributor": (DISTRIBUTOR, "LARKFIELD", TURNS), "hostile company": (TUI, "TUI", ())}
WITH_BALANCES = {"FY2026-P01", "FY2026-P12", "FY2027-P01"}


class Closed:
    """Periods of a company up to today, closed once in a sandbox of its own."""

    def __init__(self, sandbox: Sandbox, control: SandboxControl, code: str) -> None:
        self.sandbox = sandbox
        self.control = control
        self.books = sandbox.world.companies[code]
        self.done: dict[str, tuple[SandboxClose, Outcome]] = {}

    def close_all(self, opened: Callable[[str], SandboxClose], keys: Sequence[str]) -> None:
        """Close these periods; all that have entries, unless some are named."""
        for key in keys or [period.key for period in self.books.periods if self.books.count(period.key)]:
            close = opened(key)
            balances = (BALANCES,) if key in WITH_BALANCES else ()
            close.imports = (*(() if self.done else LISTS), LINES, *balances)
            self.done[key] = (close, close.run("whole"))


@pytest.fixture(scope="module", params=COMPANIES.values(), ids=COMPANIES)
def closed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, trail_template: Path
) -> Iterator[Closed]:
    flow, code, keys = request.param
    folder = tmp_path_factory.mktemp("gp")
    with serve(["anaplan", "dynamics_gp"], scale=0.05) as sandbox:
        control = SandboxControl({"url": sandbox.url, **sandbox.info})
        database = Database(control, folder / "gp.db", code)
        done = Closed(sandbox, control, code)
        with opened_gp(folder, trail_template, sandbox, control, flow, database=database) as opened:
            done.close_all(opened, keys)
            yield done


def test_every_period_holds_the_trial_balance_by_account_and_cost_centre(closed):
    assert len(closed.done) >= len(TURNS)
    for close, _ in closed.done.values():
        assert held(closed.control, close) == ledger(closed.sandbox, close), close.period.key


def test_the_account_balances_are_those_of_the_ledger(closed):
    for key in WITH_BALANCES:
        close, _ = closed.done[key]
        assert balances_held(closed.control, close) == ledger_balances(closed.sandbox, close), key


def test_every_run_reconciles_with_the_databases_own_totals(closed):
    for _, done in closed.done.values():
        assert done.report.agrees, done.report.problems
        assert done.report.difference == "0.00"


def test_closing_entries_are_known_by_their_source_document_and_left_out(closed):
    lines = list(closed.books.lines("FY2026-P12"))
    kept_out = [line for line in lines if line.statistical or line.kind is EntryKind.CLOSING]
    _, done = closed.done["FY2026-P12"]
    assert done.load(LINES).prepared.rows_left_out == len(kept_out)
