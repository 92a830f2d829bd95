# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import (
    ConfigurationError,
    DataError,
    RowsRefusedError,
    SchemaDriftError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.plan import Match, Selection, Shape, Sign, Source, Unmapped
from airflow_provider_mlconnector.pipeline.recipe import plan_digest, read_recipe
from airflow_provider_mlconnector.trail.records import CellScope, EventKind, StagedFile
from tests.unit.pipeline.preparing import CENTRES, lines, problems
from tests.unit.pipeline.support import (
    COLUMNS,
    FLOW,
    PERIOD,
    FakeReader,
    account,
    actuals,
    amounts,
    line,
    members,
    read_plan,
    records,
)

# Cells


def test_a_cell_is_the_total_of_its_lines_under_the_name_of_its_period(bench, prepared):
    done = prepared(actuals(crosswalks={"Cost Centre": CENTRES}))
    assert amounts(lines(bench, done)) == {
        ("10100", "NONE"): Decimal("150.50"),
        ("40100", "CC200"): Decimal("-120.50"),
        ("40200", "CC300"): Decimal(-30),
    }
    assert {(row["Version"], row["Time"]) for row in lines(bench, done)} == {("Actual", "Nov 25")}
    assert (done.sum_book, done.sum_accepted, done.sum_cells, done.cells_now) == ("0.00", "0.00", "0.00", 3)


def test_totals_of_nineteen_digits_are_exact(bench, ledger, prepared):
    ledger.lines[:] = [line(1, amount="9007199254740993.01"), line(2, amount="0.000001")]
    [row] = lines(bench, prepared(actuals()))
    assert row["Amount"] == "9007199254740993.010001"


def test_sums_of_thirty_digits_are_exact_to_the_last(bench, ledger, prepared):
    huge = "123456789012345678901234567890.123456"
    ledger.lines[:] = [line(1, amount=huge), line(2, "10100", "0.000001"), line(3, "10100", "1", kind="closing")]
    done = prepared(actuals())
    assert done.sum_book == "123456789012345678901234567891.123457"
    assert (done.sum_accepted, done.sum_cells) == ("123456789012345678901234567890.123457",) * 2


def test_several_amounts_are_added_up_each_on_its_own(bench, prepared):
    columns = {**COLUMNS, "Debit": Source("debit"), "Credit": Source("credit")}
    done = prepared(actuals(columns=columns, crosswalks={"Cost Centre": CENTRES}))
    row = next(row for row in lines(bench, done) if row["Account"] == "40100")
    assert (row["Debit"], row["Credit"], row["Amount"]) == ("0", "120.5", "-120.5")


def test_texts_go_into_the_file_as_they_are(bench, ledger, prepared):
    odd = 'A, "B"\nC 🧾'
    ledger.lines[:] = [line(1, "00040", description=odd), line(2, "=1+1", description="")]
    plan = actuals(
        columns={"Account": Source("account"), "Text": Source("description")}, group_by=(), shape=Shape.RECORDS
    )
    assert [(row["Account"], row["Text"]) for row in lines(bench, prepared(plan))] == [("00040", odd), ("=1+1", "")]


def test_the_file_begins_with_the_plans_header(bench, prepared):
    done = prepared(actuals(crosswalks={"Cost Centre": CENTRES}))
    first = bench.stage.fetch(done.file).read_text().splitlines()[0]
    assert first == '"Account","Cost Centre","Version","Time","Amount"'


def test_a_period_may_be_named_by_a_code_book(bench, ledger, prepared):
    names = crosswalk("periods.csv", [Rule(MatchKind.EXACT, PERIOD.key, "Nov actual")])
    done = prepared(actuals(crosswalks={"Time": names, "Cost Centre": CENTRES}))
    assert {row["Time"] for row in lines(bench, done)} == {"Nov actual"}
    with pytest.raises(ConfigurationError, match="no member for FY2026-P05"):
        prepared(actuals(crosswalks={"Time": crosswalk("periods.csv", [])}))


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (
            {"columns": {**COLUMNS, "Text": Source("description")}},
            ConfigurationError,
            "neither in group_by nor an amount",
        ),
        ({"columns": {**COLUMNS, "Vat": Source("vat")}}, SchemaDriftError, "needs 'vat'"),
        ({"columns": {**COLUMNS, "AMOUNT": Source("debit")}}, ConfigurationError, "upper and lower case"),
        ({"group_by": ("Account", "Centre")}, ConfigurationError, "has no column 'Centre'"),
        ({"columns": {"Version": Source(constant="Actual")}, "group_by": ()}, ConfigurationError, "constants only"),
        (
            {"columns": {"Time": Source("period"), "Amount": Source("amount")}, "group_by": ("Time",)},
            ConfigurationError,
            "no column of the rows",
        ),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(prepared, change, error, sentence):
    with pytest.raises(error, match=sentence):
        prepared(actuals(**change))


# Mapping


