# SPDX-License-Identifier: Apache-2.0
"""General ledger entries, as the standard API and as the finance API show them."""

from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.sandbox.books import NewLine

PERIOD = "FY2027-P04"
OCTOBER = "postingDate ge 2026-10-01 and postingDate le 2026-10-31"


def as_cells(rows):
    return {(row["entryNumber"], row["accountNumber"], row["debitAmount"] - row["creditAmount"]) for row in rows}


def test_a_period_is_the_books_lines_of_it(reader):
    lines = {(line.entry_number, line.account, line.amount) for line in reader.books.lines(PERIOD)}
    assert as_cells(reader.rows(f"generalLedgerEntries?$filter={OCTOBER}")) == lines


def test_every_field_of_an_entry_is_the_lines(reader):
    lines = {line.system_id: line for line in reader.books.lines(PERIOD)}
    rows = reader.rows(f"{reader.finance}/generalLedgerEntries?$filter={OCTOBER}")
    assert {row["id"] for row in rows} == set(lines)
    for row in rows:
        line = lines[row["id"]]
        assert row["number"] == line.entry_number
        assert row["postingDate"] == line.posting_date.isoformat()
        assert row["documentNumber"] == line.document
        assert row["externalDocumentNumber"] == line.external_document
        assert row["description"] == line.description
        assert (row["amount"], row["debitAmount"], row["creditAmount"]) == (line.amount, line.debit, line.credit)
        assert (row["globalDimension1Code"], row["globalDimension2Code"]) == (line.department, line.project)
        assert (row["sourceNumber"], row["sourceCode"]) == (line.party, line.source)
        assert row["reveresd"] is line.reversed


def test_enum_values_are_xml_names(reader):
    types = {row["documentType"] for row in reader.rows(f"generalLedgerEntries?$filter={OCTOBER}")}
    assert types == {"_x0020_", "Invoice", "Payment", "Credit_x0020_Memo"}


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1250.50", b'"debitAmount":1250.5,"creditAmount":0,'),
        ("-1250.00", b'"debitAmount":0,"creditAmount":1250,'),
        ("0.05", b'"debitAmount":0.05,"creditAmount":0,'),
        ("123456789012345.67", b'"debitAmount":123456789012345.67,'),
        ("12345678901234567.89", b'"debitAmount":12345678901234567.89,'),
    ],
)
def test_amounts_are_written_exactly(bc, amount, written):
    bc.books.post_line(date(2026, 11, 3), NewLine("60210", Decimal(amount)))
    assert written in bc.get("generalLedgerEntries?$orderby=entryNumber desc&$top=1").content


def test_stamps_have_at_most_milliseconds_and_one_row_has_none(reader):
    stamps = [row["lastModifiedDateTime"] for row in reader.rows("generalLedgerEntries")]
    assert stamps.count("0001-01-01T00:00:00Z") == 1
    assert all(stamp.endswith("Z") and not stamp.endswith(".Z") for stamp in stamps)
    assert not any(stamp.rstrip("Z").endswith("0") for stamp in stamps if "." in stamp)
    assert {len(stamp) for stamp in stamps} >= {20, 24}


def test_a_modified_row_is_found_by_its_stamp_and_the_sentinel_is_not(bc):
    line = list(bc.books.lines(PERIOD))[10]
    bc.books.change_line(line.entry_number, amount=Decimal("7.77"))
    stamp = bc.books.line(line.entry_number).modified_at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    rows = bc.rows(f"generalLedgerEntries?$filter=lastModifiedDateTime ge {stamp}")
    assert [row["id"] for row in rows] == [line.system_id]
    assert rows[0]["lastModifiedDateTime"].rstrip("Z").ljust(23, "0") == stamp.rstrip("Z")
    assert bc.rows(f"generalLedgerEntries?$filter=lastModifiedDateTime gt {stamp}") == []


def test_an_etag_changes_with_its_row(bc):
    entry = next(bc.books.lines(PERIOD)).entry_number
    before = bc.rows(f"generalLedgerEntries?$filter=entryNumber eq {entry}")[0]["@odata.etag"]
    bc.books.change_line(entry, description="changed")
    after = bc.rows(f"generalLedgerEntries?$filter=entryNumber eq {entry}")[0]["@odata.etag"]
    assert before.startswith('W/"')
    assert before != after


def test_texts_that_need_escaping_arrive_whole(bc):
    text = 'Rähmchen "No. 5", 10 % \\ off\tnow'
    bc.books.post_line(date(2026, 11, 3), NewLine("60210", Decimal(1), description=text), document='D "1"')
    row = bc.rows("generalLedgerEntries?$orderby=entryNumber desc&$top=1")[0]
    assert (row["description"], row["documentNumber"]) == (text, 'D "1"')


def test_select_narrows_the_fields_in_the_order_that_was_asked_for(reader):
    row = reader.rows("generalLedgerEntries?$select=accountNumber,id&$top=1")[0]
    assert list(row) == ["@odata.etag", "accountNumber", "id"]


def test_one_entry_is_found_by_its_id(reader):
    line = next(reader.books.lines(PERIOD))
    assert reader.read(f"generalLedgerEntries({line.system_id})")["entryNumber"] == line.entry_number
    missing = reader.get("generalLedgerEntries(00000000-0000-0000-0000-000000000001)")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "Internal_RecordNotFound")


