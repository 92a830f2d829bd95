# SPDX-License-Identifier: Apache-2.0
"""A plan that came home to SYSPRO does not come back as actuals, whether a person posted its file or the flow did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import load_plans
from tests.unit.pipeline.figures import LINES, held
from tests.unit.pipeline.syspro.conftest import FLOW
from tests.unit.pipeline.syspro.test_syspro_close import LISTS
from tests.unit.systems.syspro.drafts.desk import PERIOD, POST, Desk, journal


@pytest.fixture
def desk(sandbox, tmp_path):
    made = Desk(sandbox, tmp_path / "plans")
    yield made
    made.clear()


def test_what_was_posted_of_a_plan_is_left_out_of_actuals_unless_the_flow_wants_it(closing, control, desk):
    close = closing(PERIOD)
    close.imports = (*LISTS, LINES)
    close.run("whole")
    close.imports = (LINES,)
    actuals = held(control, close)
    assert actuals
    by_hand, by_flow = journal("1200.50", "77", part="home by hand"), journal("3", part="home by flow")
    desk.write(by_hand)
    desk.post_by_hand(by_hand)
    desk.write(by_flow, **POST)

    for mode in ("changes", "whole"):
        done = close.run(mode)
        assert held(control, close) == actuals
        assert done.load(LINES).prepared.left_out == {"our own plan document": "5 rows 0.00"}
        assert done.report.agrees, done.report.problems

    selection = next(plan for plan in load_plans(load_flow(FLOW)) if plan.import_name == LINES).selection
    close.changed = {LINES: {"selection": replace(selection, include_plan_documents=True)}}
    done = close.run()
    moved = {cell: amount - actuals.get(cell, 0) for cell, amount in held(control, close).items()}
    assert sum(filter(lambda amount: amount > 0, moved.values())) == by_hand.debit + by_flow.debit
    assert done.report.agrees, done.report.problems
