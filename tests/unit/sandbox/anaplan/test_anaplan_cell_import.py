# SPDX-License-Identifier: Apache-2.0
import csv
import io

import pytest

from tests.unit.sandbox.anaplan.caller import ACTUALS, counts

BALANCES = "Account,Entity,Version,Time,Opening,Debit,Credit,Closing\n"


def load(caller, rows, **more):
    return caller.load("Load GL Actuals", ACTUALS + rows, **more)


def dump_rows(caller, name, task):
    return list(csv.DictReader(io.StringIO(caller.dump(name, task["taskId"]).text, newline="")))


def test_rows_become_cells_found_by_code_or_name(closed_books):
    load(closed_books, "1100,ADM,Larkfield,Actual,Jul 25,10.50\nBank,Sales,Larkfield,Budget,Aug 25,-3\n")
    assert closed_books.cells("GL Actuals") == [
        {
            "Account": "1100",
            "Cost Centre": "ADM",
            "Entity": "Larkfield",
            "Version": "Actual",
            "Time": "Jul 25",
            "Amount": "10.50",
        },
        {
            "Account": "1200",
            "Cost Centre": "SALES",
            "Entity": "Larkfield",
            "Version": "Budget",
            "Time": "Aug 25",
            "Amount": "-3",
        },
    ]


@pytest.mark.parametrize(
    "number", ["0.1", "-0.30", "99999999999999999999999999.123456", "+7", ".5", "12.", "0", "-1234567890.99"]
)
def test_numbers_keep_every_digit(closed_books, number):
    load(closed_books, f"1100,ADM,Larkfield,Actual,Jul 25,{number}\n")
    (cell,) = closed_books.cells("GL Actuals")
    from decimal import Decimal

    assert Decimal(cell["Amount"]) == Decimal(number)
    assert len(cell["Amount"].strip("-").replace(".", "")) >= len(number.strip("+-.").replace(".", ""))


def test_an_import_overwrites_the_cells_that_it_names_and_leaves_the_others(closed_books):
    load(closed_books, "1100,ADM,Larkfield,Actual,Jul 25,1\n1200,ADM,Larkfield,Actual,Jul 25,2\n")
    load(closed_books, "1100,ADM,Larkfield,Actual,Jul 25,5\n")
    assert [cell["Amount"] for cell in closed_books.cells("GL Actuals")] == ["5", "2"]


def test_of_two_rows_for_one_cell_the_later_holds(closed_books):
    load(closed_books, "1100,ADM,Larkfield,Actual,Jul 25,1\n1100,ADM,Larkfield,Actual,Jul 25,2\n")
    assert [cell["Amount"] for cell in closed_books.cells("GL Actuals")] == ["2"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("9999,ADM,Larkfield,Actual,Jul 25,1", "moduleImportInvalidListIdentifier"),
        ("1100,XXX,Larkfield,Actual,Jul 25,1", "moduleImportInvalidListIdentifier"),
        ("1100,ADM,Larkfield,Plan,Jul 25,1", "moduleImportInvalidListIdentifier"),
        ("1100,ADM,Larkfield,Actual,2025-07,1", "moduleImportInvalidTimeEntityIdentifier"),
        ("1000,ADM,Larkfield,Actual,Jul 25,1", "moduleImportInvalidListIdentifier"),
        ('1100,ADM,Larkfield,Actual,Jul 25,"1,000.00"', "moduleImportNumberFormat"),
        ("1100,ADM,Larkfield,Actual,Jul 25,1e5", "moduleImportNumberFormat"),
        ("1100,ADM,Larkfield,Actual,Jul 25,NaN", "moduleImportNumberFormat"),
    ],
)
def test_a_bad_row_is_refused(closed_books, row, reason):
    task = load(closed_books, f"1200,ADM,Larkfield,Actual,Jul 25,2\n{row}\n")
    assert [cell["Account"] for cell in closed_books.cells("GL Actuals")] == ["1200"]
    summary, detail = task["result"]["details"]
    assert (summary["type"], detail["type"]) == ("lineItemRowsProcessedWithFailures", reason)
    assert (counts(task)["successRowCount"], counts(task)["failedCount"], counts(task)["totalRowCount"]) == (1, 1, 2)
    (rejected,) = dump_rows(closed_books, "Load GL Actuals", task)
    assert (rejected["_Status_"], rejected["_Line_"]) == ("E", "3")
    assert ",".join(next(csv.reader([row]))) == ",".join(list(rejected.values())[1:7])


