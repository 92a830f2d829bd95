# SPDX-License-Identifier: Apache-2.0
"""The sandbox's SYSPRO as a client meets it that nobody here wrote: plain requests, and the documents' own words."""

from __future__ import annotations

import base64
import json
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
import requests

from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.sandbox.syspro import site_of
from airflow_provider_mlconnector.sandbox.syspro.site import Switches, TimeStamps

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
PERIOD = "Company eq 'L' and GlYear eq 2027 and GlPeriod eq 4"


class Client:
    def __init__(self, sandbox):
        self.info = sandbox.info["syspro"]
        self.world = sandbox.world
        self.site = site_of(sandbox.world)
        self.session = requests.Session()
        self.session.auth = (self.info["login"], self.info["password"])

    def get(self, path, **params):
        return self.session.get(f"{self.info['odata_url']}/SysproCompanyL/{path}", params=params, timeout=10)

    def rows(self, path, **params):
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal)["value"]

    def enet(self, call, **params):
        return requests.get(f"{self.info['enet_url']}/{call}", params=params, timeout=10)

    def log_on(self, **changes):
        told = {
            "Operator": self.info["login"],
            "OperatorPassword": self.info["password"],
            "CompanyId": "L",
            "CompanyPassword": self.info["company_password"],
        }
        return self.enet("Logon", **told | changes)


@pytest.fixture(scope="module")
def running():
    with serve(["syspro"], scale=0.2) as sandbox:
        yield Client(sandbox)


@pytest.fixture
def syspro(running):
    yield running
    running.site.switches = Switches()
    running.site.sessions.clear()


def said(answer):
    return answer.json()["error"]["message"]


def test_only_basic_is_taken_and_a_browser_is_told_so(syspro):
    url = f"{syspro.info['odata_url']}/$metadata"
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="SYSPRO"')
    assert requests.get(url, headers={"Authorization": "Bearer x"}, timeout=10).status_code == 401
    assert requests.get(url, auth=(syspro.info["login"], "x"), timeout=10).status_code == 401


def test_rows_are_odata_json_with_padded_codes_exact_numbers_and_local_times(syspro):
    answer = syspro.get("GenJournalDetail", **{"$filter": PERIOD, "$top": "1"})
    assert answer.headers["OData-Version"] == "4.0"
    assert answer.json()["@odata.context"].endswith("/$metadata#GenJournalDetail")
    row = syspro.rows("GenJournalDetail", **{"$filter": PERIOD, "$top": "1"})[0]
    assert (row["Company"], len(row["GlCode"])) == ("L   ", 35)
    assert isinstance(row["EntryValue"], Decimal)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", row["EntryDate"])
    assert len(base64.b64decode(row["TimeStamp"])) == 8


def test_a_request_gets_5000_rows_at_most_and_no_link(syspro):
    syspro.site.switches.page_size = 10
    body = syspro.get("GenJournalDetail", **{"$top": "5000"}).json()
    assert len(body["value"]) == 10
    assert "@odata.nextLink" not in body
    syspro.site.switches.next_links = True
    link = syspro.get("GenJournalDetail", **{"$filter": PERIOD}).json()["@odata.nextLink"]
    assert len(syspro.session.get(link, timeout=10).json()["value"]) == 10


def test_pages_by_skip_in_order_of_the_key_hold_each_row_once(syspro):
    key = "Company,GlYear,GlPeriod,Journal,EntryNumber"
    pages = [
        syspro.rows("GenJournalDetail", **{"$filter": PERIOD, "$orderby": key, "$top": "30", "$skip": str(skip)})
        for skip in range(0, 300, 30)
    ]
    keys = [(row["Journal"], row["EntryNumber"]) for page in pages for row in page]
    assert keys == sorted(set(keys))
    assert len(keys) == syspro.world.books.count("FY2027-P04")


def test_blanks_at_the_end_of_a_text_make_no_difference_to_a_filter(syspro):
    told = [
        syspro.rows("ApSupplier", **{"$filter": f"Supplier eq '{code}'"})[0]["SupplierName"]
        for code in ("V00010", "V00010         ")
    ]
    assert told == ["Alder Timber Merchants"] * 2
    assert syspro.rows("ApSupplier", **{"$filter": "Supplier gt 'V00080   '"})[0]["Supplier"].strip() == "V00090"


def test_no_table_has_a_posting_date_and_an_unknown_column_is_400(syspro):
    answer = syspro.get("ApInvoice", **{"$filter": "PostDate ge 2026-11-01T00:00:00Z"})
    assert answer.status_code == 400
    assert said(answer) == "Could not find a property named 'PostDate' on type 'SYSPRO.ApInvoice'."