def test_what_does_not_map_is_quarantined_with_its_reason_and_counted(bench, ledger, prepared):
    ledger.lines[2]["dimension.DEPARTMENT"] = "LAB"
    done = prepared(actuals(crosswalks={"Cost Centre": CENTRES}))
    assert problems(bench, done) == {"e3": "unmapped: centres.csv has no Cost Centre for 'LAB' on 2025-11-04"}
    assert (done.rows_accepted, done.rows_quarantined, done.sum_quarantined) == (5, 1, "-30.00")
    [reject] = [row.reject for row in bench.trail.rejects(done.run.run_id)]
    assert (reject.record_id, reject.amount) == ("e3", "-30.00")


def test_a_flow_may_refuse_rows_that_do_not_map(bench, ledger, prepared):
    plan = actuals(crosswalks={"Cost Centre": crosswalk("none.csv", [])}, unmapped=Unmapped.FAIL)
    with pytest.raises(RowsRefusedError, match=r"6 rows of journal_lines cannot be sent.*\(1 rows\)"):
        prepared(plan)


def test_a_blank_address_is_no_address(bench, prepared):
    done = prepared(actuals())
    assert set(problems(bench, done).values()) == {"Cost Centre is blank"}
    assert done.rows_quarantined == 3


@pytest.mark.parametrize("books", [{}, {"Cost Centre": CENTRES}], ids=["as it is", "by a code book"])
def test_a_dimension_that_could_not_be_read_is_not_taken_for_none(bench, ledger, prepared, books):
    ledger.lines[:] = [
        line(1, amount="-100.00"),
        line(2, amount="60.00", **{"dimension.DEPARTMENT": None}),
        line(3, amount="40.00", **{"dimension.DEPARTMENT": "PROD"}),
    ]
    done = prepared(actuals(crosswalks=books))
    assert problems(bench, done) == {"e2": "Cost Centre is not known: the row's dimensions could not be read"}
    assert (done.rows_book, done.rows_accepted, done.rows_quarantined) == (3, 2, 1)
    assert (done.sum_book, done.sum_accepted, done.sum_quarantined) == ("0.00", "-60.00", "60.00")
    assert done.sum_cells == done.sum_accepted
    [reject] = [row.reject for row in bench.trail.rejects(done.run.run_id)]
    assert (reject.record_id, reject.amount) == ("e2", "60.00")


def test_a_line_for_its_own_needs_its_dimensions_too_unless_the_file_shows_none(bench, ledger, prepared):
    ledger.lines[:] = [line(1), line(2, **{"dimension.DEPARTMENT": None}), line(3, **{"dimension.DEPARTMENT": ""})]
    plan = records(
        Dataset.JOURNAL_LINES, {"id": "record_id", "department": "dimension.DEPARTMENT"}, shape=Shape.RECORDS
    )
    done = prepared(plan)
    assert problems(bench, done) == {"e2": "department is not known: the row's dimensions could not be read"}
    assert [(row["id"], row["department"]) for row in lines(bench, done)] == [("e1", "SALES"), ("e3", "")]
    without = records(Dataset.JOURNAL_LINES, {"id": "record_id", "document": "document"}, shape=Shape.RECORDS)
    assert prepared(without).rows_quarantined == 0


def test_a_code_book_is_asked_for_the_day_of_the_posting(bench, ledger, prepared):
    dated = crosswalk(
        "dated.csv",
        [
            Rule(MatchKind.EXACT, "SALES", "OLD", valid_to=date(2025, 11, 10)),
            Rule(MatchKind.EXACT, "SALES", "NEW", valid_from=date(2025, 11, 11)),
            Rule(MatchKind.DEFAULT, "", "REST"),
        ],
    )
    ledger.lines[:] = [
        line(at, amount=str(at), posting_date=date(2025, 11, day)) for at, day in ((1, 10), (2, 11), (4, 30))
    ]
    done = prepared(actuals(crosswalks={"Cost Centre": dated}))
    assert amounts(lines(bench, done)) == {("40100", "OLD"): Decimal(1), ("40100", "NEW"): Decimal(6)}


def test_an_edited_code_book_moves_the_cells(bench, prepared):
    first = prepared(actuals(crosswalks={"Cost Centre": CENTRES}))
    moved = crosswalk("centres.csv", [Rule(MatchKind.DEFAULT, "", "ALL")])
    plan = actuals(crosswalks={"Cost Centre": moved})
    assert plan_digest(plan) != plan_digest(actuals(crosswalks={"Cost Centre": CENTRES}))
    assert {centre for _, centre in amounts(lines(bench, prepared(plan)))} == {"ALL"}
    assert first.cells_now == 3


def test_members_that_the_list_lacks_are_quarantined_before_a_file_is_made(bench, prepared):
    model = FakeReader(lists={"Accounts": members("10100", "40100")})
    plan = actuals(crosswalks={"Cost Centre": CENTRES}, members={"Account": "Accounts"})
    done = prepared(plan, model=model)
    assert problems(bench, done) == {"e3": "unknown member: the list Accounts has no Account 40200"}
    assert {row["Account"] for row in lines(bench, done)} == {"10100", "40100"}


