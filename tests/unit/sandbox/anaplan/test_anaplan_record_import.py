# SPDX-License-Identifier: Apache-2.0
import csv
import io
import time
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.anaplan.work import source as source_module
from tests.unit.sandbox.anaplan.caller import JOURNAL_HEADER, counts


def line(number, **changes):
    values = {
        "id": f"{number:08d}",
        "entryNumber": number,
        "postingDate": "2026-11-20",
        "documentNumber": f"G{number}",
        "documentType": "Invoice",
        "accountNumber": "6100",
        "description": "Rent, November",
        "debitAmount": "0.10",
        "creditAmount": "0.00",
        "lastModifiedDateTime": "2026-11-20T10:00:00Z",
        "department": "ADM",
        "project": "",
    } | changes
    return ",".join(f'"{value}"' for value in values.values())


def file_of(*lines):
    return "\n".join([JOURNAL_HEADER, *lines]) + "\n"


def records(caller, **query):
    return caller.control("GET", "/records", **query)


def test_lines_are_kept_with_exact_sums(anaplan):
    task = anaplan.load("Load Journal Lines", file_of(*(line(number) for number in range(1, 11))))
    assert (counts(task)["createdCount"], counts(task)["totalRowCount"]) == (10, 10)
    kept = records(anaplan, head=1)
    assert (kept["rows"], Decimal(kept["debitAmount"]), Decimal(kept["creditAmount"])) == (10, 1, 0)
    assert kept["head"][0]["description"] == "Rent, November"


def test_a_known_id_is_updated_and_a_new_one_added(anaplan):
    anaplan.load("Load Journal Lines", file_of(line(1), line(2), line(3)))
    task = anaplan.load("Load Journal Lines", file_of(line(2, debitAmount="5"), line(4)))
    assert (counts(task)["successCreateCount"], counts(task)["successUpdateCount"]) == (1, 1)
    kept = records(anaplan)
    assert (kept["rows"], Decimal(kept["debitAmount"])) == (4, Decimal("5.30"))


def test_a_property_that_is_no_number_or_date_loads_blank_with_a_warning(anaplan):
    bad = line(2, debitAmount="abc", postingDate="20.11.2026")
    task = anaplan.load("Load Journal Lines", file_of(line(1), bad))
    assert (counts(task)["warningsRowCount"], counts(task)["successRowCount"]) == (1, 1)
    dump = anaplan.dump("Load Journal Lines", task["taskId"])
    (row,) = csv.DictReader(io.StringIO(dump.text, newline=""))
    assert (row["_Status_"], row["_Line_"], row["debitAmount"]) == ("W", "3", "abc")
    assert (row["_Error_1_"], row["_Error_2_"]) == ('Invalid debitAmount: "abc"', 'Invalid postingDate: "20.11.2026"')
    assert records(anaplan, head=2)["head"][1]["debitAmount"] == ""


def test_rows_without_an_id_or_with_too_many_columns_are_refused(anaplan):
    task = anaplan.load("Load Journal Lines", file_of(line(1), line(2, id=""), line(3) + ",x", ",,,,,,,,,,,"))
    assert (counts(task)["failedCount"], counts(task)["ignoredCount"], records(anaplan)["rows"]) == (2, 1, 1)


def test_lines_are_counted_past_rows_that_were_refused(anaplan):
    task = anaplan.load("Load Journal Lines", file_of(line(1), line(2) + ",x", line(3, debitAmount="abc")))
    dump = anaplan.dump("Load Journal Lines", task["taskId"])
    rows = list(csv.DictReader(io.StringIO(dump.text, newline="")))
    assert [(row["_Status_"], row["_Line_"]) for row in rows] == [("E", "3"), ("W", "4")]


def test_an_id_that_comes_twice_fails_the_import(anaplan):
    task = anaplan.load("Load Journal Lines", file_of(line(1), line(2), line(1)))
    assert [detail["type"] for detail in task["result"]["details"]] == ["hierarchyImportDuplicateSourceKey"]
    assert records(anaplan)["rows"] == 0


def test_many_small_blocks_make_the_same_records(anaplan, monkeypatch):
    monkeypatch.setattr(source_module, "BLOCK_BYTES", 512)
    task = anaplan.load("Load Journal Lines", file_of(*(line(number) for number in range(100)), line(200) + ",x"))
    assert (counts(task)["createdCount"], counts(task)["failedCount"], records(anaplan)["rows"]) == (100, 1, 100)


def test_two_hundred_thousand_lines_load_within_seconds(anaplan):
    text = file_of(*(line(number) for number in range(200_000)))
    began = time.monotonic()
    task = anaplan.load("Load Journal Lines", text)
    assert time.monotonic() - began < 6
    assert counts(task)["createdCount"] == 200_000
    assert Decimal(records(anaplan)["debitAmount"]) == 20_000


def test_the_list_shows_its_records_and_a_million_is_the_most_it_gives_at_once(anaplan, site, monkeypatch):
    from airflow_provider_mlconnector.sandbox.anaplan.api import lists

    anaplan.load("Load Journal Lines", file_of(line(1), line(2)))
    list_id = anaplan.info["list_ids"]["Journal Lines"]
    assert anaplan.get(f"/lists/{list_id}").json()["metadata"]["itemCount"] == 2
    items = anaplan.get(f"/lists/{list_id}/items?includeAll=true").json()["listItems"]
    assert [(item["code"], item["properties"]["documentNumber"]) for item in items] == [
        ("00000001", "G1"),
        ("00000002", "G2"),
    ]
    monkeypatch.setattr(lists, "MOST_ITEMS_READ", 1)
    assert anaplan.get(f"/lists/{list_id}/items").status_code == 400


def test_records_that_were_replaced_leave_the_disk(anaplan, site):
    import gc

    for number in range(3):
        anaplan.load("Load Journal Lines", file_of(line(1, debitAmount=str(number))))
    gc.collect()
    assert len(list(site.hub.files.folder.glob("records-*"))) == 1