def test_metadata_tells_keys_types_and_what_cannot_be_filtered(syspro):
    root = ElementTree.fromstring(syspro.get("$metadata").content)
    types = {one.get("Name"): one for one in root.iter(f"{EDM}EntityType")}
    keys = [ref.get("Name") for ref in types["ArInvoice"].iter(f"{EDM}PropertyRef")]
    assert keys == ["Customer", "Invoice", "DocumentType"]
    kinds = {one.get("Name"): one.get("Type") for one in types["GenHistory"].iter(f"{EDM}Property")}
    assert (kinds["ClosingBalPer15"], kinds["TimeStamp"]) == ("Edm.Decimal", "Edm.Binary")
    assert not list(root.iter(f"{EDM}PropertyPath"))
    syspro.site.switches.time_stamps = TimeStamps.SHOWN
    shown = ElementTree.fromstring(syspro.get("$metadata").content)
    assert {path.text for path in shown.iter(f"{EDM}PropertyPath")} == {"TimeStamp"}
    assert syspro.get("ApInvoice", **{"$filter": "TimeStamp gt binary'AAAAAAAAAAE='"}).status_code == 400
    syspro.site.switches.time_stamps = TimeStamps.HIDDEN
    assert "TimeStamp" not in syspro.get("$metadata").text


def test_balances_are_cumulative_with_negative_credits_and_have_pseudo_codes(syspro):
    where = "Company eq 'L' and GlYear eq 2026 and GlCode eq '40100.SALES'"
    (row,) = syspro.rows("GenHistory", **{"$filter": where})
    closings = [row[f"ClosingBalPer{number}"] for number in range(1, 16)]
    assert closings == sorted(closings, reverse=True)
    assert closings[0] < 0
    assert len(set(closings[11:])) == 1
    assert syspro.rows("GenHistory", **{"$filter": "GlCode eq 'RETAINED'"})


def test_postings_of_an_invoice_are_found_by_journal_and_entry(syspro):
    (summary,) = syspro.rows("ApJnlSummary", **{"$top": "1"})
    at = " and ".join(f"{name} eq {summary[name]}" for name in ("TrnYear", "TrnMonth", "Journal", "EntryNumber"))
    parts = syspro.rows("ApJnlDistrib", **{"$filter": at})
    assert sum(part["DistrValue"] for part in parts) == summary["InvoiceValue"]


def test_it_is_read_only_and_counts_only_where_it_is_told_to(syspro):
    url = f"{syspro.info['odata_url']}/SysproCompanyL/ApSupplier"
    assert syspro.session.post(url, json={}, timeout=10).status_code == 405
    assert syspro.get("ApSupplier/$count").status_code == 501
    syspro.site.switches.counts = True
    assert syspro.get("ApSupplier/$count").text == "9"
    assert syspro.get("ApSupplier", **{"$count": "true", "$top": "1"}).json()["@odata.count"] == 9
    assert syspro.get("Nothing").status_code == 404


def test_a_session_is_34_digits_and_two_blanks_as_octets(syspro):
    answer = syspro.log_on()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    assert re.fullmatch(r"[0-9A-F]{34}  ", answer.text)
    assert syspro.enet("Logoff", UserId=answer.text.strip()).text.startswith("ERROR")
    assert syspro.enet("Logoff", UserId=answer.text).text == "0"
    assert syspro.enet("Logoff", UserId=answer.text).text.startswith("ERROR: Unable to read the SYSPRO base directory")


def test_refusals_are_200_too(syspro):
    answers = [syspro.log_on(OperatorPassword="x"), syspro.log_on(CompanyId="Q"), syspro.log_on(CompanyPassword="")]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.text for answer in answers] == [
        "ERROR: Invalid operator password",
        "ERROR: Company not found",
        "ERROR: Invalid company password",
    ]


def test_seats_run_out_until_a_session_idles(syspro):
    assert not any(syspro.log_on().text.startswith("ERROR") for _ in range(3))
    assert syspro.log_on().text == "ERROR: Maximum number of concurrent e.net users reached"
    syspro.world.clock.advance(1801)
    assert not syspro.log_on().text.startswith("ERROR")
    assert len(syspro.site.sessions) == 3


def test_only_get_is_served_and_no_line_longer_than_16_kilobytes(syspro):
    assert requests.post(f"{syspro.info['enet_url']}/Logon", timeout=10).status_code == 405
    assert syspro.enet("Logon", Operator="x" * 17_000).status_code == 400
    assert syspro.enet("Utilities/Logon", Operator="x").text == "ERROR: Operator 'x' not found"
    assert syspro.enet("GetVersion").content == b"8.0.0.13"


def test_controls_change_and_restore_switches_and_refuse_unknown_ones(syspro):
    root = syspro.info["base_url"] + "/_sandbox/syspro"
    assert requests.patch(f"{root}/switches", json={"page_size": 3}, timeout=10).json()["page_size"] == 3
    assert requests.patch(f"{root}/switches", json={"pages": 3}, timeout=10).status_code == 422
    assert requests.patch(f"{root}/switches", json={"page_size": "x"}, timeout=10).status_code == 422
    assert requests.delete(f"{root}/switches", timeout=10).json()["page_size"] == 5000
