# SPDX-License-Identifier: Apache-2.0
"""What a flow asks of the pipeline."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import asset_uri, load_plans, pool_name, pool_of, read_plans, target
from airflow_provider_mlconnector.flows.spec import parse_tolerance
from airflow_provider_mlconnector.pipeline.plan import Shape, Sign, Source, Target, Tolerance

DAGS = Path(__file__).parents[3] / "dags"
GROUP = "group_by: [Account, Cost Centre, Time]"


def test_each_dataset_is_read_once_for_all_its_imports(folder):
    more = """\
  - dataset: journal_lines
    import: Load Journal Lines
    shape: records
    columns: {id: record_id, project: dimension.PROJECT}
"""
    plans = read_plans(folder.load(("    check: GL Actuals by Period\n", f"    check: GL Actuals by Period\n{more}")))
    assert [(plan.dataset, plan.dimensions, plan.imports) for plan in plans] == [
        (Dataset.ACCOUNTS, (), ("Load Accounts",)),
        (Dataset.COST_CENTRES, ("DEPARTMENT",), ("Load Cost Centres",)),
        (Dataset.JOURNAL_LINES, ("DEPARTMENT", "PROJECT"), ("Load GL Actuals", "Load Journal Lines")),
    ]
    assert {(plan.flow, plan.company) for plan in plans} == {("close", "Larkfield Ltd")}


def test_loads_keep_the_order_of_the_file(folder):
    plans = load_plans(folder.load())
    assert [plan.import_name for plan in plans] == ["Load Accounts", "Load Cost Centres", "Load GL Actuals"]


def test_cells_carry_all_that_the_file_says(folder):
    options = """group_by: [Account, Cost Centre, Time]
    time: {format: "yyyy-MM"}
    sign: natural
    send: period
    unmapped: fail
    rejects: {tolerate: 0.5%}
    mapping: {Scenario: Base}
    actuals: {kinds: [normal, closing], include_statistical: true}"""
    plan = load_plans(folder.load((GROUP, options), ("flow: close\n", "flow: close\ndeadline: 2h\n")))[-1]
    assert list(plan.columns) == ["Account", "Cost Centre", "Entity", "Time", "Amount"]
    assert plan.columns["Entity"] == Source(constant="Larkfield")
    assert plan.columns["Cost Centre"] == Source(column="dimension.DEPARTMENT")
    assert plan.group_by == ("Account", "Cost Centre", "Time")
    assert plan.crosswalks["Cost Centre"].lookup("ADM", date(2026, 11, 20)).member == "CC100"
    assert plan.members == {"Account": "Accounts"}
    assert (plan.time_format, plan.sign, plan.send, plan.unmapped) == ("yyyy-MM", "natural", "period", "fail")
    assert plan.tolerance.allows(5, 1000)
    assert not plan.tolerance.allows(6, 1000)
    assert plan.selection.kinds == {EntryKind.NORMAL, EntryKind.CLOSING}
    assert plan.selection.include_statistical
    assert (plan.check, plan.mapping) == ("GL Actuals by Period", {"Scenario": "Base"})
    assert plan.deadline == timedelta(hours=2)
    assert plan.shape is Shape.CELLS


def test_a_list_is_records_with_its_added_lines(folder):
    plan = load_plans(folder.load())[1]
    assert (plan.shape, plan.group_by) == (Shape.RECORDS, ())
    assert plan.only == {"dimension": "DEPARTMENT"}
    assert plan.extra == ({"Code": "NONE", "Name": "No department"},)
    assert plan.sign is Sign.LEDGER


def test_without_group_by_all_but_amounts_and_constants_address_a_cell(folder):
    plan = load_plans(folder.load((f"    {GROUP}\n", "")))[-1]
    assert plan.group_by == ("Account", "Cost Centre", "Time")


def test_records_of_a_period_have_no_address_of_cells(folder):
    lines = "dataset: journal_lines\n    shape: records\n    import"
    plan = load_plans(
        folder.load(
            (f"    {GROUP}\n", ""),
            ("dataset: journal_lines\n    import", lines),
            ("Entity: =Larkfield", "id: record_id"),
        )
    )[-1]
    assert (plan.shape, plan.group_by) == (Shape.RECORDS, ())


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [(0, Tolerance()), ("5", Tolerance(rows=5)), ("0.5%", Tolerance(share=0.005)), ("10 %", Tolerance(share=0.1))],
)
def test_a_tolerance_is_rows_or_a_share(text, tolerance):
    assert parse_tolerance(text) == tolerance


def test_ids_of_digits_are_names(folder):
    flow = folder.load(("import: Load Accounts", "import: 112000000001"), ("company: Larkfield Ltd", "company: 0100"))
    assert flow.spec.load[0].import_name == "112000000001"
    assert flow.spec.erp.company == "0100"


def test_the_model_its_pool_and_its_assets_have_names(folder):
    flow = folder.load()
    assert target(flow) == Target("anaplan", "Finance", "FP&A Hub")
    assert pool_of(flow) == pool_name("anaplan", "Finance", "FP&A Hub") == "anaplan__anaplan__Finance__FP_A_Hub"
    assert asset_uri(flow, Dataset.JOURNAL_LINES) == "anaplan://FP%26A%20Hub/journal_lines"
    pooled = folder.load(("model: FP&A Hub}", "model: FP&A Hub, pool: hub}"))
    assert pool_of(pooled) == "hub"


def test_files_are_found_beside_the_flow_or_in_the_folder_above(folder):
    (folder.path / "flows").mkdir()
    (folder.path / "flows" / "codes.csv").write_text("code,member\nADM,NEAR\n")
    flow = folder.load(name="flows/flow.yaml")
    assert flow.calendar.calendar == "months"
    assert flow.crosswalks["codes.csv"].members == {"NEAR"}


def test_the_shipped_flow_loads_what_the_planning_model_expects():
    flow = load_flow(DAGS / "flows" / "larkfield_close.yaml")
    headers = {plan.import_name: list(plan.columns) for plan in load_plans(flow)}
    assert headers == {
        "Load Accounts": ["Code", "Name", "Parent"],
        "Load Cost Centres": ["Code", "Name", "Parent"],
        "Load Vendors": ["Code", "Name"],
        "Load Employees": ["Code", "Name"],
        "Load GL Actuals": ["Account", "Cost Centre", "Entity", "Version", "Time", "Amount"],
        "Load GL Balances": ["Account", "Entity", "Version", "Time", "Opening", "Debit", "Credit", "Closing"],
    }
    assert flow.calendar.period("FY2027-P04").start == date(2026, 10, 1)


def test_every_department_of_the_sandbox_has_a_cost_centre():
    company = pytest.importorskip("airflow_provider_mlconnector.sandbox.books.company")
    codes = load_flow(DAGS / "flows" / "larkfield_close.yaml").crosswalks["crosswalks/cost_centres.csv"]
    departments = [value.code for value in company.DIMENSION_VALUES if value.dimension == company.DEPARTMENT]
    assert [code for code in (*departments, "") if codes.lookup(code, date(2026, 11, 20)) is None] == []
