# SPDX-License-Identifier: Apache-2.0
"""A draft of ours that a person posted is no actual of the next close of Finance & Operations; its sum is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, held
from tests.unit.pipeline.fo_close import LISTS, Opened, opened_fo
from tests.unit.systems.dynamics_fo.fo_desk import PERIOD, FoDesk, journal


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "dynamics_fo"], scale=0.02) as running:
        yield running


@pytest.fixture
def closing(tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl) -> Iterator[Opened]:
    with opened_fo(tmp_path, trail_template, sandbox, control) as opened:
        yield opened


@pytest.fixture
def desk(sandbox: Sandbox) -> Iterator[FoDesk]:
    one = FoDesk(sandbox)
    one.clear()
    yield one
    one.close()


def test_a_draft_that_a_person_posted_leaves_the_next_close_as_it_was(closing, control, desk):
    close = closing(PERIOD)
    close.imports = (*LISTS, LINES)
    close.run("whole")
    before = held(control, close)
    planned = journal()
    desk.write(planned)
    (header,) = desk.told_journals()
    desk.post_by_hand(header["number"])
    assert any(line.external_document == planned.key for line in desk.world.books.lines(PERIOD))

    done = close.run("changes")
    assert done.batches["journal_lines"].rows == len(planned.lines)
    assert held(control, close) == before
    assert done.report.agrees, done.report.problems
    assert done.load(LINES).prepared.left_out["our own plan document"] == f"{len(planned.lines)} rows 0.00"
    assert desk.post_calls == 0
