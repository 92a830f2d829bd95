# SPDX-License-Identifier: Apache-2.0
import csv
import io

import pytest

from tests.unit.sandbox.anaplan.caller import ACCOUNTS, counts


def rows_of(dump):
    return list(csv.DictReader(io.StringIO(dump.content.decode(), newline="")))


def test_rows_become_members_with_parents(anaplan):
    task = anaplan.load("Load Accounts", ACCOUNTS)
    assert anaplan.members("Accounts") == [
        ("1000", "Assets", ""),
        ("1100", "Cash", "1000"),
        ("1200", "Bank", "1000"),
        ("6000", "Costs", ""),
        ("6100", "Rent", "6000"),
    ]
    assert task["result"]["successful"] is True
    assert task["result"]["failureDumpAvailable"] is False


def test_the_result_has_the_shape_that_anaplan_documents(anaplan):
    anaplan.load("Load Vendors", "Code,Name\nV1,Smith\nV2,Jones\n")
    task = anaplan.load("Load Vendors", "Code,Name\nV1,Smith & Sons\nV2,Jones\nV3,Brown\n,\n")
    assert task["type"] == "taskInformation"
    assert (task["taskState"], task["currentStep"], task["progress"]) == ("COMPLETE", "Complete.", 1.0)
    result = task["result"]
    assert result["objectId"] == anaplan.info["import_ids"]["Load Vendors"]
    assert "nestedResults" not in result
    (detail,) = result["details"]
    assert (detail["type"], detail["occurrences"]) == ("hierarchyRowsProcessed", 0)
    assert detail["localMessageText"] == "Vendors: 3 (1/2) rows successful, 1 ignored "
    # fmt: off
    assert detail["values"] == [
        "hierarchyName", "Vendors", "successRowCount", "3", "successCreateCount", "1", "successUpdateCount", "2",
        "warningsRowCount", "0", "warningsCreateCount", "0", "warningsUpdateCount", "0", "failedCount", "0",
        "ignoredCount", "1", "totalRowCount", "4", "totalCreateCount", "1", "totalUpdateCount", "2",
        "invalidCount", "0", "updatedCount", "2", "renamedCount", "1", "createdCount", "1",
    ]
    # fmt: on


@pytest.mark.parametrize(
    ("rows", "reason", "message"),
    [
        ("1100,Cash,9999", "hierarchyImportInvalidParent", 'Invalid parent: "9999"'),
        ("1100,Assets,", "hierarchyImportNameOrCodeExists", 'Name or code already exists: "1100" "Assets"'),
        ("1100,,1000", "hierarchyImportInvalidName", 'Invalid name: ""'),
        (",Cash,1000", "hierarchyImportEmptyKey", "Error parsing key - no values"),
        ("1100,Cash", "columnSeparatorExpected", "Column separator expected"),
    ],
)
def test_a_bad_row_is_refused_and_comes_back_in_the_dump(anaplan, rows, reason, message):
    task = anaplan.load("Load Accounts", f"Code,Name,Parent\n1000,Assets,\n{rows}\n1200,Bank,1000\n")
    assert anaplan.members("Accounts") == [("1000", "Assets", ""), ("1200", "Bank", "1000")]
    result = task["result"]
    assert (result["successful"], result["failureDumpAvailable"]) == (True, True)
    summary, *found = result["details"]
    assert summary["type"] == "hierarchyRowsProcessedWithFailures"
    assert summary["localMessageText"] == (
        "Accounts: 2 (2/0) rows successful, 0 (0/0) rows has warnings, 1 failed, 0 ignored"
    )
    assert [(detail["type"], detail["occurrences"], detail["localMessageText"]) for detail in found] == [
        (reason, 1, message)
    ]
    (row,) = rows_of(anaplan.dump("Load Accounts", task["taskId"]))
    assert (row["_Status_"], row["_Line_"], row["_Error_1_"]) == ("E", "3", message)


def test_what_hangs_on_a_refused_row_is_refused_with_it(anaplan):
    task = anaplan.load("Load Accounts", "Code,Name,Parent\n1100,Cash,9999\n1110,Till,1100\n")
    reasons = [row["_Error_1_"] for row in rows_of(anaplan.dump("Load Accounts", task["taskId"]))]
    assert reasons == ['Invalid parent: "9999"', 'Has dependency on rejected row: "1100"']
    assert task["result"]["successful"] is False
    assert task["currentStep"] == "Failed."


def test_a_parent_has_to_come_before_its_children(anaplan):
    task = anaplan.load("Load Accounts", "Code,Name,Parent\n1100,Cash,1000\n1000,Assets,\n")
    assert (counts(task)["failedCount"], anaplan.members("Accounts")) == (1, [("1000", "Assets", "")])


def test_a_member_cannot_be_its_own_ancestor(anaplan):
    anaplan.load("Load Accounts", ACCOUNTS)
    task = anaplan.load("Load Accounts", "Code,Name,Parent\n1000,Assets,1100\n")
    assert counts(task)["failedCount"] == 1
    assert ("1000", "Assets", "") in anaplan.members("Accounts")


def test_a_member_moves_and_a_blank_parent_moves_it_to_the_top(anaplan):
    anaplan.load("Load Accounts", ACCOUNTS)
    anaplan.load("Load Accounts", "Code,Name,Parent\n1100,Cash,6000\n1200,Bank,\n")
    assert ("1100", "Cash", "6000") in anaplan.members("Accounts")
    assert ("1200", "Bank", "") in anaplan.members("Accounts")


