# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.business_central.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection, FinanceApi
from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral
from airflow_provider_mlconnector.systems.http.entra import ClientSecret
from airflow_provider_mlconnector.systems.port import Erp, PeriodStatus, Scope
from tests.unit.systems.business_central.fake_company import (
    CALENDAR,
    COMPANY,
    OCTOBER,
    OTHER,
    client_of,
    company,
    line,
    rows_of,
)
from tests.unit.systems.business_central.test_bc_balances import trial
from tests.unit.systems.business_central.test_bc_masters import accounting_period
from tests.unit.systems.http.scripted_server import FakeClock, Reply, as_json, serving

OF_OCTOBER = Scope(period=OCTOBER)


def error(status: int, code: str, message: str, **headers: str) -> Reply:
    said = {"error": {"code": code, "message": f"{message}  CorrelationId:  {OTHER}."}}
    return as_json(said, status=status, **headers)


def as_erp(client: BusinessCentral) -> Erp:
    """Hold the client against the port; mypy says whether it fits."""
    return client


def test_ping_names_environment_tenant_and_company():
    with company(source=FinanceApi.AUTO) as (fake, client):
        fake.sets["finance:generalLedgerEntries"] = []
        health = as_erp(client).ping()
        assert len(fake.requests) == 2
    assert health.sentence == (
        "Logged in to environment Production of tenant t1; company Larkfield Ltd found; the finance API answers."
    )
    assert abs((datetime.now(UTC) - health.server_time).total_seconds()) < 60


def test_ping_asks_for_no_finance_api_that_the_connection_does_not_want():
    with company(source=FinanceApi.V2) as (fake, client):
        assert client.ping().sentence.endswith("company Larkfield Ltd found; lines come from API v2.0.")
        assert len(fake.requests) == 1


@pytest.mark.parametrize("name", ["LARKFIELD", "Larkfield Ltd"])
def test_a_company_is_found_by_name_and_display_name_once(name):
    with company(company=name) as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1)]
        rows_of(client, Dataset.JOURNAL_LINES, OF_OCTOBER)
        rows_of(client, Dataset.JOURNAL_LINES, OF_OCTOBER)
        assert len(fake.sent("companies")) == 1
        assert f"companies({COMPANY})" in fake.requests[-1].path


@pytest.mark.parametrize("wanted", ["LARKFELD", "aaaaaaaa-0000-0000-0000-00000000dead"])
def test_an_unknown_company_is_refused_with_those_there_are(wanted):
    with company(company=wanted) as (_, client), pytest.raises(UnknownNameError) as refused:
        client.ping()
    assert refused.value.candidates == ("LARKFIELD", "OTHER")
    assert f"called '{wanted}'" in str(refused.value)


def test_two_companies_of_one_name_are_told_apart_by_id():
    with company(company="Larkfield Ltd") as (fake, client):
        fake.companies[1]["displayName"] = "Larkfield Ltd"
        with pytest.raises(UnknownNameError, match="More than one company"):
            client.ping()


def test_a_closed_company_is_not_found_and_the_hint_says_what_to_do():
    with company() as (fake, client):
        fake.replies["generalLedgerEntries"] = [error(404, "Internal_CompanyNotFound", "Cannot find the company.")]
        with pytest.raises(NotFoundError, match="check it in the connection") as refused:
            rows_of(client, Dataset.JOURNAL_LINES, OF_OCTOBER)
    assert refused.value.request_id == OTHER
    assert refused.value.remote_code == "Internal_CompanyNotFound"
    assert "CorrelationId" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [(401, AuthenticationError, "Microsoft Entra Applications"), (403, PermissionDeniedError, "permission sets")],
)
def test_what_the_user_may_not_do_says_what_to_do(status, kind, hint):
    with company() as (fake, client):
        fake.replies["generalLedgerEntries"] = [error(status, "Authentication_InvalidCredentials", "No.")] * 2
        with pytest.raises(kind, match=hint):
            rows_of(client, Dataset.JOURNAL_LINES, OF_OCTOBER)


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (error(429, "Application_TooManyRequests", "Too many requests reached. Actual (6001)."), 10.0),
        (error(503, "Internal_TenantUnavailable", "Busy.", **{"Retry-After": "30"}), 30.0),
        (error(504, "Internal_ServerError", "Gateway."), 0.0),
        (error(400, "Application_DialogException", "The table is locked. Please try again later."), 0.0),
        (Reply(silent=True), 0.0),
    ],
    ids=["429 without Retry-After", "503 with Retry-After", "504", "400 try again later", "connection lost"],
)
def test_a_server_in_trouble_is_asked_again(reply, wait):
    clock = FakeClock()
    with company() as (fake, _):
        client = client_of(fake.url, clock=clock)
        fake.sets["generalLedgerEntries"] = [line(1, 1)]
        fake.replies["generalLedgerEntries"] = [reply]
        rows, reading = rows_of(client, Dataset.JOURNAL_LINES, OF_OCTOBER)
    assert len(rows) == 1
    assert reading.requests == 2
    assert clock.waits[0] >= wait


