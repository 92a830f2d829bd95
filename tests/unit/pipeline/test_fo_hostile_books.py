# SPDX-License-Identifier: Apache-2.0
"""Books that hold what real ones do, closed from Finance & Operations: the model holds what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, balances_booked, balances_held, held
from tests.unit.pipeline.fo_close import LISTS, TUI_FLOW, Closed, booked_of_tui, closed_by, opened_fo

WITH_BALANCES = ("FY2026-P01", "FY2026-P05", "FY2027-P01", "FY2027-P04")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "dynamics_fo"], scale=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def tui(tmp_path_factory, trail_template: Path, sandbox: Sandbox, control: SandboxControl) -> Iterator[Closed]:
    keys = [period.key for period in sandbox.world.companies["TUI"].periods]
    keys = [key for key in keys if sandbox.world.companies["TUI"].count(key)]
    with opened_fo(tmp_path_factory.mktemp("tui"), trail_template, sandbox, control, TUI_FLOW) as opened:
        yield Closed(sandbox, control, closed_by(opened, keys, WITH_BALANCES))


def test_every_period_of_books_that_hold_what_real_ones_do_is_what_they_say(tui):
    books = tui.sandbox.world.companies["TUI"]
    assert len(tui.done) == 16
    for key, (close, done) in tui.done.items():
        assert held(tui.control, close) == booked_of_tui(books, key), key
        assert done.report.agrees, done.report.problems


def test_the_opening_of_a_new_year_is_not_counted_beside_the_years_that_it_sums_up(tui):
    books = tui.sandbox.world.companies["TUI"]
    for key in WITH_BALANCES:
        assert balances_held(tui.control, tui.done[key][0]) == balances_booked(books, key), key


def test_what_closes_the_year_is_left_out_and_adjustments_of_the_closing_period_are_not(tui):
    made = tui.done["FY2026-P12"][1].load(LINES).prepared
    assert set(made.left_out) == {"closing entry"}
    opened = tui.done["FY2027-P01"][1].load(LINES).prepared
    assert set(opened.left_out) == {"opening entry"}
    other = tui.done["FY2026-P08"][1].load(LINES).prepared
    assert set(other.left_out) == {"ledger Tax"}


@pytest.mark.parametrize(
    "switches",
    [
        {"json_dimensions": False},
        {
            "json_dimensions": False,
            "delimiter": "DoubleTilde",
            "dimension_format": ["Project", "MainAccount", "Department"],
        },
        {"json_quotes": "'"},
        {"skip_token": True, "relative_links": True, "page_size": 7},
        {"page_size": 13},
    ],
    ids=["display value", "another format", "single quotes", "small pages by token", "small pages by skip"],
)
def test_the_same_cells_come_whatever_the_environment_is_set_to(tmp_path, trail_template, sandbox, control, switches):
    books = sandbox.world.companies["TUI"]
    control.call("PATCH", "/dynamics_fo/switches", switches)
    try:
        with opened_fo(tmp_path, trail_template, sandbox, control, TUI_FLOW) as opened:
            close = opened("FY2026-P08")
            close.imports = (*LISTS, LINES)
            close.run("whole")
            assert held(control, close) == booked_of_tui(books, "FY2026-P08")
    finally:
        control.call("DELETE", "/dynamics_fo/switches")