def test_an_import_without_parents_leaves_members_where_they_are(anaplan):
    anaplan.load("Load Accounts", "Code,Name,Parent\n1000,Assets,\n1100,Cash,1000\n")
    anaplan.load("Load Account Names", "Code,Name\n1100,Cash at bank\n")
    assert ("1100", "Cash at bank", "1000") in anaplan.members("Accounts")


def test_a_parent_may_be_named_instead_of_coded(anaplan):
    anaplan.load("Load Accounts", "Code,Name,Parent\n1000,Assets,\n1100,Cash,Assets\n")
    assert anaplan.members("Accounts")[1] == ("1100", "Cash", "1000")


def test_a_key_that_comes_twice_fails_the_import_as_a_whole(anaplan):
    task = anaplan.load("Load Vendors", "Code,Name\nV1,Smith\nV2,Jones\nV1,Brown\n")
    assert task["result"]["successful"] is False
    assert [detail["type"] for detail in task["result"]["details"]] == ["hierarchyImportDuplicateSourceKey"]
    assert anaplan.members("Vendors") == []


def test_a_missing_column_fails_the_import_and_others_do_not_matter(anaplan):
    task = anaplan.load("Load Vendors", "Number,Name\nV1,Smith\n")
    (detail,) = task["result"]["details"]
    assert (detail["type"], detail["localMessageText"]) == (
        "missingFields",
        "Import incomplete - unavailable fields: Code",
    )
    anaplan.load("Load Vendors", "City,Name,Code\nLeeds,Smith,V1\n")
    assert anaplan.members("Vendors") == [("V1", "Smith", "")]


def test_an_import_without_a_file_says_that_it_is_gone(anaplan):
    task = anaplan.run("imports", anaplan.info["import_ids"]["Load Vendors"])
    (detail,) = task["result"]["details"]
    assert (task["result"]["successful"], detail["type"]) == (False, "uploadedFileNoLongerAvailable")


def test_a_file_of_a_header_alone_changes_nothing(anaplan):
    task = anaplan.load("Load Vendors", "Code,Name\n")
    (detail,) = task["result"]["details"]
    assert (task["result"]["successful"], detail["type"]) == (True, "hierarchyNoChanges")


def test_the_file_is_read_as_its_settings_say(anaplan):
    file_id, settings = anaplan.info["file_ids"]["Load Vendors"], {"separator": ";", "encoding": "ISO-8859-1"}
    anaplan.post(f"/files/{file_id}", json={"chunkCount": 1, **settings})
    anaplan.put_chunk(file_id, 0, 'Code;Name\nV1;Café\nV2;"a; ""b"""\n'.encode("latin-1"))
    anaplan.run("imports", anaplan.info["import_ids"]["Load Vendors"])
    assert anaplan.members("Vendors") == [("V1", "Café", ""), ("V2", 'a; "b"', "")]


def test_a_file_in_another_encoding_than_it_says_fails(anaplan):
    task = anaplan.load("Load Vendors", "Code,Name\nV1,Café\n".encode("latin-1"))
    assert [detail["type"] for detail in task["result"]["details"]] == ["importFailedGeneralError"]


def test_a_chunk_cut_in_the_middle_of_a_row_does_not_matter(anaplan):
    file_id, data = anaplan.info["file_ids"]["Load Vendors"], "Code,Name\nV1,Café\nV2,Jones\n".encode()
    anaplan.post(f"/files/{file_id}", json={"chunkCount": len(data)})
    for number in range(len(data)):
        anaplan.put_chunk(file_id, number, data[number : number + 1])
    anaplan.run("imports", anaplan.info["import_ids"]["Load Vendors"])
    assert anaplan.members("Vendors") == [("V1", "Café", ""), ("V2", "Jones", "")]


def test_a_missing_chunk_is_passed_over_in_silence_unless_switched(anaplan):
    file_id = anaplan.info["file_ids"]["Load Vendors"]
    anaplan.post(f"/files/{file_id}", json={"chunkCount": 3})
    anaplan.put_chunk(file_id, 0, b"Code,Name\nV1,Smith\n")
    anaplan.put_chunk(file_id, 2, b"V3,Brown\n")
    task = anaplan.run("imports", anaplan.info["import_ids"]["Load Vendors"])
    assert (task["result"]["successful"], counts(task)["totalRowCount"]) == (True, 2)
    anaplan.switch(missing_chunks="fail")
    task = anaplan.run("imports", anaplan.info["import_ids"]["Load Vendors"])
    assert task["result"]["successful"] is False


def test_an_import_reads_the_private_file_of_the_user_who_starts_it(anaplan):
    anaplan.upload("Load Vendors", "Code,Name\nV1,Smith\n")
    anaplan.control("POST", "/tasks", {"action": "Load Vendors", "user": "paula-planner@larkfield.example"})
    anaplan.run("imports", anaplan.info["import_ids"]["Load Vendors"])
    hers, mine = anaplan.control("GET", "/tasks")["tasks"]
    assert hers["result"]["details"][0]["type"] == "uploadedFileNoLongerAvailable"
    assert mine["result"]["successful"] is True
