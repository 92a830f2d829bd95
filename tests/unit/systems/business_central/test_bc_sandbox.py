# SPDX-License-Identifier: Apache-2.0
"""The client against the sandbox: both APIs, whole and by changes, compared with the sandbox's own books."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.demo.sandbox import sandbox_process
from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.business_central.connection import (
    BalanceSource,
    BusinessCentralConnection,
    FinanceApi,
)
from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral
from airflow_provider_mlconnector.systems.http.entra import ClientCertificate, ClientSecret
from airflow_provider_mlconnector.systems.port import FindingKind, PeriodStatus, Scope
from tests.sandbox_control import SandboxControl
from tests.unit.systems.business_central.fake_company import CALENDAR, rows_of
from tests.unit.systems.http.scripted_server import quick

KEY = "FY2027-P04"
PERIOD = CALENDAR.period(KEY)
SCOPE = Scope(period=PERIOD, dimensions=("DEPARTMENT", "PROJECT"))
BOTH = pytest.mark.parametrize("source", [FinanceApi.REPORTS_FINANCE, FinanceApi.V2])


@pytest.fixture(scope="module")
def sandbox():
    with sandbox_process(["business_central"]) as info:
        yield SandboxControl(info)


@pytest.fixture(autouse=True)
def _as_it_was(sandbox):
    yield
    sandbox.clear_faults()
    switches(sandbox, company="open", app_enabled=True, secret_expired=False)
    switches(sandbox, reports_finance=True, query_links=True, most_page_size=20_000)


def switches(sandbox, **wanted) -> None:
    sandbox.call("PATCH", "/business_central/switches", wanted)


def client_of(sandbox, **options) -> BusinessCentral:
    told = sandbox.info["business_central"]
    plain = {
        "tenant": told["tenant"],
        "environment": told["environment"],
        "company": told["company"],
        "credential": ClientSecret(told["client_id"], told["client_secret"]),
        "base_url": told["base_url"],
        "authority_url": told["authority_url"],
    }
    connection = BusinessCentralConnection(**(plain | options))
    return BusinessCentral(connection, CALENDAR.period_of, quick())


def by_cell(rows):
    sums = defaultdict(Decimal)
    for row in rows:
        sums[row["account"], row["dimension.DEPARTMENT"]] += row["amount"]
    return {cell: amount for cell, amount in sums.items() if amount}


def by_cell_in_the_books(sandbox):
    told = sandbox.call("GET", "/books/trial-balance-by-department", period=KEY)
    amounts = {(cell["account"], cell["department"]): Decimal(cell["amount"]) for cell in told}
    return {cell: amount for cell, amount in amounts.items() if amount}


@BOTH
@pytest.mark.parametrize("page_size", [20_000, 37])
def test_the_lines_of_a_period_are_those_of_the_books(sandbox, source, page_size):
    client = client_of(sandbox, source=source, page_size=page_size)
    rows, reading = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
    assert by_cell(rows) == by_cell_in_the_books(sandbox)
    assert {row["period"] for row in rows} == {KEY}
    assert reading.findings == []
    totals = client.period_totals(PERIOD)
    assert totals.count == len(rows) == len({row["record_id"] for row in rows})
    assert sum(totals.by_account.values()) == 0


def test_both_apis_tell_the_same_of_every_line(sandbox):
    same = ("record_id", "entry_number", "document", "debit", "credit", "dimension.DEPARTMENT", "dimension.PROJECT")

    def told(source):
        rows, _ = rows_of(client_of(sandbox, source=source), Dataset.JOURNAL_LINES, SCOPE)
        return sorted(tuple(row[name] for name in same) for row in rows)

    assert told(FinanceApi.V2) == told(FinanceApi.REPORTS_FINANCE)


def test_queries_without_links_are_read_to_the_end_all_the_same(sandbox):
    switches(sandbox, query_links=False)
    client = client_of(sandbox, source=FinanceApi.REPORTS_FINANCE, page_size=50)
    rows, _ = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
    assert by_cell(rows) == by_cell_in_the_books(sandbox)


def test_a_server_that_takes_smaller_pages_only_gets_them(sandbox):
    switches(sandbox, most_page_size=300)
    rows, _ = rows_of(client_of(sandbox, source=FinanceApi.V2), Dataset.JOURNAL_LINES, SCOPE)
    assert by_cell(rows) == by_cell_in_the_books(sandbox)


def test_ping_is_not_well_where_the_finance_api_is_asked_for_and_missing(sandbox):
    switches(sandbox, reports_finance=False)
    assert not client_of(sandbox, source=FinanceApi.REPORTS_FINANCE).ping().ok
    health = client_of(sandbox).ping()
    assert health.ok
    assert "the finance API does not answer, API v2.0 does" in health.sentence


@BOTH
def test_a_changed_line_comes_with_the_changes(sandbox, source):
    client = client_of(sandbox, source=source)
    rows, reading = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
    entry = rows[5]["entry_number"]
    sandbox.call("PATCH", f"/books/lines/{entry}", {"description": f"Changed {source}"})
    since = reading.cursor + timedelta(milliseconds=1)
    changed, again = rows_of(client, Dataset.JOURNAL_LINES, Scope(PERIOD, since, ("DEPARTMENT",)))
    assert [(row["record_id"], row["description"]) for row in changed] == [(rows[5]["record_id"], f"Changed {source}")]
    assert again.cursor > reading.cursor


def test_a_deleted_dimension_value_is_reported_line_by_line_and_hides_no_other(sandbox):
    client = client_of(sandbox, source=FinanceApi.V2, page_size=64)
    before, _ = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
    sandbox.call("DELETE", "/books/dimensions/DEPARTMENT/RND")
    try:
        rows, reading = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
        finance, _ = rows_of(client_of(sandbox, source=FinanceApi.REPORTS_FINANCE), Dataset.JOURNAL_LINES, SCOPE)
    finally:
        sandbox.call("PUT", "/books/dimensions/DEPARTMENT/RND", {"name": "Research"})
    lost = [row["record_id"] for row in before if row["dimension.DEPARTMENT"] == "RND"]
    assert lost
    assert [row["record_id"] for row in rows] == [row["record_id"] for row in before]
    assert [row["record_id"] for row in rows if row["dimension.DEPARTMENT"] is None] == lost
    assert [(found.kind, found.subject) for found in reading.findings] == [
        (FindingKind.DIMENSIONS_UNKNOWN, record) for record in lost
    ]
    assert by_cell(finance) == by_cell(before)


@pytest.mark.parametrize("balances", BalanceSource)
def test_balances_are_those_of_the_books(sandbox, balances):
    rows, _ = rows_of(client_of(sandbox, balances=balances), Dataset.ACCOUNT_BALANCES, Scope(period=PERIOD))
    told = sandbox.call("GET", "/books/balances", period=KEY)
    nothing = {"opening": "0", "debit": "0", "credit": "0", "closing": "0"}
    read = {row["account"]: row for row in rows}
    for account in read | told:
        expected = {name: Decimal(told.get(account, nothing)[name]) for name in nothing}
        assert {name: read.get(account, expected)[name] for name in nothing} == expected, account
    assert any(row["opening"] for row in rows)


@BOTH
def test_master_data_is_read_by_either_api(sandbox, source):
    client = client_of(sandbox, source=source, page_size=20)
    accounts, _ = rows_of(client, Dataset.ACCOUNTS)
    numbers = {row["account"] for row in accounts}
    assert {row["parent"] for row in accounts} - {None} <= numbers
    assert {row["account_type"] for row in accounts} >= {"Posting", "Begin-Total", "End-Total"}
    centres, _ = rows_of(client, Dataset.COST_CENTRES, Scope(dimensions=("DEPARTMENT",)))
    assert {"ADM", "SALES", "PROD", "RND", "LOG"} <= {row["code"] for row in centres}
    for dataset in (Dataset.VENDORS, Dataset.EMPLOYEES, Dataset.PERIODS):
        assert rows_of(client, dataset)[0]


def test_both_apis_tell_the_same_parents_and_statements(sandbox):
    def told(source):
        rows, _ = rows_of(client_of(sandbox, source=source), Dataset.ACCOUNTS)
        return {row["account"]: row["parent"] for row in rows if row["account_type"] == "Posting"}

    assert told(FinanceApi.V2) == told(FinanceApi.REPORTS_FINANCE)


def test_periods_are_open_or_closed_as_the_ledger_says(sandbox):
    client = client_of(sandbox)
    assert client.period_status(CALENDAR.period("FY2026-P01")) is PeriodStatus.CLOSED
    assert client.period_status(CALENDAR.period("FY2027-P05")) is PeriodStatus.OPEN


@pytest.mark.parametrize("preset", ["throttled", "unavailable", "gateway_timeout", "try_again_later"])
def test_a_read_outlives_the_servers_bad_moments(sandbox, preset):
    client = client_of(sandbox, source=FinanceApi.V2, page_size=100)
    sandbox.call("POST", f"/business_central/faults/{preset}", times="2", skip="2")
    rows, _ = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
    assert by_cell(rows) == by_cell_in_the_books(sandbox)


@pytest.mark.parametrize("kind", ["reset", "truncate", "lost_answer"])
def test_a_read_outlives_broken_connections(sandbox, kind):
    client = client_of(sandbox, source=FinanceApi.V2, page_size=100)
    sandbox.fault(kind, "generalLedgerEntries", system="business_central", times=2, skip=1)
    rows, _ = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
    assert by_cell(rows) == by_cell_in_the_books(sandbox)


def test_tokens_that_were_revoked_are_replaced_in_the_midst_of_a_read(sandbox):
    client = client_of(sandbox, source=FinanceApi.V2, page_size=100)
    reading = client.read(Dataset.JOURNAL_LINES, SCOPE)
    first = next(iter(reading.batches)).num_rows
    sandbox.call("DELETE", "/business_central/tokens")
    assert first + sum(batch.num_rows for batch in reading.batches) == client.period_totals(PERIOD).count


@pytest.mark.parametrize("form", ["certificate", "thumbprint"])
def test_a_certificate_logs_in(sandbox, form):
    told = sandbox.info["business_central"]
    proof = {"certificate": told["certificate_pem"]} if form == "certificate" else {"thumbprint": told["thumbprint"]}
    credential = ClientCertificate(told["client_id"], told["private_key_pem"], **proof)
    health = client_of(sandbox, credential=credential).ping()
    assert health.ok
    assert isinstance(health.server_time, datetime)
    assert f"company {told['company']} found" in health.sentence


def test_wrong_and_expired_secrets_say_which(sandbox):
    told = sandbox.info["business_central"]
    with pytest.raises(AuthenticationError, match=r"AADSTS7000215.*secret is wrong"):
        client_of(sandbox, credential=ClientSecret(told["client_id"], "nope")).ping()
    switches(sandbox, secret_expired=True)
    with pytest.raises(AuthenticationError, match=r"AADSTS7000222.*has expired"):
        client_of(sandbox, tenant="larkfield.onmicrosoft.com").ping()


def test_a_company_that_is_gone_or_forbidden_is_a_clear_error(sandbox):
    by_id = client_of(sandbox, company=sandbox.info["business_central"]["company_id"], source=FinanceApi.V2)
    switches(sandbox, company="gone")
    with pytest.raises(UnknownNameError, match="No company of environment Production"):
        client_of(sandbox).ping()
    with pytest.raises(NotFoundError, match="check it in the connection"):
        rows_of(by_id, Dataset.JOURNAL_LINES, SCOPE)
    switches(sandbox, company="forbidden")
    with pytest.raises(PermissionDeniedError, match="permission sets"):
        rows_of(by_id, Dataset.JOURNAL_LINES, SCOPE)
    switches(sandbox, company="open", app_enabled=False)
    with pytest.raises(AuthenticationError, match="Enabled"):
        rows_of(by_id, Dataset.JOURNAL_LINES, SCOPE)
