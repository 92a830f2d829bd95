# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501  # one line per case of the table
"""A wrong flow file is refused with file, line and what is allowed."""

import pytest

from airflow_provider_mlconnector.errors import FlowError

COLUMNS = "Amount: amount"
GROUP = "group_by: [Account, Cost Centre, Time]"
LINES = "dataset: journal_lines"


def refused(folder, *changes):
    with pytest.raises(FlowError) as caught:
        folder.load(*changes)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        # keys and values
        ("conn_id: bc,", "con_id: bc,", "unknown key 'con_id', meant is perhaps 'conn_id'; allowed are system, conn_id, company"),
        ("flow: close\n", "flow: close\nplan: []\n", "unknown key 'plan'; allowed are flow, erp, anaplan, calendar,"),
        ("    check: GL", "    chek: GL", "unknown key 'chek', meant is perhaps 'check'; allowed are dataset, import, columns,"),
        (", company: Larkfield Ltd", "", "'company' is missing"),
        ("flow: close", "flow: my close", "flow: string should match pattern"),
        ("system: business_central", "system: sap", "erp.system: should be 'business_central',"),
        (LINES, "dataset: journals", "should be 'accounts', 'cost_centres', 'journal_lines',"),
        (GROUP, f"{GROUP}\n    sign: positive", "should be 'ledger' or 'natural', not 'positive'"),
        (GROUP, f"{GROUP}\n    rejects: {{tolerate: some}}", "'some' is no tolerance; write a number of rows such as 5, or a share"),
        (GROUP, f"{GROUP}\n    rejects: {{tolerate: 101%}}", "'101%' is no tolerance"),
        (GROUP, f"{GROUP}\n    transform: no_module", "should match pattern"),
        ("nightly: 02:00", "nightly: 2am", "'2am' is not a time of day; write it like 06:30"),
        ("nightly: 02:00", "every: 15 minutes", "'15 minutes' is not a span of time; write it like 15m, 6h or PT15M"),
        ("flow: close\n", "flow: close\ndeadline: soon\n", "'soon' is not a span of time"),
        # columns
        ("Account: account\n      Cost", "Account: acount\n      Cost", "unknown column of journal_lines 'acount', meant is perhaps 'account'; allowed are record_id,"),
        ("dimension.DEPARTMENT", "dimension.", "the code of the dimension is missing"),
        ("Name: name, Parent", "Name: dimension.X, Parent", "unknown column of accounts 'dimension.X'"),
        ("members: {Account: Accounts}", "members: {Acount: Accounts}", "unknown column of the file 'Acount', meant is perhaps 'Account'; allowed are Account, Cost Centre,"),
        ("members: {Account: Accounts}", "match: {Konto: code}", "unknown column of the file 'Konto'"),
        ("members: {Account: Accounts}", "match: {Account: number}", "should be 'code' or 'name', not 'number'"),
        (GROUP, "group_by: [Account, Cost Center]", "unknown column of the file 'Cost Center', meant is perhaps 'Cost Centre'"),
        ("add: [{Code: NONE,", "add: [{Kode: NONE,", "unknown column of the file 'Kode', meant is perhaps 'Code'"),
        ("crosswalk: {Cost Centre: codes.csv}", "crosswalk: {Entity: codes.csv}", "'Entity' is a constant: write the member itself"),
        # cells
        (GROUP, "group_by: [Cost Centre, Time]", "'Account' is no amount; a cell has one text of it only if it is in 'group_by'"),
        (GROUP, "group_by: [Account, Cost Centre, Time, Amount]", "'Amount' is an amount; amounts are added up"),
        ("      Amount: amount\n", "", "no column is an amount; amounts of journal_lines are amount, credit, currency_amount, debit"),
        ("Time: period", "Time: =Nov 25", "no column says to which period a cell belongs"),
        (GROUP, f"{GROUP}\n    time: {{format: mmm yy}}", "'mmm yy' is not a pattern for period names"),
        ("    only: {dimension: DEPARTMENT}", "    only: {dimension: DEPARTMENT}\n    time: {format: MMM}", "no column comes from 'period'"),
        (f"    {GROUP}\n", "    transform: my.module:clean\n", "'group_by' has to say which of them address a cell"),
        # records
        (f"    {GROUP}\n", "    shape: records\n", "records need a key; let a column come from 'record_id'"),
        (GROUP, f"{GROUP}\n    shape: records", "records are not added up; leave out 'group_by'"),
        ("    only: {dimension: DEPARTMENT}", "    only: {dimension: DEPARTMENT}\n    shape: cells", "cost_centres are not added up"),
        # what only some datasets have
        ("    only: {dimension: DEPARTMENT}\n", "", "cost centres are values of one dimension; say which"),
        ("only: {dimension: DEPARTMENT}", "only: {dimension: DEPARTMENT, blocked: 'no'}", "unknown text column of cost_centres 'blocked'"),
        ("    only: {dimension: DEPARTMENT}", "    only: {dimension: DEPARTMENT}\n    actuals: {ledger: MAIN}", "'actuals' chooses among journal_lines"),
        ("    only: {dimension: DEPARTMENT}", "    only: {dimension: DEPARTMENT}\n    check: A View", "'check' compares the cells of a period; cost_centres have none"),
        (GROUP, f"{GROUP}\n    add: [{{Account: X}}]", "cells are totals of the ledger alone"),
        ("flow: close\n", "flow: close\nlate_postings: load\n", "should be 'report', 'reload' or 'ignore', not 'load'"),
        # what the ledger can give
        (LINES, "dataset: inventory", "Business Central cannot be read for inventory; it has accounts, cost_centres, journal_lines"),
        (LINES, "dataset: account_balances", "Business Central keeps no dimensions on account_balances"),
        # the loads together
        ("import: Load Accounts", "import: Load GL Actuals", "'Load GL Actuals' is loaded twice in this flow, first by load 1"),
        # files
        ("calendar: calendar.yaml", "calendar: none.yaml", "the file 'none.yaml' does not exist; looked for "),
        ("crosswalk: {Cost Centre: codes.csv}", "crosswalk: {Cost Centre: none.csv}", "the file 'none.csv' does not exist"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(folder, old, new, sentence):
    error = refused(folder, (old, new))
    assert sentence in str(error)
    assert error.where.startswith(f"{folder.path}/flow.yaml:")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Account: account\n      Cost", "Account: acount\n      Cost", "Account: acount"),
        ("conn_id: bc,", "con_id: bc,", "con_id"),
        ("nightly: 02:00", "nightly: 2am", "2am"),
        ("    check: GL", "    chek: GL", "chek"),
        ("dataset: journal_lines", "dataset: journals", "dataset: journals"),
        ("calendar: calendar.yaml", "calendar: none.yaml", "none.yaml"),
        (", company: Larkfield Ltd", "", "erp:"),
        ("crosswalk: {Cost Centre: codes.csv}", "crosswalk: {Cost Centre: none.csv}", "none.csv"),
    ],
)
def test_the_line_is_the_one_of_the_mistake(folder, old, new, line):
    error = refused(folder, (old, new))
    assert error.where == folder.line(line)


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order(folder):
    error = refused(
        folder,
        ("Amount: amount", "Amount: amout"),
        ("members: {Account:", "members: {Acount:"),
        ("Name: name}", "Name: nam}"),
    )
    lines = str(error).splitlines()
    assert [line.partition(": unknown")[0].rpartition("flow.yaml:")[2] for line in lines] == ["12", "23", "26"]


