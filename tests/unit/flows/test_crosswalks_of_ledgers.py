# SPDX-License-Identifier: Apache-2.0
"""Ledgers that spell departments in their own way have them in their crosswalks, and in the same cost centres."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, DIMENSION_VALUES
from airflow_provider_mlconnector.sandbox.books.generator import DEPARTMENTS
from airflow_provider_mlconnector.sandbox.dynamics_gp.chart import segment_of
from airflow_provider_mlconnector.sandbox.syspro.gl_codes import gl_code

FLOWS = Path(__file__).parents[3] / "dags/flows"
DAY = date(2026, 11, 20)
NAMES = {value.code: value.name for value in DIMENSION_VALUES if value.dimension == DEPARTMENT} | {"": "No department"}

Spelling = Callable[[str], str]


def of_syspro(department: str) -> str:
    return gl_code("40100", department).removeprefix("40100.")


@pytest.mark.parametrize(
    ("flow", "codes", "names", "spelt"),
    [
        ("gp_distributor_close", "gp_departments.csv", "gp_department_names.csv", segment_of),
        ("syspro_trading_close", "syspro_cost_centres.csv", "syspro_cost_centre_names.csv", of_syspro),
    ],
)
def test_every_department_has_its_cost_centre_and_its_name(flow: str, codes: str, names: str, spelt: Spelling):
    centres = load_flow(FLOWS / "larkfield_close.yaml").crosswalks["crosswalks/cost_centres.csv"]
    books = load_flow(FLOWS / f"{flow}.yaml").crosswalks
    expected = {code: (centres.lookup(code, DAY).member, NAMES[code]) for code in DEPARTMENTS}
    found = {
        code: tuple(books[f"crosswalks/{file}"].lookup(spelt(code), DAY).member for file in (codes, names))
        for code in DEPARTMENTS
    }
    assert found == expected
