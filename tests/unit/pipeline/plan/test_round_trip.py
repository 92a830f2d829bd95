# SPDX-License-Identifier: Apache-2.0
"""Actuals that are planned again come home as the trial balance that they were, to the penny, in all ledgers."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.finance.year_end import month_end
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.trail.documents import DocumentState
from tests.unit.pipeline.figures import LINES, held
from tests.unit.pipeline.plan.drafters import POST
from tests.unit.pipeline.plan.round_trip import CENT, LARGE, PIPELINE, Trip, plus, travelling
from tests.unit.pipeline.plan.trips import ACU, BC, FO, GP, JOURNALS, SYS, months, weeks

SMALL = "syspro by months, in small journals"
TRIPS = {
    **{f"{system} by months": months(system) for system in (BC, FO, ACU, GP)},
    SMALL: months(SYS, lines=12),
    **{f"{system} by weeks": weeks(system) for system in System},
    "syspro by weeks, posted": weeks(SYS, options=POST),
    "business_central by weeks of the flow alone": Trip(
        BC, PIPELINE / "plan/retail_close.yaml", "LARKFIELD", "FY2026-P10", JOURNALS[BC]
    ),
}


@pytest.fixture(params=TRIPS)
def traveller(request, tmp_path, trail_template):
    with travelling(tmp_path, trail_template, TRIPS[request.param]) as one:
        yield one


EXTREMES = {
    "LARKFIELD": (
        (("01300", "PROD", CENT), ("01400", "RND", -CENT)),
        (("01200", "LOG", LARGE), ("01100", "ADM", -LARGE)),
    ),
    "TUI": (
        (("00070", "007", CENT), ("0070", "07", -CENT)),
        (("60100", "1E5", LARGE), ("6-100", "NULL", -LARGE)),
        (("6=1+1", "O'NEIL", 3 * CENT), ('40"2', 'Q"1', 4 * CENT), ("40;4", "=SUM(A1)", -7 * CENT)),
        (("60110", "A,B", 9 * CENT), ("50100", "R;D", 2 * CENT), ("20400", "", -11 * CENT)),
    ),
}


def test_actuals_that_are_planned_again_come_home_to_the_penny_and_not_to_the_model(traveller):
    close, office = traveller.close, traveller.office
    posts = "post" in office.options
    for document in EXTREMES[traveller.trip.books]:
        traveller.post(*document)
    original = traveller.posted()
    assert {CENT, -CENT, LARGE, -LARGE} <= set(original.values())
    traveller.load()
    actuals = held(traveller.control, close)
    assert traveller.plan_as_actual() == actuals

    home = traveller.come_home()
    assert (len(home.payload.journals) > 1) is (traveller.trip is TRIPS[SMALL])
    assert {receipt.state for receipt in home.verified} == {DocumentState.POSTED if posts else DocumentState.VERIFIED}
    assert office.post_calls == (len(home.payload.journals) if posts else 0)
    if not posts:
        assert traveller.posted() == original
        office.post_by_hand()

    assert traveller.posted() == plus(original, original)
    done = traveller.load()
    assert held(traveller.control, close) == actuals
    assert done.load(LINES).prepared.left_out["our own plan document"].endswith(" rows 0.00")
    assert done.report.agrees, done.report.problems


def test_a_plan_by_weeks_is_posted_on_a_day_of_its_weeks_that_is_no_months_end():
    for name, trip in TRIPS.items():
        period = load_flow(trip.flow).calendar.period(trip.period)
        assert (month_end(period.end.year, period.end.month) == period.end) is ("weeks" not in name), name
