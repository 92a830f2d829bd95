# SPDX-License-Identifier: Apache-2.0
"""The same books read through five ledgers load the same figures, and one changed line changes the same cell in all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.demo.rehearsal import DAG_IDS
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import BALANCES, LINES, Balances, Cells, balances_held, held
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes

FLOWS = Path(__file__).parents[3] / "dags/flows"
PERIODS = ("FY2026-P01", "FY2026-P12", "FY2027-P05")
SHARED = ("Accounts", "Cost Centres")
LISTS = ("Load Accounts", "Load Account Names", "Load Cost Centres", "Load Cost Centre Names")

Opened = Callable[[str], SandboxClose]
Parents = dict[str, str]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", *DAG_IDS], scale=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[dict[str, Opened]]:
    """Open every ledger's flow, all of whose periods of interest are loaded whole."""
    with ExitStack() as stack:
        flows = {}
        for system, flow in DAG_IDS.items():
            folder = tmp_path_factory.mktemp(system)
            file = FLOWS / f"{flow}.yaml"
            flows[system] = stack.enter_context(opened_closes(folder, trail_template, sandbox, control, file))
        yield flows


@pytest.fixture(scope="module")
def parents() -> dict[str, Parents]:
    """Hold the parents that the lists had when only Business Central's flow had run."""
    return {}


@pytest.fixture(scope="module")
def loaded(opened: dict[str, Opened], control: SandboxControl, parents: dict[str, Parents]) -> dict[str, Opened]:
    for close_of in opened.values():
        for key in PERIODS:
            close = close_of(key)
            close.imports = (*LISTS, LINES, BALANCES)
            report = close.run("whole").report
            assert report.agrees, report.problems
        parents.update(parents or {name: parents_in(control, name) for name in SHARED})
    return opened


def parents_in(control: SandboxControl, name: str) -> Parents:
    return {code: member.get("parent") or "" for code, member in control.members(name).items()}


def figures(control: SandboxControl, close: SandboxClose) -> tuple[Cells, Balances]:
    """Return the actuals and the balances that the model holds of a flow's period."""
    return held(control, close), balances_held(control, close)


@pytest.mark.parametrize("key", PERIODS)
def test_all_five_load_the_same_trial_balance_and_the_same_balances(loaded, control, key):
    of_ledgers = {system: figures(control, close_of(key)) for system, close_of in loaded.items()}
    first = of_ledgers["business_central"]
    assert all(first)
    assert {system: found for system, found in of_ledgers.items() if found != first} == {}


@pytest.mark.parametrize("name", SHARED)
def test_the_lists_that_all_five_share_keep_their_parents(loaded, control, parents, name):
    assert any(parents[name].values())
    assert parents_in(control, name) | parents[name] == parents_in(control, name)


def test_one_changed_line_changes_exactly_its_cell_in_all_five(loaded, control, sandbox):
    key = PERIODS[-1]
    closes = {system: close_of(key) for system, close_of in loaded.items()}
    before = {system: held(control, close) for system, close in closes.items()}
    line = next(line for line in sandbox.world.books.lines(key) if line.department == "SALES")
    sandbox.world.books.change_line(line.entry_number, amount=line.amount + Decimal("0.07"))
    for system, close in closes.items():
        close.imports = (LINES,)
        close.run()
        after = held(control, close)
        changed = {cell: after.get(cell, 0) - before[system].get(cell, 0) for cell in {*after, *before[system]}}
        assert {cell: by for cell, by in changed.items() if by} == {(line.account, "CC200"): Decimal("0.07")}, system