def test_members_may_be_known_by_name(bench, ledger, prepared):
    ledger.lines[:] = [line(1, "Name of 40100"), line(2, "40100")]
    model = FakeReader(lists={"Accounts": members("40100")})
    done = prepared(actuals(members={"Account": "Accounts"}, match={"Account": Match.NAME}), model=model)
    assert list(problems(bench, done)) == ["e2"]


def test_a_constant_that_is_no_member_stops_the_flow(prepared):
    model = FakeReader(lists={"Versions": members("Budget")})
    with pytest.raises(UnknownNameError, match="no member 'Actual'"):
        prepared(actuals(members={"Version": "Versions"}), model=model)


# Selection, sign


def test_opening_closing_statistical_and_our_own_entries_are_left_out_and_told(bench, ledger, prepared):
    ledger.lines[:] = [
        line(1, amount="1"),
        line(2, amount="2", kind="adjusting"),
        line(3, amount="4", kind="opening"),
        line(4, amount="8", kind="closing"),
        line(5, amount="16", statistical=True),
        line(6, amount="32", plan_document=True),
        line(7, amount="64", ledger="IFRS"),
    ]
    done = prepared(actuals())
    assert done.left_out == {
        "closing entry": "1 rows 8.00",
        "opening entry": "1 rows 4.00",
        "our own plan document": "1 rows 32.00",
        "statistical account": "1 rows 16.00",
    }
    assert (done.rows_book, done.rows_accepted, done.rows_left_out, done.sum_accepted) == (7, 3, 4, "67.00")
    everything = Selection(frozenset(EntryKind), None, include_plan_documents=True, include_statistical=True)
    assert prepared(actuals(selection=everything)).rows_left_out == 0
    one_ledger = prepared(actuals(selection=replace(Selection(), ledger="IFRS")))
    assert (one_ledger.rows_accepted, one_ledger.left_out["ledger (none)"]) == (1, "4 rows 51.00")


def test_only_one_value_of_a_column_may_be_loaded(bench, ledger, prepared):
    ledger.rows[Dataset.COST_CENTRES] = [
        {"record_id": "1", "dimension": "DEPARTMENT", "code": "SALES", "name": "Sales"},
        {"record_id": "2", "dimension": "PROJECT", "code": "P1", "name": "Project 1"},
    ]
    plan = records(
        Dataset.COST_CENTRES, {"Code": "code", "Name": "name"}, only={"dimension": "DEPARTMENT"}, shape=Shape.RECORDS
    )
    done = prepared(plan)
    assert [row["Code"] for row in lines(bench, done)] == ["SALES"]
    assert done.left_out == {"dimension is not DEPARTMENT": "1 rows"}


def test_natural_signs_turn_accounts_by_their_category(bench, ledger, new_run, prepared):
    plan = actuals(crosswalks={"Cost Centre": CENTRES}, sign=Sign.NATURAL)
    with pytest.raises(DataError, match="has not read its accounts"):
        prepared(plan)
    ledger.rows[Dataset.ACCOUNTS] = [account("40100", category="Income"), account("10100", category="Assets")]
    extract(bench, ledger, read_plan(Dataset.ACCOUNTS), new_run(), PERIOD)
    done = prepared(plan)
    assert amounts(lines(bench, done)) == {("10100", "NONE"): Decimal("150.5"), ("40100", "CC200"): Decimal("120.5")}
    assert "40200 is not in the book of accounts" in problems(bench, done)["e3"]
    assert done.sum_accepted == done.sum_cells == "30.00", "sums stay in the sign of the ledger"


# What is known without looking


def test_an_unchanged_book_by_an_unchanged_plan_is_not_looked_at(bench, ledger, new_run, prepared):
    plan = actuals(crosswalks={"Cost Centre": CENTRES})
    first = prepared(plan)
    scope = {"flow": FLOW, "import_name": plan.import_name, "period": PERIOD.key}
    bench.trail.accept(
        CellScope(**scope), expected=0, file=first.cells, watermark=first.cursor, run_id=first.run.run_id, detail={}
    )
    second = prepared(plan)
    assert (second.file, second.cells, second.keys) == (None, first.cells, first.keys)
    kinds = [event.kind for event in bench.trail.events(second.run.run_id)]
    assert EventKind.UNCHANGED in kinds
    assert EventKind.PREPARED not in kinds
    other = prepared(replace(plan, time_format="MM/yy"))
    assert EventKind.PREPARED in [event.kind for event in bench.trail.events(other.run.run_id)]


def test_a_recipe_is_kept_as_it_was(bench, prepared):
    plan = actuals(crosswalks={"Cost Centre": CENTRES}, columns=COLUMNS)
    done = prepared(plan)
    [event] = [event for event in bench.trail.events(done.run.run_id) if event.kind == EventKind.PREPARED]
    kept = read_recipe(bench.stage, StagedFile.from_json(event.detail["recipe"]))
    assert (kept.plan, kept.period) == (plan, PERIOD)
    assert list(kept.plan.columns) == list(COLUMNS), "in the order of the header"
    assert kept.plan.crosswalks["Cost Centre"].lookup("PROD", PERIOD.end).member == "CC300"
