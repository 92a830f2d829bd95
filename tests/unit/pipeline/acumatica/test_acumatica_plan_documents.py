# SPDX-License-Identifier: Apache-2.0
"""A plan that came home to Acumatica does not come back as actuals once a person has posted it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import load_plans
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.acumatica.test_acumatica_close import LISTS
from tests.unit.pipeline.figures import LINES, held
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.systems.acumatica.drafts.desk import PERIOD, Desk, journal

FLOW = Path(__file__).parents[4] / "dags/flows/acumatica_services_close.yaml"
WANTED = journal("1200.50", "77")


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
    with opened_closes(tmp_path, trail_template, sandbox, control, FLOW) as opened:
        made = opened(PERIOD)
        made.imports = (*LISTS, LINES)
        made.run("whole")
        made.imports = (LINES,)
        yield made


def test_what_a_person_posted_of_a_plan_is_left_out_of_actuals_unless_the_flow_wants_it(close, desk, control):
    actuals = held(control, close)
    assert actuals
    desk.write(WANTED)
    desk.post_by_hand(WANTED.key)

    for mode in ("changes", "whole"):
        done = close.run(mode)
        made = done.load(LINES).prepared
        assert held(control, close) == actuals
        assert made.left_out == {"our own plan document": f"{len(WANTED.lines)} rows 0.00"}
        assert done.report.agrees, done.report.problems

    selection = next(plan for plan in load_plans(load_flow(FLOW)) if plan.import_name == LINES).selection
    close.changed = {LINES: {"selection": replace(selection, include_plan_documents=True)}}
    done = close.run()
    moved = {cell: amount - actuals.get(cell, 0) for cell, amount in held(control, close).items()}
    assert sorted(filter(None, moved.values())) == sorted(line.amount for line in WANTED.lines)
    assert done.report.agrees, done.report.problems
