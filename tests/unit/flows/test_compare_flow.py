# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501  # one line per case of the table
"""A list of a flow file that is compared: what it may say, and what is told of it where it is wrong."""

from datetime import date

import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows.compare_spec import Often
from airflow_provider_mlconnector.flows.plans import compare_plan

END = "    check: GL Actuals by Period\n"
COMPARE = """\
compare:
  - export: Export Departments
    dataset: cost_centres
    columns: {Code: code, Name: name}
    only: {dimension: DEPARTMENT}
    crosswalk: {Code: departments.csv}
    often: weekly
"""
VENDORS = """\
compare:
  - export: Export Vendors
    dataset: vendors
    columns: {Code: number, Vendors: name}
    setup: {object: APSSSP, template: supplier.xml}
"""
SYSPRO = ("system: business_central", "system: syspro")


@pytest.fixture
def load(folder):
    folder.write("departments.csv", "code,member\nADM,CC100\n,NONE\n")
    folder.write("supplier.xml", "<SetupApSupplier/>")

    def go(text, *changes):
        for old, new in changes:
            if old in text:
                text, changes = text.replace(old, new), [one for one in changes if one != (old, new)]
        return folder.load(*changes, (END, END + text))

    return go


def test_a_list_is_compared_by_the_key_of_its_dataset_and_code_books_are_read_backwards(load):
    flow = load(COMPARE)
    (spec,) = flow.spec.compare
    plan = compare_plan(flow, spec)
    assert (spec.effective_name, spec.often) == ("Export Departments", Often.WEEKLY)
    assert (plan.dataset, plan.key, plan.dimensions) == (Dataset.COST_CENTRES, "code", ("DEPARTMENT",))
    assert plan.inverses["Code"].code("CC100", date(2026, 11, 30)) == "ADM"
    assert plan.columns["Name"].column == "name"


def test_syspro_may_be_asked_about_suppliers(load):
    (spec,) = load(VENDORS, SYSPRO).spec.compare
    assert (spec.setup.object, spec.often) == ("APSSSP", Often.MANUAL)


@pytest.mark.parametrize(
    ("text", "changes", "part", "sentence"),
    [
        (COMPARE, [("dataset: cost_centres", "dataset: employees")], "dataset: employees", "employees are no list that can be compared; those are accounts, cost_centres, vendors, customers"),
        (COMPARE, [("dataset: cost_centres", "dataset: customers")], "dataset: customers", "Business Central cannot be read for customers"),
        (COMPARE, [("Name: name", "Name: nam")], "columns: {Code: code", "unknown column of cost_centres 'nam', meant is perhaps 'name'"),
        (COMPARE, [("{Code: code, Name: name}", "{Name: name}")], "columns: {Name", "exactly one column has to be the code, which names a record; 0 are"),
        (COMPARE, [("    only: {dimension: DEPARTMENT}\n", "")], "export: Export Dep", "say which, like only: {dimension: DEPARTMENT}"),
        (COMPARE, [("only: {dimension", "only: {dimensions")], "only: {dimensions", "unknown text column of cost_centres 'dimensions', meant is perhaps 'dimension'"),
        (COMPARE, [("crosswalk: {Code:", "crosswalk: {Kode:")], "crosswalk: {Kode", "unknown column of the export 'Kode', meant is perhaps 'Code'"),
        (COMPARE, [("departments.csv}\n    often", "nowhere.csv}\n    often")], "crosswalk: {Code: nowhere", "the file 'nowhere.csv' does not exist"),
        (COMPARE, [("often: weekly", "often: hourly")], "often:", "should be 'manual', 'daily', 'weekly' or 'monthly', not 'hourly'"),
        (COMPARE, [("compare:\n", COMPARE)], "export: Export Dep", "a plan or another comparison is called 'Export Departments', too; give it a 'name'"),
        (VENDORS, [], "setup:", "Business Central has no setup object that checks vendors without changing them; leave out 'setup'"),
        (VENDORS, [SYSPRO, ("dataset: vendors", "dataset: accounts"), ("number", "account")], "setup:", "SYSPRO has no setup object that checks accounts"),
        (VENDORS, [SYSPRO, ("supplier.xml", "nowhere.xml")], "setup:", "the file 'nowhere.xml' does not exist"),
        (VENDORS, [SYSPRO, ("{object: APSSSP, template", "{template")], "setup:", "'object' is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(folder, load, text, changes, part, sentence):
    with pytest.raises(FlowError) as refused:
        load(text, *changes)
    lines = (folder.path / "flow.yaml").read_text().splitlines()
    begin = lines.index("compare:")
    line = next(n for n, one in enumerate(lines[begin:], begin + 1) if part in one)
    assert f"flow.yaml:{line}: " in str(refused.value)
    assert sentence in str(refused.value)


def test_a_code_book_that_does_not_invert_is_refused_with_its_line(folder, load):
    folder.write("departments.csv", "code,member\nADM,CC100\nFIN,CC100\n")
    with pytest.raises(FlowError, match=r"departments.csv:3: .CC100. stands for both .ADM. and .FIN."):
        load(COMPARE)
