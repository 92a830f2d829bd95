# SPDX-License-Identifier: Apache-2.0
"""A plan that came home to Dynamics GP does not come back as actuals once a person has posted it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import load_plans
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, held
from tests.unit.pipeline.gp_close import DISTRIBUTOR, LISTS, opened_gp
from tests.unit.pipeline.sandbox_close import SandboxClose
from tests.unit.systems.dynamics_gp.drafts.desk import PERIOD, Desk, journal

LEFT_OUT = "our own plan document"


@pytest.fixture
def desk(sandbox: Sandbox) -> Iterator[Desk]:
    made = Desk(sandbox)
    made.clear()
    yield made
    made.close()
    made.clear()


@pytest.fixture
def close(tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl) -> Iterator[SandboxClose]:
    """The close of the plan's period, which was made once."""
    with opened_gp(tmp_path, trail_template, sandbox, control) as opened:
        made = opened(PERIOD)
        made.imports = (*LISTS, LINES)
        made.run("whole")
        made.imports = (LINES,)
        yield made


def test_what_a_person_posted_of_a_plan_is_left_out_of_actuals_unless_the_flow_wants_it(close, desk, control):
    actuals = held(control, close)
    plain, renamed = journal("1200.50", "77"), journal("5", part="2")
    for wanted in (plain, renamed):
        desk.write(wanted)
    desk.act("PATCH", renamed.key, {"reference": "Budget of the board"})
    desk.act("POST", f"{plain.key}/post")
    desk.act("POST", f"{desk.drafting().find(renamed).number}/post")

    for mode in ("changes", "whole"):
        done = close.run(mode)
        lines = len(plain.lines) + len(renamed.lines)
        assert held(control, close) == actuals
        assert done.load(LINES).prepared.left_out == {LEFT_OUT: f"{lines} rows 0.00"}
        assert done.report.agrees, done.report.problems

    selection = next(plan for plan in load_plans(load_flow(DISTRIBUTOR)) if plan.import_name == LINES).selection
    close.changed = {LINES: {"selection": replace(selection, include_plan_documents=True)}}
    done = close.run()
    moved = {cell: amount - actuals.get(cell, 0) for cell, amount in held(control, close).items()}
    assert {cell: amount for cell, amount in moved.items() if amount} == {
        ("60210", "CC300"): Decimal("1205.50"),
        ("60210", "CC100"): Decimal(77),
        ("20400", "NONE"): Decimal("-1282.50"),
    }
    assert done.report.agrees, done.report.problems