def test_expanded_dimensions_are_the_lines_own(reader):
    lines = {line.system_id: line for line in reader.books.lines(PERIOD)}
    rows = reader.rows(f"generalLedgerEntries?$filter={OCTOBER}&$expand=dimensionSetLines")
    seen = set()
    for row in rows:
        dimensions = {inner["code"]: inner["valueCode"] for inner in row["dimensionSetLines"]}
        assert dimensions == lines[row["id"]].dimensions
        assert all(inner["parentId"] == row["id"] for inner in row["dimensionSetLines"])
        assert all(inner["parentType"] == "General_x0020_Ledger_x0020_Entry" for inner in row["dimensionSetLines"])
        seen.add(len(dimensions))
    assert seen == {0, 1, 2}


def test_expanded_dimensions_can_be_narrowed(reader):
    query = f"generalLedgerEntries?$filter={OCTOBER}&$select=id&$expand=dimensionSetLines($select=code,valueCode)"
    rows = reader.rows(query)
    assert {tuple(inner) for row in rows for inner in row["dimensionSetLines"]} == {("code", "valueCode")}


def test_an_expanded_account_is_the_one_posted_to(reader):
    for row in reader.rows("generalLedgerEntries?$top=50&$expand=account($select=number,id)"):
        assert row["account"] == {"number": row["accountNumber"], "id": row["accountId"]}


def test_a_page_with_a_deleted_dimension_value_fails_as_a_whole(bc):
    bc.books.delete_value("DEPARTMENT", "RND")
    query = f"generalLedgerEntries?$filter={OCTOBER}"
    failed = bc.get(f"{query}&$expand=dimensionSetLines")
    assert failed.status_code == 404
    assert "The Dimension Value does not exist" in failed.json()["error"]["message"]
    lines = {line.system_id: line for line in bc.books.lines(PERIOD)}
    one_of_each = {lines[row["id"]].department: row["id"] for row in bc.rows(query)}
    statuses = {
        department: bc.get(f"generalLedgerEntries({entry})/dimensionSetLines").status_code
        for department, entry in one_of_each.items()
    }
    assert statuses.pop("RND") == 404
    assert set(statuses.values()) == {200}
    assert len(statuses) > 12


def test_dimensions_of_one_entry_are_read_below_it_or_by_filter(reader):
    line = next(line for line in reader.books.lines(PERIOD) if len(line.dimensions) == 2)
    below = reader.rows(f"generalLedgerEntries({line.system_id})/dimensionSetLines")
    by_filter = reader.rows(
        f"dimensionSetLines?$filter=parentId eq {line.system_id} and parentType eq 'General Ledger Entry'"
    )
    expected = sorted(line.dimensions.items())
    assert sorted((row["code"], row["valueCode"]) for row in below) == expected
    assert sorted((row["code"], row["valueCode"]) for row in by_filter) == expected
    assert reader.get("dimensionSetLines").status_code == 400


def test_dimension_sets_join_to_the_entries(reader):
    sets: dict[Decimal, dict[str, str]] = {}
    for row in reader.rows(f"{reader.finance}/dimensionSetEntries"):
        sets.setdefault(row["setId"], {})[row["dimensionCode"]] = row["dimensionValueCode"]
    for row in reader.rows(f"{reader.finance}/generalLedgerEntries?$filter={OCTOBER}"):
        pairs = {"DEPARTMENT": row["globalDimension1Code"], "PROJECT": row["globalDimension2Code"]}
        assert sets.get(row["dimensionSetID"], {}) == {code: value for code, value in pairs.items() if value}


def test_a_query_has_no_etags_and_may_be_without_links(bc):
    rows = bc.rows(f"{bc.finance}/generalLedgerEntries?$top=1")
    assert "@odata.etag" not in rows[0]
    assert len(bc.pages(f"{bc.finance}/generalLedgerEntries?$filter={OCTOBER}", size=100)) == 4
    bc.tenant.switches.query_links = False
    assert [len(page) for page in bc.pages(f"{bc.finance}/generalLedgerEntries?$filter={OCTOBER}", size=100)] == [100]
    skipped = bc.rows(f"{bc.finance}/generalLedgerEntries?$filter={OCTOBER}&$skip=100&$top=1")
    assert skipped[0]["number"] == rows[0]["number"] - 1 + list(bc.books.lines(PERIOD))[100].entry_number


def test_the_finance_api_may_not_be_there(bc):
    bc.tenant.switches.reports_finance = False
    assert bc.get(f"{bc.finance}/generalLedgerEntries?$top=1").status_code == 404


def test_a_sister_company_has_its_own_entries_under_the_same_ids(reader):
    other = next(row["id"] for row in reader.rows(f"{reader.root}/companies") if row["name"] == "Meadow Tools Ltd")
    theirs = reader.rows(f"{reader.root}/companies({other})/generalLedgerEntries?$filter={OCTOBER}")
    ours = reader.rows(f"generalLedgerEntries?$filter={OCTOBER}")
    assert {row["id"] for row in theirs} == {row["id"] for row in ours}
    assert as_cells(theirs) != as_cells(ours)