def test_a_list_is_loaded_before_the_cells_that_need_its_members(folder):
    accounts = (
        "  - dataset: accounts\n    import: Load Accounts\n    columns: {Code: account, Name: name, Parent: parent}\n"
    )
    error = refused(
        folder, (accounts, ""), ("    check: GL Actuals by Period\n", f"    check: GL Actuals by Period\n{accounts}")
    )
    assert (
        "accounts are loaded after 'Load GL Actuals', which needs their members; move 'Load Accounts' before it"
        in str(error)
    )
    assert error.where == folder.line("dataset: accounts")


def test_cost_centres_of_another_dimension_may_follow(folder):
    projects = "  - dataset: cost_centres\n    import: Load Projects\n    columns: {Code: code}\n    only: {dimension: PROJECT}\n"
    flow = folder.load(("    check: GL Actuals by Period\n", f"    check: GL Actuals by Period\n{projects}"))
    assert flow.spec.load[-1].import_name == "Load Projects"


def test_the_natural_sign_needs_the_accounts(folder):
    accounts = (
        "  - dataset: accounts\n    import: Load Accounts\n    columns: {Code: account, Name: name, Parent: parent}\n"
    )
    assert folder.load((GROUP, f"{GROUP}\n    sign: natural"))
    error = refused(folder, (accounts, ""), (GROUP, f"{GROUP}\n    sign: natural"))
    assert "load 'accounts' in this flow too" in str(error)


def test_a_transform_may_make_columns_that_no_dataset_has(folder):
    flow = folder.load((GROUP, f"{GROUP}\n    transform: my.module:clean"), ("Amount: amount", "Amount: reworked"))
    assert flow.spec.load[-1].transform == "my.module:clean"


def test_a_key_that_stands_twice_is_refused(folder):
    error = refused(folder, ("flow: close\n", "flow: close\nflow: other\n"))
    assert "'flow' stands twice, first in line 1" in str(error)


def test_a_file_that_is_no_mapping_is_refused(folder):
    from airflow_provider_mlconnector.flows.loader import load_flow

    with pytest.raises(FlowError, match="valid dictionary"):
        load_flow(folder.write("list.yaml", "- a\n- b\n"))


def test_a_mistake_in_the_code_book_is_told_with_its_own_line(folder):
    folder.write("codes.csv", "code,member\nA,X\nA,Y\n")
    assert refused(folder).where == f"{folder.path}/codes.csv:3"


def test_a_mistake_in_the_calendar_is_told_with_its_own_line(folder):
    folder.write("calendar.yaml", "calendar: months\nkind: monthly\nfirst_month: 17\n")
    assert refused(folder).where == f"{folder.path}/calendar.yaml:3"


def test_late_postings_can_be_reloaded_only_where_journal_lines_are_loaded(folder):
    reload = ("flow: close\n", "flow: close\nlate_postings: reload\n")
    assert folder.load(reload).spec.sweeps
    balances = [
        ("dataset: journal_lines", "dataset: account_balances"),
        ("      Cost Centre: dimension.DEPARTMENT\n", ""),
        ("Amount: amount", "Amount: closing"),
        ("    group_by: [Account, Cost Centre, Time]\n    crosswalk: {Cost Centre: codes.csv}\n", ""),
    ]
    error = refused(folder, reload, *balances)
    assert "late postings are journal lines, and this flow does not load any" in str(error)
    assert error.where == folder.line("late_postings: reload")
    assert not folder.load(*balances).spec.sweeps
