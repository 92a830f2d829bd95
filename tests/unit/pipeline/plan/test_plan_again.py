# SPDX-License-Identifier: Apache-2.0
"""A plan that runs again, in all ledgers: the same writes nothing, a changed one replaces what nobody has posted."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import PreflightError
from airflow_provider_mlconnector.trail.documents import DocumentState
from tests.unit.pipeline.plan.drafters import POST
from tests.unit.pipeline.plan.round_trip import Traveller, plus, travelling
from tests.unit.pipeline.plan.trips import ACU, BC, FO, GP, SYS, months

POSTED = "a person has posted this document, and the plan says something else by now"
REPLACING = {system: months(system) for system in (BC, FO, ACU, SYS)}
REFUSING = {"dynamics_gp": months(GP), "syspro, posting": months(SYS, options=POST)}
WHY = {"dynamics_gp": "the service can neither change nor delete; delete the entry", "syspro, posting": POSTED}


@pytest.fixture
def traveller(request: pytest.FixtureRequest, tmp_path: Path, trail_template: Path) -> Iterator[Traveller]:
    trip = {**REPLACING, **REFUSING}[request.param]
    with travelling(tmp_path, trail_template, trip) as one:
        one.type_budget(rent("1200.50"))
        (first,) = one.come_home().written
        assert first.written
        yield one


def rent(amount: str) -> dict[tuple[str, str], Decimal]:
    """Return a budget by account and cost centre: rent of the sales, accrued."""
    return {("60210", "CC200"): Decimal(amount), ("20400", "NONE"): -Decimal(amount)}


def booked(amount: str) -> dict[tuple[str, str], Decimal]:
    """Return the same by account and department."""
    return {("60210", "SALES"): Decimal(amount), ("20400", ""): -Decimal(amount)}


def see_nothing_written(traveller: Traveller) -> None:
    """Run the plan again as it is."""
    calls = traveller.office.post_calls
    assert [receipt.written for receipt in traveller.come_home().written] == [False]
    assert traveller.office.post_calls == calls


@pytest.mark.parametrize("traveller", REPLACING, indirect=True)
def test_the_same_plan_writes_nothing_and_a_changed_one_replaces_its_draft_until_a_person_posted_that(traveller):
    see_nothing_written(traveller)
    before = traveller.posted()
    traveller.type_budget(rent("77.01"))
    (changed,) = traveller.come_home().written
    assert (changed.state, changed.written) == (DocumentState.DRAFTED, True)
    traveller.office.post_by_hand()
    assert traveller.posted() == plus(before, booked("77.01"))

    traveller.type_budget(rent("88.02"))
    with pytest.raises(PreflightError, match=POSTED):
        traveller.come_home()
    assert traveller.office.post_calls == 0


@pytest.mark.parametrize("traveller", REFUSING, indirect=True)
def test_the_same_plan_writes_nothing_and_a_changed_one_is_refused_where_nothing_can_be_replaced(request, traveller):
    see_nothing_written(traveller)
    before, calls = traveller.posted(), traveller.office.post_calls
    traveller.type_budget(rent("77.01"))
    with pytest.raises(PreflightError, match=WHY[request.node.callspec.params["traveller"]]):
        traveller.come_home()
    assert (traveller.posted(), traveller.office.post_calls) == (before, calls)
