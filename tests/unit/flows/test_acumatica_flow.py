# SPDX-License-Identifier: Apache-2.0
"""The flow of the firm that keeps its books in Acumatica."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import load_plans, read_plans
from airflow_provider_mlconnector.sandbox.acumatica.words import NO_DEPARTMENT
from airflow_provider_mlconnector.sandbox.books.company import (
    CHART,
    DEPARTMENT,
    DIMENSION_VALUES,
    AccountType,
    ValueType,
)

FILE = Path(__file__).parents[3] / "dags/flows/acumatica_services_close.yaml"


@pytest.fixture
def flow():
    return load_flow(FILE)


def test_every_department_has_the_same_cost_centre_as_in_the_other_companies(flow):
    ours = flow.crosswalks["crosswalks/acumatica_departments.csv"]
    theirs = load_flow(FILE.parent / "larkfield_close.yaml").crosswalks["crosswalks/cost_centres.csv"]
    day = date(2026, 11, 20)
    for value in DIMENSION_VALUES:
        if value.dimension == DEPARTMENT and value.type is ValueType.STANDARD:
            assert ours.lookup(value.code, day).member == theirs.lookup(value.code, day).member
    assert ours.lookup(NO_DEPARTMENT, day).member == theirs.lookup("", day).member


def test_the_headings_that_acumatica_lacks_are_those_of_the_chart(flow):
    (accounts,) = (plan for plan in load_plans(flow) if plan.import_name == "Load Accounts")
    headings = {account.number: account for account in CHART if account.type is AccountType.BEGIN_TOTAL}
    added = {line["Code"]: line for line in accounts.extra}
    assert added.keys() == headings.keys()
    for code, line in added.items():
        assert (line["Name"], line.get("Parent", "")) == (headings[code].name, headings[code].parent)


def test_the_branch_is_what_the_flow_calls_its_company(flow):
    assert {plan.company for plan in read_plans(flow)} == {"LARKFIELD"}
