# SPDX-License-Identifier: Apache-2.0
"""The same books by the API that is open to everybody, which expands dimensions and tells no source codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.trail.records import RejectKind
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, held
from tests.unit.pipeline.sandbox_close import SandboxClose
from tests.unit.pipeline.tui_close import LISTS, books_of, ledger, opened_tui


@pytest.fixture
def opened(
    tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Callable[[str], SandboxClose]]:
    with opened_tui(tmp_path, trail_template, sandbox, control, source=FinanceApi.V2) as opened:
        yield opened


def test_closing_entries_are_known_by_their_dates(opened, sandbox, control):
    close = opened("FY2026-P12")
    close.imports = (*LISTS, LINES)
    done = close.run("whole")
    assert done.report.agrees, done.report.problems
    assert held(control, close) == ledger(sandbox, close)
    assert set(done.load(LINES).prepared.left_out) == {"closing entry"}


def test_lines_of_a_deleted_value_are_quarantined_and_the_others_are_loaded(opened, sandbox, control):
    close = opened("FY2026-P01")
    close.imports = (*LISTS, LINES)
    done = close.run("whole")
    lost = [line for line in books_of(sandbox).lines("FY2026-P01") if line.department == "GONE"]
    assert lost
    assert done.report.agrees, done.report.problems
    rejects = [row.reject for row in close.bench.trail.rejects(done.run.run_id, kind=RejectKind.QUARANTINED)]
    assert {reject.record_id for reject in rejects} == {line.system_id for line in lost}
    assert all(reject.reason for reject in rejects)
    expected = {cell: amount for cell, amount in ledger(sandbox, close).items() if cell[1] != "GONE"}
    assert held(control, close) == expected