def test_totals_are_asked_of_the_server():
    with company() as (fake, client):
        fake.texts["generalLedgerEntries/$count"] = "\ufeff1234\n"
        fake.sets["trialBalances"] = [
            trial("61100", "1,500.50", "250.25", "9", ""),
            trial("1", "1", "", "1", "", "Total"),
        ]
        totals = client.period_totals(OCTOBER)
        (count,) = fake.sent("generalLedgerEntries/$count")
    assert totals.count == 1234
    assert totals.by_account == {"61100": Decimal("1250.25")}
    assert count.query["$filter"] == ["postingDate ge 2026-10-01 and postingDate le 2026-10-31"]
    assert totals.source == "count of generalLedgerEntries; movements of trialBalances"


@pytest.mark.parametrize("status", [404, 501])
def test_totals_that_the_server_does_not_answer_are_none_and_never_zero(status):
    with company() as (fake, client):
        fake.replies["generalLedgerEntries/$count"] = [Reply(status)]
        fake.replies["trialBalances"] = [Reply(status)]
        totals = client.period_totals(OCTOBER)
    assert (totals.count, totals.by_account) == (None, None)


def test_totals_that_fail_are_an_error():
    with company() as (fake, client):
        fake.replies["generalLedgerEntries/$count"] = [Reply(500)] * 6
        with pytest.raises(RemoteError):
            client.period_totals(OCTOBER)


def setup(first: str = "0001-01-01", last: str = "0001-01-01"):
    return [{"allowPostingFrom": first, "allowPostingTo": last}]


@pytest.mark.parametrize(
    ("closed", "window", "status"),
    [
        (False, setup(), PeriodStatus.OPEN),
        (True, setup(), PeriodStatus.CLOSED),
        (False, setup("2026-11-01"), PeriodStatus.CLOSED),
        (False, setup("2026-10-31"), PeriodStatus.OPEN),
        (False, setup(last="2026-09-30"), PeriodStatus.CLOSED),
        (False, setup(last="2026-10-01"), PeriodStatus.OPEN),
    ],
)
def test_a_period_is_open_within_the_posting_window_until_it_is_closed(closed, window, status):
    with company() as (fake, client):
        fake.sets["accountingPeriods"] = [
            accounting_period("2026-10-01", closed=closed),
            accounting_period("2026-09-01", closed=True),
            accounting_period("2026-11-01"),
        ]
        fake.sets["generalLedgerSetup"] = window
        assert client.period_status(OCTOBER) is status


def test_a_period_that_the_server_tells_nothing_of_is_unknown():
    with company() as (fake, client):
        assert client.period_status(OCTOBER) is PeriodStatus.UNKNOWN
        fake.sets["accountingPeriods"] = [accounting_period("2026-10-01")]
        fake.sets["generalLedgerSetup"] = setup()
        assert client.period_status(Period(1, 1, date(1999, 1, 1), date(1999, 1, 31))) is PeriodStatus.UNKNOWN


def test_credentials_are_not_sent_without_tls():
    connection = BusinessCentralConnection(
        tenant="t", environment="e", company="c", credential=ClientSecret("i", "s"), base_url="http://erp.example"
    )
    with pytest.raises(ConfigurationError, match="not an https address"):
        BusinessCentral(connection, CALENDAR.period_of)


@pytest.mark.parametrize("ending", ["", "/", "/v2.0", "/v2.0/"])
def test_an_address_of_its_own_leads_to_the_apis(ending):
    with company() as (fake, _):
        fake.sets["generalLedgerEntries"] = [line(1, 1)]
        client = client_of("https://unused.example", api_url=f"{fake.url}/some/api{ending}")
        rows_of(client, Dataset.JOURNAL_LINES, OF_OCTOBER)
        assert fake.requests[-1].path == f"/some/api/v2.0/companies({COMPANY})/generalLedgerEntries"


def test_a_login_is_renewed_once_when_the_service_refuses_its_token():
    logins = []

    def script(request):
        if request.path.endswith("openid-configuration"):
            base = f"{server.url}/entra/t1/oauth2/v2.0"
            return as_json({"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"})
        if request.path.endswith("/token"):
            logins.append(request)
            return as_json({"token_type": "Bearer", "expires_in": 3599, "access_token": f"t{len(logins)}"})
        if request.headers["authorization"] != "Bearer t2":
            return error(401, "Authentication_InvalidCredentials", "The server has rejected the client credentials.")
        return as_json({"value": [{"id": COMPANY, "name": "LARKFIELD", "displayName": "Larkfield Ltd"}]})

    with serving(script) as server:
        client = client_of(
            server.url, authority_url=f"{server.url}/entra", credential=ClientSecret("client", "renewal-secret")
        )
        assert client.ping().ok
    assert len(logins) == 2


def test_what_a_dag_file_asks_about_business_central_imports_nothing_heavy():
    heavy = ("pandas", "pyarrow", "requests", "msal", "numpy", "msgspec")
    code = (
        "import sys, airflow_provider_mlconnector.systems.business_central.capabilities;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_dataset_that_is_promised_can_be_read():
    with company() as (_, client):
        for dataset in CAPABILITIES.datasets:
            assert client.read(dataset, Scope()) is not None
