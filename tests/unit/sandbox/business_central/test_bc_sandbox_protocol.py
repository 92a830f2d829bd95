# SPDX-License-Identifier: Apache-2.0
"""Paging, filters, errors, limits and switches, as a client meets them."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import requests

from airflow_provider_mlconnector.sandbox.business_central import control
from airflow_provider_mlconnector.sandbox.business_central.tenant import CompanyState

OCTOBER = "postingDate ge 2026-10-01 and postingDate le 2026-10-31"


def error(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_pages_link_to_the_next_until_the_end(reader):
    pages = reader.pages(f"generalLedgerEntries?$filter={OCTOBER}", size=100)
    assert [len(page) for page in pages] == [100, 100, 100, 18]
    numbers = [row["entryNumber"] for page in pages for row in page]
    assert numbers == [line.entry_number for line in reader.books.lines("FY2027-P04")]


def test_a_link_is_absolute_and_repeats_the_query(reader):
    body = reader.read(
        f"generalLedgerEntries?$filter={OCTOBER}&$expand=dimensionSetLines", Prefer="odata.maxpagesize=5"
    )
    link = body["@odata.nextLink"]
    assert link.startswith(f"{reader.company}/generalLedgerEntries?$filter=postingDate%20ge%202026-10-01")
    assert re.search(r"&\$expand=dimensionSetLines&aid=FIN&\$skiptoken=\w+$", link)


def test_the_page_size_has_to_be_sent_again(reader):
    link = reader.read(f"generalLedgerEntries?$filter={OCTOBER}", Prefer="odata.maxpagesize=5")["@odata.nextLink"]
    assert len(reader.rows(link)) == 313


def test_without_a_page_size_the_servers_own_applies(bc):
    bc.tenant.switches.page_size = 200
    body = bc.read(f"generalLedgerEntries?$filter={OCTOBER}&$top=250")
    assert len(body["value"]) == 200
    assert "&$top=50&aid=FIN&$skiptoken=" in body["@odata.nextLink"]
    last = bc.read(body["@odata.nextLink"])
    assert len(last["value"]) == 50
    assert "@odata.nextLink" not in last


def test_a_page_size_beyond_the_limit_is_refused(reader):
    assert reader.get("accounts", Prefer="odata.maxpagesize=20000").status_code == 200
    assert reader.get("accounts", Prefer="odata.maxpagesize=20001").status_code == 413


@pytest.mark.parametrize(
    "order", ["lastModifiedDateTime", "postingDate desc,entryNumber", "accountNumber", "creditAmount desc"]
)
def test_ordered_pages_hold_every_row_once(reader, order):
    pages = reader.pages(f"generalLedgerEntries?$filter={OCTOBER}&$orderby={order}", size=37)
    rows = [row for page in pages for row in page]
    field = re.split("[ ,]", order)[0]
    values = [row[field] for row in rows]
    assert values == sorted(values, reverse="desc" in order)
    assert len({row["id"] for row in rows}) == len(rows) == 318


def test_counts_are_told_with_the_rows_and_alone(reader):
    assert reader.read(f"generalLedgerEntries?$filter={OCTOBER}&$count=true&$top=1")["@odata.count"] == 318
    alone = reader.get(f"generalLedgerEntries/$count?$filter={OCTOBER}")
    assert alone.text == "318"
    assert alone.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("$filter=number eq '10110' or number eq '10130'", ["10110", "10130"]),
        ("$filter=startswith(number,'1011')", ["10110"]),
        ("$filter=contains(displayName,'Petty') and accountType eq 'Posting'", ["10130"]),
        ("$filter=number in ('10110','10120')&$schemaversion=2.1", ["10110", "10120"]),
        ("$filter=blocked eq true", ["60800"]),
        ("$filter=number gt '7' and number lt '8'&$orderby=number desc", ["79999", "70200", "70100"]),
        ("$filter=netChange gt 2000000 and accountType eq 'Posting'&$select=number", ["10110"]),
    ],
)
def test_filters_of_small_tables(reader, query, numbers):
    assert [row["number"] for row in reader.rows(f"accounts?{query}")] == numbers


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("accounts?$filter=foo eq 1", 400, "BadRequest_InvalidRequestUrl"),
        ("accounts?$select=foo", 400, "BadRequest_InvalidRequestUrl"),
        ("accounts?$orderby=foo", 400, "BadRequest_InvalidRequestUrl"),
        ("accounts?$expand=foo", 400, "BadRequest_InvalidRequestUrl"),
        ("accounts?$filter=number eq", 400, "BadRequest_InvalidRequestUrl"),
        ("accounts?$filter=number eq '1' or displayName eq 'x'", 400, "Application_FilterErrorException"),
        ("accounts?$filter=number in ('1')", 400, "BadRequest_MethodNotImplemented"),
        ("accounts?$skiptoken=x", 400, "BadRequest_InvalidRequestUrl"),
        ("foo", 404, "BadRequest_NotFound"),
        ("dimensions(00000000-0000-0000-0000-000000000001)", 404, "Internal_RecordNotFound"),
    ],
)
def test_mistakes_are_told_with_a_correlation_id(reader, query, status, code):
    answer = reader.get(query)
    assert error(answer) == (status, code)
    assert re.search(r"  CorrelationId:  [0-9a-f-]{36}\.$", answer.json()["error"]["message"])


def test_an_unknown_property_is_named_with_its_type(reader):
    message = reader.get("accounts?$select=foo").json()["error"]["message"]
    assert message.startswith("Could not find a property named 'foo' on type 'Microsoft.NAV.account'.")


def test_nothing_can_be_written(reader):
    assert error(reader.session.post(f"{reader.company}/accounts", json={}, timeout=5)) == (
        405,
        "BadRequest_MethodNotAllowed",
    )


def test_names_of_tenant_environment_and_company_are_checked(reader):
    by_name = f"{reader.root}/accounts?company=Larkfield Ltd&$top=1"
    assert len(reader.rows(by_name)) == 1
    assert reader.get(f"{reader.root}/accounts").status_code == 400
    assert reader.get(reader.root.replace("Production", "Sandbox") + "/companies").status_code == 404
    assert reader.get(reader.root.replace(reader.info["tenant"], "elsewhere") + "/companies").status_code == 404
    assert reader.get(reader.root.replace(f"{reader.info['tenant']}/", "") + "/companies").status_code == 200
    gone = reader.get(f"{reader.root}/companies(00000000-0000-0000-0000-000000000001)/accounts")
    assert error(gone) == (404, "Internal_CompanyNotFound")


def test_environments_are_listed(reader):
    body = reader.read(f"{reader.info['base_url']}/environments/v1.2")
    assert [environment["name"] for environment in body["value"]] == ["Production"]


def test_a_company_may_be_gone_or_out_of_reach(bc):
    bc.tenant.switches.company = CompanyState.GONE
    assert "Larkfield Ltd" not in [row["name"] for row in bc.rows(f"{bc.root}/companies")]
    assert error(bc.get("accounts")) == (404, "Internal_CompanyNotFound")
    bc.tenant.switches.company = CompanyState.FORBIDDEN
    assert "Larkfield Ltd" in [row["name"] for row in bc.rows(f"{bc.root}/companies")]
    assert error(bc.get("accounts")) == (403, "Authorization_RequestDenied")


def test_a_disabled_application_is_refused(bc):
    bc.tenant.switches.app_enabled = False
    assert error(bc.get("accounts")) == (401, "Authentication_InvalidCredentials")


def test_a_read_replica_may_be_asked_for(reader):
    assert len(reader.rows("accounts?$top=1", Data_Access_Intent="ReadOnly")) == 1


def test_requests_beyond_the_limit_are_refused_without_a_word_on_when_to_come_back(bc, monkeypatch):
    monkeypatch.setattr("airflow_provider_mlconnector.sandbox.business_central.tenant.MOST_REQUESTS", 3)
    bc.world.clock.freeze()
    answers = [bc.get("accounts?$top=1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["error"]["code"] == "Application_TooManyRequests"
    assert "Retry-After" not in answers[3].headers
    bc.world.clock.advance(301)
    assert bc.get("accounts?$top=1").status_code == 200


@pytest.mark.parametrize(
    ("preset", "status", "retry_after"),
    [
        ("throttled", 429, None),
        ("unavailable", 503, "1"),
        ("gateway_timeout", 504, None),
        ("try_again_later", 400, None),
    ],
)
def test_ready_made_faults_look_like_the_real_ones(bc, preset, status, retry_after):
    requests.post(f"{bc.sandbox.url}/_sandbox/business_central/faults/{preset}", timeout=5)
    answer = bc.get("accounts?$top=1")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert bc.get("accounts?$top=1").status_code == 200


def test_a_fault_may_strike_one_page_alone(bc):
    bc.world.faults.add(replace(control.PRESETS["unavailable"], path=r"skiptoken", skip=1))
    link = f"generalLedgerEntries?$filter={OCTOBER}"
    statuses = []
    while link:
        answer = bc.get(link, Prefer="odata.maxpagesize=100")
        statuses.append(answer.status_code)
        link = answer.json().get("@odata.nextLink")
    assert statuses == [200, 200, 503]


def test_switches_are_set_over_http(bc):
    switches = f"{bc.sandbox.url}/_sandbox/business_central/switches"
    assert requests.patch(switches, json={"company": "gone", "page_size": 7}, timeout=5).json()["page_size"] == 7
    assert bc.tenant.switches.company is CompanyState.GONE
    assert requests.patch(switches, json={"company": "lost"}, timeout=5).status_code == 422
    assert requests.patch(switches, json={"colour": "red"}, timeout=5).status_code == 422
    assert requests.get(switches, timeout=5).json()["company"] == "gone"


def test_requests_are_counted_by_path(bc):
    bc.get("accounts?$top=1")
    path = urlsplit(bc.company).path.replace(bc.info["tenant"], "{id}").replace(bc.info["company_id"], "{id}")
    assert bc.world.stats.summary()["business_central"]["by_path"][f"GET {path}/accounts"] == 1


def test_the_date_header_is_the_virtual_time(bc):
    bc.world.clock.advance(86400 * 3650)
    bc.log_in()
    assert str(bc.world.clock.now().year) in bc.get("accounts?$top=1").headers["Date"]


def test_an_update_of_the_server_may_change_its_columns(bc):
    bc.tenant.switches.dropped_fields = ("description",)
    bc.tenant.switches.added_fields = ("shoeSize",)
    bc.tenant.switches.text_fields = ("debitAmount",)
    row = bc.rows("generalLedgerEntries?$top=1&$expand=dimensionSetLines")[0]
    assert "description" not in row
    assert (row["shoeSize"], row["debitAmount"], row["creditAmount"]) == ("new", "420000", 0)
    assert error(bc.get("generalLedgerEntries?$select=description")) == (400, "BadRequest_InvalidRequestUrl")
    assert list(bc.rows("accounts?$select=number,shoeSize&$top=1")[0]) == ["@odata.etag", "number", "shoeSize"]
