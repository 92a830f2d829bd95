# SPDX-License-Identifier: Apache-2.0
"""The sandbox's Acumatica, asked with nothing but ``requests``: what is known of the real one, call by call."""

import json
import time
from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.sandbox.acumatica import site_of
from airflow_provider_mlconnector.sandbox.acumatica.seats import seats_of
from airflow_provider_mlconnector.sandbox.acumatica.site import Order, Refusal, Switches
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.running import serve


class Client:
    """A client of one tenant, logged in by cookie unless told otherwise."""

    def __init__(self, sandbox):
        self.sandbox, self.world = sandbox, sandbox.world
        self.site = site_of(sandbox.world)
        self.info = sandbox.info["acumatica"]
        self.root = self.info["base_url"]
        self.session = requests.Session()

    def log_in(self, **changes):
        form = {"name": self.info["login"], "password": self.info["password"], "tenant": self.info["tenant"]} | changes
        return self.session.post(f"{self.root}/entity/auth/login", json=form, timeout=5)

    def log_out(self):
        return self.session.post(f"{self.root}/entity/auth/logout", timeout=5)

    def token(self, **changes):
        form = {
            "grant_type": "password",
            "client_id": self.info["client_id"],
            "client_secret": self.info["client_secret"],
            "username": self.info["login"],
            "password": self.info["password"],
            "scope": "api",
        } | changes
        return requests.post(f"{self.root}/identity/connect/token", data=form, timeout=5)

    def call(self, method, path, **more):
        return self.session.request(method, f"{self.root}/entity/Default/25.200.001/{path}", timeout=10, **more)

    def get(self, path, **params):
        answer = self.call("GET", path, params={f"${name}": str(value) for name, value in params.items()})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)

    def said(self, path, **params):
        """Return status and useful sentence of a refusal."""
        answer = self.call("GET", path, params={f"${name}": str(value) for name, value in params.items()})
        return answer.status_code, answer.json().get("exceptionMessage", answer.json()["message"])


@pytest.fixture(scope="module")
def sandbox():
    with serve(["acumatica"]) as running:
        yield running


@pytest.fixture
def client(sandbox):
    """A client of the site as it was at first; what was posted stays."""
    made = Client(sandbox)
    made.site.switches, made.site.failures = Switches(), 0
    seats_of(made.site).close_all()
    sandbox.world.stats.clear()
    made.log_in()
    yield made
    sandbox.world.clock.unfreeze()


def values(record):
    return {name: field["value"] for name, field in record.items() if isinstance(field, dict) and "value" in field}


# Signing in


def test_the_login_answers_nothing_but_cookies_and_plain_http_may_send_them_back(client):
    answer = client.log_in()
    assert (answer.status_code, answer.content) == (204, b"")
    assert {"ASP.NET_SessionId", ".ASPXAUTH", "Locale", "UserBranch"} <= set(answer.cookies.keys())
    assert not any(cookie.secure for cookie in answer.cookies)


def test_whatever_is_asked_for_without_a_session_is_401_and_with_one_it_may_be_404(client):
    anonymous = requests.Session()
    for path in (
        "entity/Default/25.200.001/Account",
        "entity/Nothing/1/Account",
        "entity/Default/25.200.001/swagger.json",
    ):
        assert anonymous.get(f"{client.root}/{path}", timeout=5).status_code == 401
    for path in ("entity/Nothing/1/Account", "entity/Default/99.200.001/Account", "entity/Default/25.200.001/Nothing"):
        assert client.session.get(f"{client.root}/{path}", timeout=5).status_code == 404
    assert anonymous.get(f"{client.root}/entity", timeout=5).json()["endpoints"][0]["version"] == "20.200.001"


def test_a_wrong_password_is_a_500_and_the_fifth_one_locks_the_user(client):
    for _ in range(5):
        answer = client.log_in(password="wrong")
        assert (answer.status_code, answer.json()["exceptionType"]) == (500, "PX.Data.PXException")
        assert "Invalid credentials" in answer.json()["exceptionMessage"]
    assert "locked out" in client.log_in().json()["exceptionMessage"]


def test_the_license_lets_two_in_and_tells_the_third_in_three_shapes(client):
    client.log_in()
    for shape, type_ in ((Refusal.JSON, "application/json"), (Refusal.TEXT, "text/plain"), (Refusal.HTML, "text/html")):
        client.site.switches.refusal = shape
        answer = requests.post(
            f"{client.root}/entity/auth/login",
            json={"name": client.info["login"], "password": client.info["password"]},
            timeout=5,
        )
        assert answer.status_code == 429
        assert answer.headers["Content-Type"].startswith(type_)


def test_a_logout_frees_the_seat_and_so_do_ten_idle_minutes(client):
    assert client.log_out().status_code == 204
    client.site.switches.seats = 1
    assert client.log_in().status_code == 204
    client.world.clock.advance(599)
    client.get("Account", top=1)
    client.world.clock.advance(601)
    assert client.call("GET", "Account").status_code == 401
    assert client.log_in().status_code == 204


