# SPDX-License-Identifier: Apache-2.0
"""A staged list is held against the ledger's records: in the ledger's codes, and only against those that are meant."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import HeaderError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.inverse import invert
from airflow_provider_mlconnector.pipeline.comparison import ask, compare, read_list
from airflow_provider_mlconnector.pipeline.plan import Source
from airflow_provider_mlconnector.pipeline.reference_back import ComparePlan
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading
from tests.unit.pipeline.plan.plans import CENTRES, exported

TODAY = date(2026, 11, 20)
PLAN = ComparePlan(
    flow="larkfield_close",
    name="Departments",
    export="Export Cost Centres",
    dataset=Dataset.COST_CENTRES,
    columns={"Code": Source("code"), "Cost Centres": Source("name")},
    key="code",
    inverses={"Code": invert(CENTRES)},
    only={"dimension": "DEPARTMENT"},
    dimensions=("DEPARTMENT",),
)


class Ledger:
    """A ledger with values of two dimensions."""

    def __init__(self, *rows):
        self.rows = rows
        self.asked = []

    def read(self, dataset, scope):
        self.asked.append((dataset, scope.dimensions))
        names = ("record_id", "document", "dimension", "code", "name")
        columns = {name: [dict(zip(names, row, strict=True))[name] for row in self.rows] for name in names}
        return Reading(iter([canonical_batch(dataset, columns)]))

    def close(self):
        pass


LEDGER = Ledger(
    ("1", "ADM", "DEPARTMENT", "ADM", "Administration"),
    ("2", "SALES", "DEPARTMENT", "SALES", "Sales"),
    ("3", "OAK", "PROJECT", "OAK", "Oak"),
)


@pytest.fixture
def held(bench, new_run):
    """Stage a list and hold it against the ledger."""
    run = new_run()

    def go(*lines, plan=PLAN, header=("Cost Centres", "Parent", "Code")):
        kept = read_list(bench, LEDGER, plan, run)
        return compare(bench, plan, exported(bench, run, lines, header), kept, TODAY)

    return go


def test_members_are_compared_by_the_codes_that_they_stand_for(held):
    done, found = held(
        ("All", "", ""), ("Administration", "", "CC100"), ("Sales team", "", "CC200"), ("No department", "", "NONE")
    )
    assert [str(one) for one in found] == [
        "All is without a code of the ledger",
        "SALES: Cost Centres is 'Sales team' in the list and 'Sales' in the ledger",
    ]
    assert (done.listed, done.kept) == (3, 2)
    assert LEDGER.asked[-1] == (Dataset.COST_CENTRES, ("DEPARTMENT",))


def test_a_member_that_the_code_book_does_not_know_is_told_by_its_own_code(held):
    done, found = held(("Administration", "", "CC100"), ("Sales", "", "CC200"), ("Robotics", "", "CC900"))
    assert [str(one) for one in found] == ["CC900 (Robotics) is without a code of the ledger"]
    assert done.sentence == (
        "Departments: 3 in the list, 2 cost_centres in the ledger: 1 without a code of the ledger."
    )


def test_a_list_without_a_code_book_tells_members_without_a_code_by_name(held):
    plain = ComparePlan("f", "Plain", "Export", Dataset.COST_CENTRES, PLAN.columns, "code", only=PLAN.only)
    _, found = held(("All", "", ""), ("Administration", "", "ADM"), ("Sales", "", "SALES"), plan=plain)
    assert [str(one) for one in found] == ["All is without a code of the ledger"]


def test_an_export_without_a_column_is_refused(held):
    with pytest.raises(HeaderError, match="has no column Cost Centres"):
        held(("a", "b"), header=("Name", "Code"))


def test_only_what_the_ledger_would_have_to_take_is_asked_about_once_for_each_record(bench, held):
    done, _ = held(("Sales team", "", "CC200"), ("Twice", "", "CC200"), ("Robotics", "", "CC900"))
    asked = []

    def refusals(record, *, exists):
        asked.append((dict(record), exists))
        return ["name: too merry", "code: too short"]

    def setup():
        return SimpleNamespace(refusals=refusals, close=lambda: None)

    done, refused = ask(bench, PLAN, done, setup, lambda: LEDGER)
    assert asked == [({"code": "SALES", "name": "Sales team"}, True)]
    assert refused == {"SALES": ["name: too merry", "code: too short"]}
    assert "1 of 1 would be refused" in done.sentence
    report = bench.stage.fetch(done.report).read_text(encoding="utf-8-sig")
    assert "SALES,otherwise,Cost Centres,Sales team,Sales,name: too merry; code: too short" in report
    (_, last) = bench.trail.events(done.run.run_id)[-2:]
    assert last.detail["sentences"] == ["SALES: name: too merry", "SALES: code: too short"]
    assert replace(done, asked=0).sentence.endswith("twice in the list, 1 without a code of the ledger.")
