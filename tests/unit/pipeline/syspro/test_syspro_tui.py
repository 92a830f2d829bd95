# SPDX-License-Identifier: Apache-2.0
"""A company whose books hold what real ones do, closed out of SYSPRO: by its fiscal periods, whatever the dates say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, SAME_CODES, booked, held
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.pipeline.syspro.test_syspro_close import LISTS
from tests.unit.pipeline.tui_close import ENTITY

TUI_FLOW = Path(__file__).parent / "syspro_tui_close.yaml"


@pytest.fixture
def tui(
    tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Callable[[str], SandboxClose]]:
    control.ensure_members("Entities", [ENTITY])
    with opened_closes(tmp_path, trail_template, sandbox, control, TUI_FLOW) as opened:
        yield opened


def test_a_hostile_company_is_closed_period_by_period_as_its_books_count(tui, sandbox, control):
    books = sandbox.world.companies["TUI"]
    closed = 0
    for period in books.periods:
        if not books.count(period.key, CLOSE):
            continue
        close = tui(period.key)
        close.imports = (*(() if closed else LISTS), LINES)
        done = close.run("whole")
        closed += 1
        assert held(control, close) == booked(books, period.key, centres=SAME_CODES), period.key
        assert done.report.agrees, done.report.problems
    assert closed == 16
