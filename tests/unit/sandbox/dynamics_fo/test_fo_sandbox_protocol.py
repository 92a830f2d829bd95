# SPDX-License-Identifier: Apache-2.0
"""The sandbox's environment answers as the documents and recorded traffic have it."""

import json
from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.sandbox.dynamics_fo import environment_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Switches
from airflow_provider_mlconnector.sandbox.running import serve

HEADERS, LINES = "GeneralJournalEntryBiEntities", "GeneralJournalAccountEntryBiEntities"


class Client:
    """A logged-in client, written with nothing but ``requests``; numbers come as Decimal."""

    def __init__(self, sandbox):
        self.info = sandbox.info["dynamics_fo"]
        self.world = sandbox.world
        self.environment = environment_of(sandbox.world)
        self.session = requests.Session()
        self.log_in()

    def ask_for_token(self, **changes):
        form = {
            "grant_type": "client_credentials",
            "client_id": self.info["login"],
            "client_secret": self.info["password"],
            "scope": f"{self.info['base_url']}/.default",
        }
        url = f"{self.info['authority_url']}/{self.info['tenant']}/oauth2/v2.0/token"
        return requests.post(url, data=form | changes, timeout=5)

    def log_in(self, **changes):
        self.session.headers["Authorization"] = f"Bearer {self.ask_for_token(**changes).json()['access_token']}"

    def get(self, path):
        return self.session.get(path if "://" in path else f"{self.info['base_url']}/data/{path}", timeout=10)

    def read(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal)

    def rows(self, path):
        return self.read(path)["value"]

    def pages(self, path):
        pages = []
        while path:
            body = self.read(path)
            pages.append(body["value"])
            path = body.get("@odata.nextLink")
        return pages


@pytest.fixture(scope="module")
def running():
    with serve(["dynamics_fo"], scale=0.05) as sandbox:
        yield Client(sandbox)


@pytest.fixture
def fo(running):
    yield running
    running.environment.switches = Switches()


def test_another_company_is_an_empty_list_unless_all_are_asked_for(fo):
    where = "VendorsV2?$filter=dataAreaId eq 'lark'"
    assert fo.rows(where) == []
    assert {row["dataAreaId"] for row in fo.rows(f"{where}&cross-company=true")} == {"lark"}
    assert {row["dataAreaId"] for row in fo.rows("VendorsV2")} == {"mead"}


def test_sets_that_all_companies_share_are_shown_whole(fo):
    assert {row["LegalEntityId"] for row in fo.rows("Ledgers")} == {"lark", "mead", "tui"}


def test_dates_are_noons_and_none_is_1900_and_no_text_is_empty(fo):
    row = fo.rows(f"{HEADERS}?$top=1")[0]
    assert row["AccountingDate"].endswith("T12:00:00Z")
    assert row["DocumentDate"] == "1900-01-01T12:00:00Z"
    assert row["DocumentNumber"] == ""
    assert None not in row.values()
    stamps = {row["CreatedOn"] for row in fo.rows(HEADERS)}
    assert "1900-01-01T00:00:00Z" in stamps, "of what was posted before stamps were kept"


def test_credits_are_below_zero_and_corrections_stay_on_their_side(fo):
    rows = fo.rows(LINES)
    assert all(
        (row["AccountingCurrencyAmount"] < 0) == (row["IsCredit"] == "Yes")
        for row in rows
        if row["IsCorrection"] == "No"
    )
    stornos = [row for row in rows if row["IsCorrection"] == "Yes"]
    assert stornos
    assert all((row["AccountingCurrencyAmount"] > 0) == (row["IsCredit"] == "Yes") for row in stornos)


@pytest.mark.parametrize(("token", "relative"), [(False, False), (True, False), (False, True), (True, True)])
def test_pages_are_linked_by_skip_or_by_token(fo, token, relative):
    whole = fo.rows("MainAccounts")
    fo.environment.switches = Switches(page_size=50, skip_token=token, relative_links=relative)
    first = fo.read("MainAccounts")
    link = first["@odata.nextLink"]
    assert ("$skiptoken=" in link) is token
    assert ("://" not in link) is relative
    assert [row for page in fo.pages("MainAccounts") for row in page] == whole


def test_no_link_comes_back_for_what_was_asked_for_by_top(fo):
    body = fo.read("MainAccounts?$top=10&$count=true")
    assert (len(body["value"]), body["@odata.count"]) == (10, 176)
    assert "@odata.nextLink" not in body


def test_pages_by_skip_give_a_row_twice_when_one_comes_before_it(fo):
    fo.environment.switches = Switches(page_size=5)
    first = fo.read("FinancialDimensionValues")
    from airflow_provider_mlconnector.sandbox.books.company import DimensionValue

    fo.world.books.add_value(DimensionValue("DEPARTMENT", "AAA", "Comes first"))
    second = fo.read(first["@odata.nextLink"])
    fo.world.books.delete_value("DEPARTMENT", "AAA")
    assert first["value"][-1]["DimensionValue"] == second["value"][0]["DimensionValue"]


def test_enums_are_written_with_their_type(fo):
    rows = fo.rows("MainAccounts?$filter=IsSuspended eq Microsoft.Dynamics.DataEntities.NoYes'Yes'")
    assert {row["MainAccountId"] for row in rows} == {"60800"}