def test_a_row_names_everything_that_is_wrong_with_it(closed_books):
    task = load(closed_books, "9999,XXX,Larkfield,Actual,Jul 25,abc\n1100,YYY,Larkfield,Actual,Jul 25,1\n")
    first, second = dump_rows(closed_books, "Load GL Actuals", task)
    assert [first[f"_Error_{number}_"] for number in (1, 2, 3)] == [
        'Item not found in list Accounts: "9999"',
        'Item not found in list Cost Centres: "XXX"',
        'Invalid number: Amount "abc"',
    ]
    assert (second["_Error_2_"], second["_Error_3_"]) == ("", "")


def test_the_line_of_a_reject_counts_rows_of_the_file_whatever_their_quoted_text_holds(closed_books):
    rest = ",ADM,Larkfield,Actual,Jul 25,1\n"
    rows = f'1100{rest}\n"11\n00"{rest}x{rest}'
    task = load(closed_books, rows)
    assert [row["_Line_"] for row in dump_rows(closed_books, "Load GL Actuals", task)] == ["4", "5"]
    assert counts(task)["ignoredCount"] == 1


def test_a_blank_value_leaves_its_cell_alone_and_a_row_without_values_is_ignored(closed_books):
    closed_books.load("Load GL Balances", BALANCES + "1100,Larkfield,Actual,Jul 25,1,2,3,0\n")
    task = closed_books.load("Load GL Balances", BALANCES + "1100,Larkfield,Actual,Jul 25,,5,,\n9999,,,,,,,\n")
    (cell,) = closed_books.cells("GL Balances")
    assert [cell[name] for name in ("Opening", "Debit", "Credit", "Closing")] == ["1", "5", "3", "0"]
    assert (counts(task)["ignoredCount"], counts(task)["successRowCount"]) == (1, 1)


def test_a_row_of_which_some_values_are_bad_loads_the_others_with_a_warning(closed_books):
    task = closed_books.load("Load GL Balances", BALANCES + "1100,Larkfield,Actual,Jul 25,1,x,3,4\n")
    (cell,) = closed_books.cells("GL Balances")
    assert "Debit" not in cell
    assert (counts(task)["warningsRowCount"], counts(task)["failedCount"]) == (1, 0)
    assert task["result"]["successful"] is True
    (row,) = dump_rows(closed_books, "Load GL Balances", task)
    assert (row["_Status_"], row["_Error_1_"]) == ("W", 'Invalid number: Debit "x"')


def test_a_mapping_parameter_stands_for_its_column(closed_books):
    chosen = [{"entityType": "Version", "entityName": "Forecast"}]
    rows = "Account,Cost Centre,Entity,Time,Amount\n1100,ADM,Larkfield,Jul 25,1\n"
    closed_books.load("Load GL Actuals", rows, mappingParameters=chosen)
    load(closed_books, "1100,ADM,Larkfield,Actual,Aug 25,1\n", mappingParameters=chosen)
    assert {cell["Version"] for cell in closed_books.cells("GL Actuals")} == {"Forecast"}
    task = load(closed_books, "", mappingParameters=[{"entityType": "Version", "entityName": "Plan"}])
    assert [detail["type"] for detail in task["result"]["details"]] == ["failedToLocateEntity"]


def test_a_decimal_comma_is_read_where_the_file_has_one(closed_books, site):
    from dataclasses import replace

    file = site.hub.files.get(closed_books.info["file_ids"]["Load GL Actuals"])
    site.hub.files.describe_as(file, file.name, replace(file.format, separator=";", decimal_separator=","))
    header = ACTUALS.replace(",", ";")
    task = closed_books.load(
        "Load GL Actuals", header + "1100;ADM;Larkfield;Actual;Jul 25;1,5\n1200;ADM;Larkfield;Actual;Jul 25;1.5\n"
    )
    assert [cell["Amount"] for cell in closed_books.cells("GL Actuals")] == ["1.5"]
    assert counts(task)["failedCount"] == 1


def test_whether_an_import_with_rejects_calls_itself_successful_is_a_switch(closed_books):
    rows = "1100,ADM,Larkfield,Actual,Jul 25,1\n9999,ADM,Larkfield,Actual,Jul 25,1\n"
    assert load(closed_books, rows)["result"]["successful"] is True
    closed_books.switch(partial_is_successful=False)
    assert load(closed_books, rows)["result"]["successful"] is False


def test_nothing_loaded_is_no_success(closed_books):
    assert load(closed_books, "9999,ADM,Larkfield,Actual,Jul 25,1\n")["result"]["successful"] is False