def test_a_token_opens_its_session_at_its_first_use_and_refreshed_ones_go_on_with_it(client):
    client.log_out()
    told = client.token(scope="api offline_access").json()
    assert told["expires_in"] == 3600
    assert client.sandbox.world.stats.count("acumatica", path="Account") == 0
    again = client.token(grant_type="refresh_token", refresh_token=told["refresh_token"]).json()
    for token in (told["access_token"], again["access_token"]):
        client.session.headers["Authorization"] = f"Bearer {token}"
        assert client.call("GET", "Account", params={"$top": "1"}).status_code == 200
    assert client.token(grant_type="refresh_token", refresh_token=told["refresh_token"]).json() == {
        "error": "invalid_grant"
    }


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"password": "wrong"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "G@Nowhere"}, "invalid_client"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"grant_type": "device_code"}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_the_token_endpoint_refuses_in_the_words_of_oauth(client, changes, error):
    answer = client.token(**changes)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_more_than_half_of_the_licenses_requests_are_held_back(client):
    client.world.clock.freeze()
    client.world.clock.advance(60)
    client.site.switches.requests_per_minute = 8
    for _ in range(4):
        client.get("Subaccount", top=1)
    client.world.clock.advance(58)
    begun = time.monotonic()
    client.get("Subaccount", top=1)
    assert time.monotonic() - begun >= 0.5, "two seconds are left of the minute, and four requests"


# Records


def test_scalars_are_wrapped_null_is_an_empty_object_and_details_come_only_when_expanded(client):
    (plain,) = client.get("JournalTransaction", top=1)
    assert plain["Module"].keys() == {"value"}
    assert "Details" not in plain
    (whole,) = client.get("JournalTransaction", top=1, expand="Details")
    assert whole["Details"][0]["ProjectTask"] == {}
    assert list(whole)[:3] == ["id", "rowNumber", "note"]
    names = [name for name in whole if name[0].isupper() and name != "Details"]
    assert names == sorted(names)


def test_a_selection_narrows_records_and_their_details(client):
    (one,) = client.get("JournalTransaction", top=1, expand="Details", select="BatchNbr,Details/Account")
    assert [name for name in one if name[0].isupper()] == ["BatchNbr", "Details"]
    assert [name for name in one["Details"][0] if name[0].isupper()] == ["Account"]


def test_amounts_are_exact_numbers_and_moments_have_an_offset(client):
    (one,) = client.get("JournalTransaction", top=1, expand="Details")
    assert values(one)["LastModifiedDateTime"].endswith("+00:00")
    assert values(one)["TransactionDate"].endswith("T00:00:00+00:00")
    debit = sum(values(line)["DebitAmount"] for line in one["Details"])
    assert debit == sum(values(line)["CreditAmount"] for line in one["Details"])


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("Type eq 'Income'", 5),
        ("Type eq 'Income' and not (AccountCD eq '40100')", 4),
        ("startswith(AccountCD,'401') or endswith(AccountCD,'0900')", 3),
        ("substringof('Bank',Description)", 3),
        ("Active eq false", 1),
        ("LastModifiedDateTime gt datetimeoffset'2025-01-01T00:00:00+00:00' and Type eq 'Income'", 5),
        ("LastModifiedDateTime gt datetimeoffset'2026-12-31'", 0),
        ("Description eq 'Fixings ''Direct'''", 0),
    ],
)
def test_filters_are_those_of_odata_v3(client, text, matches):
    assert len(client.get("Account", filter=text)) == matches


@pytest.mark.parametrize(
    "text",
    [
        "contains(Description,'Bank')",
        "tolower(Description) eq 'bank'",
        "Active eq 'true'",
        "Nothing eq 1",
        "Details/Account eq '1'",
        "LastModifiedDateTime gt datetime'2025-01-01T00:00:00'",
    ],
)
def test_what_the_binder_does_not_take_is_a_500(client, text):
    assert client.said("Account", filter=text)[0] == 500


def test_skip_comes_before_top_and_no_order_is_promised(client):
    client.site.switches.order = Order.KEYS
    every = [values(one)["AccountCD"] for one in client.get("Account")]
    assert [values(one)["AccountCD"] for one in client.get("Account", top=3, skip=2)] == every[2:5]
    assert client.get("Account", skip=1000) == []
    client.site.switches.order = Order.ANY
    orders = {tuple(values(one)["AccountCD"] for one in client.get("Account")) for _ in range(4)}
    assert len(orders) > 1


def test_a_record_is_found_by_keys_in_each_spelling_and_by_id_and_a_missing_one_is_a_500(client):
    (one,) = client.get("JournalTransaction", top=1)
    keys = [values(one)[name] for name in ("Module", "BatchNbr")]
    for path in ("/".join(keys), "|".join(keys), one["id"]):
        assert client.get(f"JournalTransaction/{path}")["id"] == one["id"]
    status, said = client.said("JournalTransaction/GL/NOTHING")
    assert (status, said) == (500, "No entity satisfies the condition.")