@pytest.mark.parametrize("where", ["MainAccountId in ('1','2')", "contains(Name,'x')", "startswith(Name,'x')"])
def test_lists_and_functions_are_refused_in_filters(fo, where):
    answer = fo.get(f"MainAccounts?$filter={where}")
    assert answer.status_code == 400
    assert "not supported" in answer.json()["error"]["innererror"]["message"]


def test_errors_carry_what_happened_inside(fo):
    answer = fo.get("MainAccounts?$filter=Shoe eq 1")
    error = answer.json()["error"]
    assert (answer.status_code, error["message"]) == (400, "An error has occurred.")
    assert error["innererror"]["message"].startswith("Could not find a property named 'Shoe' on type 'Microsoft.")
    assert answer.headers["ms-dyn-aid"]
    unknown = fo.get("NoSuchSet")
    assert (unknown.status_code, unknown.json()["error"]["message"]) == (
        404,
        "Resource not found for the segment 'NoSuchSet'.",
    )
    assert fo.session.post(f"{fo.info['base_url']}/data/MainAccounts", json={}, timeout=5).status_code == 405


def test_an_application_that_is_not_listed_is_refused_with_a_good_token(fo):
    fo.environment.switches = Switches(app_listed=False)
    answer = fo.get("MainAccounts?$top=1")
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_is_good_for_its_environment_alone(fo):
    fo.log_in(scope="https://larkfield.operations.dynamics.com/.default")
    assert fo.get("MainAccounts?$top=1").status_code == 401
    fo.log_in()
    assert fo.get("MainAccounts?$top=1").status_code == 200
    refused = fo.ask_for_token(scope="https://api.businesscentral.dynamics.com/.default").json()
    assert (refused["error"], refused["error_codes"]) == ("invalid_resource", [500011])


def test_a_posted_line_never_changes_and_a_correction_is_posted_beside_it(fo):
    books = fo.world.books
    line = next(line for line in books.lines("FY2026-P04") if line.department)
    before = fo.rows(LINES)
    books.change_line(line.entry_number, department="ADM" if line.department != "ADM" else "LOG")
    after = fo.rows(LINES)
    assert [row for row in after if row["SourceKey"] in {row["SourceKey"] for row in before}] == before
    new = [row for row in after if row not in before]
    assert sorted(row["AccountingCurrencyAmount"] for row in new) == sorted([line.amount, -line.amount])
    assert sum(row["IsCorrection"] == "Yes" for row in new) == 1
    headers = {row["SourceKey"]: row["CreatedOn"] for row in fo.rows(HEADERS)}
    assert (
        min(headers[row["GeneralJournalEntry"]] for row in new)
        > max(headers[row["GeneralJournalEntry"]] for row in before if row["SourceKey"] < new[0]["SourceKey"])[:10]
    )


def test_a_year_that_was_closed_opens_the_next_one(fo):
    periods = {row["SourceKey"]: row for row in fo.rows("FiscalCalendarPeriodBiEntities")}
    tui = next(row["LedgerRecId"] for row in fo.rows("Ledgers") if row["LegalEntityId"] == "tui")
    headers = {
        row["SourceKey"]: periods[row["FiscalCalendarPeriod"]] for row in fo.rows(HEADERS) if row["Ledger"] == tui
    }
    sums = {"Opening": Decimal(0), "Closing": Decimal(0)}
    for row in fo.rows(LINES):
        kind = headers.get(row["GeneralJournalEntry"], {}).get("Type")
        if row["PostingType"] == "TransferOpeningClosing" and kind in sums:
            sums[kind] += row["AccountingCurrencyAmount"]
    assert sums == {"Opening": 0, "Closing": 0}
    assert {period["Type"] for period in headers.values()} == {"Opening", "Operating", "Closing"}


@pytest.mark.parametrize("delimiter", ["Hyphen", "Bar", "DoublePeriod"])
def test_display_values_follow_the_active_format(fo, delimiter):
    fo.environment.switches = Switches(delimiter=delimiter, dimension_format=("Department", "MainAccount"))
    texts = {row["LedgerAccount"] for row in fo.rows(LINES)}
    wanted = {"Hyphen": r"6\-100", "Bar": "6-100", "DoublePeriod": "6-100"}[delimiter]
    assert any(text.endswith(wanted) for text in texts)
    (active,) = (
        row
        for row in fo.rows("DimensionIntegrationFormats")
        if row["IsActive"] == "Yes" and "Ledger" in row["DimensionFormatType"]
    )
    assert active["FinancialDimensionFormat"] == {"Hyphen": "-", "Bar": "|", "DoublePeriod": ".."}[delimiter].join(
        ("Department", "MainAccount")
    )


@pytest.mark.parametrize("public", [True, False])
def test_the_service_document_and_the_metadata_list_what_is_public(fo, public):
    fo.environment.switches = Switches(journal_sets=public, dropped_fields=("ReasonRef",))
    listed = {one["name"] for one in fo.rows("")}
    told = fo.get("$metadata").text
    assert ({HEADERS, LINES} <= listed) is public
    assert {"MainAccounts", "LkGeneralJournalLines", "LedgerJournalHeaders", "LedgerJournalLines"} <= listed
    assert all((f'<EntitySet Name="{name}"' in told) is (name in listed) for name in (HEADERS, LINES, "VendorsV2"))
    assert '<PropertyRef Name="LkSourceKey"/>' in told
    assert "ReasonRef" not in told
