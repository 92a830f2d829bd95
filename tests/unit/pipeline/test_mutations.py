# SPDX-License-Identifier: Apache-2.0
"""A close with one step broken is noticed, every time, and the report names what disagrees."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.pipeline.reconcile import require_agreement
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import CENTRES
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.mutations import CHANGES, SHORT, WHOLE, Mutant, Mutation, on_pages
from tests.unit.pipeline.mutations_onwards import TABLE
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes

PERIOD = "FY2026-P05"
ACTUALS = "Load GL Actuals"
HUGE = "12345678901234567.89"
CASES = [(one, mode) for one in TABLE for mode in one.modes]


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Path:
    """Close the period once, and then change the ledger: the run of changes has something to do in every step.

    :return: the folder with trail and staging area as they were after the close.
    """
    folder = tmp_path_factory.mktemp("loaded")
    accounts = sorted({line["account"] for line in control.lines(PERIOD)})
    day = control.lines(PERIOD)[0]["posting_date"]
    huge = [{"account": accounts[0], "amount": HUGE}, {"account": accounts[1], "amount": f"-{HUGE}"}]
    control.call("POST", "/books/documents", {"posting_date": day, "lines": huge})
    with opened_closes(folder, trail_template, sandbox, control) as opened:
        require_agreement(opened(PERIOD).run(WHOLE).report)
    control.call("POST", "/anaplan/model", {"snapshot": "loaded"})
    _change_the_ledger(control)
    return folder


def _change_the_ledger(control: SandboxControl) -> None:
    """Move lines to other departments, so that cells vanish, and correct amounts to odd cents."""
    lines = control.lines(PERIOD)
    for line in lines[::5]:
        other = "LOG" if line["department"] != "LOG" else "RND"
        control.change_line(
            line["entry_number"], department=other, amount=str(Decimal(line["amount"]) + Decimal("0.03"))
        )
    for line in lines[1:3]:
        control.change_line(line["entry_number"], department="RND")


@pytest.fixture
def close(loaded: Path, tmp_path: Path, sandbox: Sandbox, control: SandboxControl) -> Iterator[SandboxClose]:
    """Go back to the close that was made, for another run of its period."""
    control.call("POST", "/anaplan/model", {"restore": "loaded"})
    shutil.copytree(loaded / "stage", tmp_path / "stage")
    with opened_closes(tmp_path, loaded / "trail.db", sandbox, control) as opened:
        close = opened(PERIOD)
        close.imports = (ACTUALS,)
        close.runs = 1
        close.ledger.close()
        close.ledger = open_ledger(control, close.flow, close.bench.clock, page_size=6)
        yield close
        close.ledger.close()


def is_right(close: SandboxClose, control: SandboxControl) -> bool:
    """Say whether the model holds the ledger, in this period and version, and nothing else."""
    expected = {(account, CENTRES[code]): amount for (account, code), amount in control.ledger(PERIOD).items()}
    return control.amounts(format_period(close.period, "MMM yy")) == expected


def verdict(close: SandboxClose, mode: str) -> str:
    """Run once; return what is said about it, "" when all agrees."""
    try:
        require_agreement(close.run(mode).report)
    except MlconnectorError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("mode", [WHOLE, CHANGES])
def test_a_run_in_which_nothing_is_broken_agrees(close, control, mode):
    assert not is_right(close, control)
    assert verdict(close, mode) == ""
    assert is_right(close, control)


@pytest.mark.parametrize(("broken", "mode"), CASES, ids=[f"{one.name}-{mode}" for one, mode in CASES])
def test_a_broken_step_is_noticed(close, monkeypatch, broken: Mutation, mode):
    if mode == CHANGES and not broken.view_needed:
        close.changed[ACTUALS] = {"check": ""}
    mutant = Mutant(monkeypatch)
    broken.apply(mutant)
    said = verdict(close, mode)
    assert mutant.changed, "the mutant changed nothing"
    assert any(re.search(words, said) for words in broken.noticed), said


@pytest.mark.parametrize("broken", [one for one in TABLE if one.view_needed], ids=lambda one: one.name)
def test_what_only_the_view_shows_is_not_checked_without_one(close, control, monkeypatch, broken: Mutation):
    close.changed[ACTUALS] = {"check": ""}
    mutant = Mutant(monkeypatch)
    broken.apply(mutant)
    report = close.run(CHANGES).report
    assert mutant.changed
    assert not is_right(close, control)
    figures = {figure.name: figure for figure in report.checks[0].figures}
    assert report.agrees, report.problems
    assert (figures["cells of the model that differ"].value, report.difference) == (None, None)
    assert figures["cells of the model that differ"].source == "no check view"


def test_a_lost_page_of_changes_that_no_total_shows_is_noticed_by_the_count(close, control, monkeypatch):
    assert verdict(close, CHANGES) == ""
    line = control.lines(PERIOD)[0]
    control.change_line(line["entry_number"], department="PROD" if line["department"] != "PROD" else "LOG")
    mutant = Mutant(monkeypatch)
    on_pages(mutant, lambda rows: rows[:-1])
    assert re.search(SHORT, verdict(close, CHANGES))
    assert mutant.changed