def test_a_field_that_cannot_be_optimized_is_named(client):
    client.site.switches.unoptimized = ("Account.Description",)
    status, said = client.said("Account")
    assert status == 500
    assert said.splitlines() == [
        "Optimization cannot be performed.The following fields cause the error:",
        "Description: View Account has BQL delegate",
    ]
    assert client.get("Account", select="AccountCD")


# Inquiries and drafts


def test_the_account_summary_signs_balances_by_type_and_totals_not(client):
    asked = {"Ledger": {"value": "ACTUAL"}, "Period": {"value": "042027"}}
    told = client.call("PUT", "AccountSummaryInquiry", params={"$expand": "Results"}, json=asked).json()
    rows = {values(row)["Account"]: values(row) for row in told["Results"]}
    balances = client.world.books.balances("FY2027-P04", CLOSE)
    assert rows.keys() == balances.keys()
    assert rows["20500"]["BeginningBalance"] == float(-balances["20500"].opening) > 0
    assert rows["10110"]["BeginningBalance"] == float(balances["10110"].opening)
    assert rows["20100"]["DebitTotal"] == float(balances["20100"].debit)
    assert "Results" not in client.call("PUT", "AccountSummaryInquiry", json=asked).json()


def test_the_account_details_show_both_currencies(client):
    client.log_out()
    client.log_in(tenant="Tui")
    asked = {name: {"value": "042026"} for name in ("FromPeriod", "ToPeriod")} | {"Ledger": {"value": "ACTUAL"}}
    told = client.call("PUT", "AccountDetailsForPeriodInquiry", params={"$expand": "Results"}, json=asked).json()
    abroad = [values(row) for row in told["Results"] if values(row)["Currency"] == "JPY"]
    assert {(row["DebitAmount"], row["DebitAmountInBaseCurrency"]) for row in abroad} == {(150000, 1738.96), (0, 0)}


def test_a_journal_is_put_changed_by_line_and_refused_with_errors_in_place(client):
    line = {"Account": {"value": "60310"}, "DebitAmount": {"value": 5}}
    other = {"Account": {"value": "20400"}, "CreditAmount": {"value": 5}}
    expand = {"$expand": "Details"}
    made = client.call("PUT", "JournalTransaction", params=expand, json={"Details": [line, other]}).json()
    keys = {name: made[name] for name in ("Module", "BatchNbr")}
    assert values(made)["Status"] == "On Hold"
    doubled = client.call("PUT", "JournalTransaction", params=expand, json={**keys, "Details": [line, other]}).json()
    assert len(doubled["Details"]) == 4, "rows without an id are inserted"
    gone = [{"id": row["id"], "delete": True} for row in doubled["Details"][2:]]
    body = {**keys, "Hold": {"value": False}, "Details": gone}
    assert values(client.call("PUT", "JournalTransaction", json=body).json())["Status"] == "Balanced"
    wrong = client.call("PUT", "JournalTransaction", json={"Details": [{"Account": {"value": "NONE"}}]})
    assert wrong.status_code == 422
    assert "cannot be found" in wrong.json()["Details"][0]["Account"]["error"]
    assert client.call("PUT", "JournalTransaction", json=keys, headers={"If-None-Match": "*"}).status_code == 412
    assert client.call("PUT", "JournalTransaction", json={}, headers={"If-Match": "*"}).status_code == 412
    assert client.call("PUT", "JournalTransaction").status_code == 400


def test_a_generic_inquiry_is_shown_where_it_is_exposed(client):
    root = f"{client.root}/t/{client.info['tenant']}/api/odata/gi"
    who = (client.info["login"], client.info["password"])
    assert requests.get(f"{root}/$metadata", auth=who, timeout=5).headers["Content-Type"].startswith("application/xml")
    assert requests.get(f"{root}/GL-Trial Balance", auth=who, timeout=5).json()["value"][0].keys() >= {"Account"}
    assert requests.get(f"{root}/GL-Secret", auth=who, timeout=5).status_code == 403
    assert requests.get(f"{root}/GL-Trial Balance", timeout=5).status_code == 401


def test_a_years_closing_has_no_journal_but_the_next_year_opens_with_it(client):
    before = len(client.get("JournalTransaction", filter="PostPeriod eq '122026'"))
    client.world.books.close_year(2026)
    assert len(client.get("JournalTransaction", filter="PostPeriod eq '122026'")) == before
    asked = {"Ledger": {"value": "ACTUAL"}, "Period": {"value": "012027"}}
    told = client.call("PUT", "AccountSummaryInquiry", params={"$expand": "Results"}, json=asked).json()
    opening = {values(row)["Account"]: values(row)["BeginningBalance"] for row in told["Results"]}
    assert opening["40100"] == 0
    assert opening["30200"] > 0
