# SPDX-License-Identifier: Apache-2.0
"""A draft that came from a plan is posted by a person: it does not come home to the model as an actual.

Each test has periods of its own, so that they do not meet.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.flows.plans import load_plans
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.systems.business_central.drafts.desk import Desk, journal

LOAD = "Load GL Actuals"
LEFT_OUT = "left out: our own plan document"
BOTH = pytest.mark.parametrize(
    ("source", "period"), [(FinanceApi.REPORTS_FINANCE, "FY2027-P06"), (FinanceApi.V2, "FY2027-P07")]
)


@pytest.fixture
def desk(sandbox):
    opened = Desk(sandbox)
    opened.clear()
    yield opened
    opened.close()


@pytest.fixture
def opened(tmp_path, trail_template, sandbox, control):
    """Open the close of a period, reading by an API of the ledger's two."""
    with ExitStack() as stack:

        def open_close(source: FinanceApi, period: str) -> SandboxClose:
            closes = opened_closes(tmp_path, trail_template, sandbox, control, source=source)
            return stack.enter_context(closes)(period)

        yield open_close


def posted(desk: Desk, close: SandboxClose, **query: str):
    """Let a plan be written for the period's last day, and a person post it."""
    wanted = journal("1000", "234.56", part=close.period.key, posting_date=close.period.end)
    desk.write(wanted)
    desk.post_by_hand(document=wanted.key, **query)
    return wanted


def told(done) -> dict[str, str]:
    """Return what a run told of our own documents."""
    figures = [figure for check in done.report.checks if check.import_name == LOAD for figure in check.figures]
    return {figure.name: figure.value for figure in figures if figure.name.startswith(LEFT_OUT)}


@BOTH
def test_a_posted_draft_leaves_the_next_closes_actuals_unchanged_and_its_sum_is_told(
    desk, opened, control, source, period
):
    close = opened(source, period)
    close.run()
    before = control.amounts(format_period(close.period, "MMM yy"))
    posted(desk, close)
    done = close.run()
    assert control.amounts(format_period(close.period, "MMM yy")) == before
    assert done.report.agrees, done.report.problems
    assert told(done) == {LEFT_OUT: "3 rows 0.00", f"{LEFT_OUT}, sum of absolute account movements": "2469.12"}


def test_a_draft_that_was_posted_under_another_number_is_known_by_its_reference(desk, opened, control):
    close = opened(FinanceApi.AUTO, "FY2027-P08")
    close.run()
    posted(desk, close, number="PG0001")
    done = close.run()
    assert control.amounts(format_period(close.period, "MMM yy")) == {}
    assert told(done)[LEFT_OUT] == "3 rows 0.00"


def test_posted_drafts_come_in_where_the_flow_wants_them(desk, opened, control):
    close = opened(FinanceApi.AUTO, "FY2027-P09")
    usual = next(plan.selection for plan in load_plans(close.flow) if plan.import_name == LOAD)
    close.changed = {LOAD: {"selection": replace(usual, include_plan_documents=True)}}
    posted(desk, close)
    done = close.run()
    assert control.amounts(format_period(close.period, "MMM yy")) == {
        ("60210", "CC300"): Decimal(1000),
        ("60210", "CC100"): Decimal("234.56"),
        ("20400", "NONE"): Decimal("-1234.56"),
    }
    assert done.report.agrees, done.report.problems
    assert told(done) == {}
