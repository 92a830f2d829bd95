# SPDX-License-Identifier: Apache-2.0
"""The client against the sandbox's environment, compared with the sandbox's own books."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    CapabilityError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    SchemaDriftError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.calendar import MonthlyCalendar, WeekCalendar
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.sandbox.books.books import NewLine, Posting
from airflow_provider_mlconnector.sandbox.books.company import DimensionValue
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.dynamics_fo.connection import (
    DimensionSource,
    FinanceOperationsConnection,
    PublishedSet,
)
from airflow_provider_mlconnector.systems.dynamics_fo.erp import FinanceOperations
from airflow_provider_mlconnector.systems.http.entra import ClientCertificate, ClientSecret
from airflow_provider_mlconnector.systems.port import FindingKind, PeriodStatus, Scope
from tests.sandbox_control import SandboxControl
from tests.unit.happening import happening
from tests.unit.systems.http.scripted_server import quick

CALENDAR = MonthlyCalendar(calendar="monthly_july", first_month=7)
KEY = "FY2027-P03"
PERIOD = CALENDAR.period(KEY)
SCOPE = Scope(PERIOD, None, ("DEPARTMENT", "PROJECT"))
OWN_NAMES = (
    *("SourceKey", "FiscalCalendarPeriod", "AccountingDate", "CreatedOn", "PostingLayer", "SubledgerVoucher"),
    *("DocumentNumber", "JournalCategory", "Ledger", "GeneralJournalEntry", "MainAccount", "IsCredit", "PostingType"),
    *("AccountingCurrencyAmount", "TransactionCurrencyCode", "TransactionCurrencyAmount", "Text"),
    *("LedgerDimensionValuesJson", "LedgerAccount"),
)


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_fo"], scale=0.2) as running:
        yield running


@pytest.fixture(scope="module")
def books(sandbox):
    return sandbox.world.books


@pytest.fixture(autouse=True)
def switch(sandbox):
    control = SandboxControl({"url": sandbox.url, **sandbox.info})
    yield lambda **wanted: control.call("PATCH", "/dynamics_fo/switches", wanted)
    control.clear_faults()
    control.call("DELETE", "/dynamics_fo/switches")


def client_of(sandbox, calendar=CALENDAR, **options):
    told = sandbox.info["dynamics_fo"]
    plain = {
        "environment_url": told["base_url"],
        "tenant": told["tenant"],
        "company": "lark",
        "credential": ClientSecret(told["login"], told["password"]),
        "authority_url": told["authority_url"],
    }
    connection = FinanceOperationsConnection(**(plain | options))
    return FinanceOperations(connection, calendar.period_of, quick())


def rows_of(client, dataset=Dataset.JOURNAL_LINES, scope=SCOPE):
    reading = client.read(dataset, scope)
    return [row for batch in reading.batches for row in batch.to_pylist()], reading


def by_cell(rows):
    sums = defaultdict(Decimal)
    for row in rows:
        if row["ledger"] == "Current" and row["kind"] in (EntryKind.NORMAL, EntryKind.ADJUSTING):
            sums[row["account"], row["dimension.DEPARTMENT"]] += row["amount"]
    return {cell: amount for cell, amount in sums.items() if amount}


def by_cell_in(books, key=KEY):
    return {cell: amount for cell, amount in books.trial_balance_by_department(key, CLOSE).items() if amount}


@pytest.mark.parametrize("page_size", [10_000, 9])
@pytest.mark.parametrize("source", [DimensionSource.JSON, DimensionSource.DISPLAY])
def test_the_lines_of_a_period_are_those_of_the_books(sandbox, books, source, page_size):
    rows, reading = rows_of(client_of(sandbox, dimensions=source, page_size=page_size))
    assert by_cell(rows) == by_cell_in(books)
    assert len(rows) == len({row["record_id"] for row in rows}) == books.count(KEY)
    assert {row["period"] for row in rows} == {KEY}
    assert all(PERIOD.contains(row["posting_date"]) for row in rows)
    assert all(row["debit"] - row["credit"] == row["amount"] for row in rows)
    assert reading.findings == []


def test_a_row_that_goes_while_pages_are_read_takes_no_other_with_it(sandbox, books):
    entries = books.post_document(date(2026, 9, 1), [NewLine("60310", Decimal(1)), NewLine("20400", Decimal(-1))])
    expected = {row["record_id"] for row in rows_of(client_of(sandbox))[0]}
    reading = client_of(sandbox, page_size=4).read(Dataset.JOURNAL_LINES, SCOPE)
    first = next(iter(reading.batches))
    sandbox.world.books.delete_line(next(books.lines(KEY)).entry_number)
    seen = [*first["record_id"].to_pylist(), *(i for batch in reading.batches for i in batch["record_id"].to_pylist())]
    assert sorted(seen) == sorted(expected)
    assert entries


def test_changes_are_those_created_since(sandbox, books):
    client = client_of(sandbox)
    _, reading = rows_of(client)
    sandbox.world.clock.advance(3600)
    books.post_document(date(2026, 9, 2), [NewLine("60310", Decimal(3), "ADM"), NewLine("20400", Decimal(-3))])
    rows, again = rows_of(client, scope=Scope(PERIOD, reading.cursor + timedelta(seconds=1), ("DEPARTMENT",)))
    assert [(row["amount"], row["dimension.DEPARTMENT"]) for row in rows] == [(3, "ADM"), (-3, "")]
    assert again.cursor > reading.cursor


def test_a_line_without_a_stamp_has_none_and_its_amounts_stay_on_their_side(sandbox):
    tui = sandbox.world.companies["TUI"]
    client = client_of(sandbox, tui_calendar(), company="tui")
    rows, _ = rows_of(client, scope=Scope(tui.period("FY2026-P07"), None, ("DEPARTMENT",)))
    assert [row["modified_at"] for row in rows].count(None) == 4
    rows, _ = rows_of(client, scope=Scope(tui.period("FY2026-P05"), None, ("DEPARTMENT",)))
    lines = [line for line in tui.lines("FY2026-P05") if not line.statistical]
    assert sorted((row["debit"], row["credit"]) for row in rows) == sorted((line.debit, line.credit) for line in lines)
    assert min(row["debit"] for row in rows) < 0, "a storno takes back on the side of what it takes back"


def test_the_kind_of_a_line_follows_from_its_fiscal_period_and_posting_type(sandbox):
    tui = sandbox.world.companies["TUI"]
    client = client_of(sandbox, tui_calendar(), company="tui")
    told = {}
    for key in ("FY2026-P12", "FY2027-P01"):
        rows, _ = rows_of(client, scope=Scope(tui.period(key), None, ("DEPARTMENT",)))
        told[key] = {row["kind"] for row in rows}
    assert told == {"FY2026-P12": {"normal", "adjusting", "closing"}, "FY2027-P01": {"normal", "opening"}}


def tui_calendar():
    return WeekCalendar(calendar="weeks", kind="4-4-5", year_end="last Friday of July", timezone="Pacific/Auckland")


def test_a_calendar_that_cuts_the_year_otherwise_than_the_ledger_is_refused(sandbox):
    with pytest.raises(ConfigurationError, match=r"fiscal calendar is .* which is not within"):
        rows_of(client_of(sandbox, tui_calendar()), scope=Scope(tui_calendar().period("FY2027-P03")))


@pytest.mark.parametrize("key", ["FY2026-P01", KEY])
def test_balances_are_added_up_from_entries(sandbox, books, key):
    rows, _ = rows_of(client_of(sandbox), Dataset.ACCOUNT_BALANCES, Scope(CALENDAR.period(key)))
    told = {row["account"]: (row["opening"], row["debit"], row["credit"], row["closing"]) for row in rows}
    for account, balance in books.balances(key, CLOSE).items():
        assert told[account] == (balance.opening, balance.debit, balance.credit, balance.closing)


def test_master_data_is_that_of_the_company_alone(sandbox, books):
    client = client_of(sandbox)
    accounts, _ = rows_of(client, Dataset.ACCOUNTS, Scope())
    assert {row["account"]: row["name"] for row in accounts} == {row.number: row.name for row in books.accounts}
    assert {row["parent"] for row in accounts} - {None} <= {row["account"] for row in accounts}
    assert next(row["category"] for row in accounts if row["account"] == "40100") == "Income"
    centres, _ = rows_of(client, Dataset.COST_CENTRES, Scope(dimensions=("DEPARTMENT",)))
    assert {row["code"]: row["parent"] for row in centres} == {
        value.code: value.parent or None for value in books.values("DEPARTMENT")
    }
    vendors, _ = rows_of(client, Dataset.VENDORS, Scope())
    assert {row["number"] for row in vendors} == {vendor.number for vendor in books.vendors}
    periods, _ = rows_of(client, Dataset.PERIODS, Scope())
    assert {row["period"]: row["closed"] for row in periods}[KEY] is books.is_closed(KEY) is True
    assert client.period_status(PERIOD) is PeriodStatus.CLOSED
    assert client.period_status(CALENDAR.period("FY2027-P05")) is PeriodStatus.OPEN


def test_sets_under_the_customers_own_names_are_read_by_the_field_map(sandbox, books, switch):
    switch(journal_sets=False)
    with pytest.raises(NotFoundError, match="publish it"):
        rows_of(client_of(sandbox))
    renamed = {name: f"Lk{name}" for name in OWN_NAMES}
    own = {
        "headers": PublishedSet("LkGeneralJournalHeaders", renamed),
        "lines": PublishedSet("LkGeneralJournalLines", renamed),
    }
    rows, reading = rows_of(client_of(sandbox, **own))
    assert by_cell(rows) == by_cell_in(books)
    assert reading.resource == "LkGeneralJournalHeaders and LkGeneralJournalLines"


def test_a_field_that_an_update_took_or_retyped_is_told_by_its_name(sandbox, switch):
    switch(dropped_fields=["AccountingCurrencyAmount"])
    with pytest.raises(SchemaDriftError, match="AccountingCurrencyAmount"):
        rows_of(client_of(sandbox))
    switch(dropped_fields=[], text_fields=["AccountingCurrencyAmount"])
    with pytest.raises(SchemaDriftError, match="AccountingCurrencyAmount came as text"):
        rows_of(client_of(sandbox))


def test_a_dimension_that_is_not_there_is_told_with_those_that_are(sandbox):
    with pytest.raises(CapabilityError, match="no dimension REGION; it has Department, Project"):
        rows_of(client_of(sandbox), scope=Scope(PERIOD, None, ("REGION",)))


def test_without_an_active_format_display_values_cannot_be_read(sandbox, switch):
    switch(json_dimensions=False, dimension_format=[])
    with pytest.raises(ConfigurationError, match="active format"):
        rows_of(client_of(sandbox))


def test_more_segments_than_the_format_has_make_the_dimensions_unknown(sandbox, books, switch):
    from airflow_provider_mlconnector.systems.dynamics_fo.connection import DisplayFormat

    short = DisplayFormat(("MainAccount", "Department"), "-")
    rows, reading = rows_of(client_of(sandbox, dimensions=DimensionSource.DISPLAY, display_format=short))
    assert {row["dimension.DEPARTMENT"] for row in rows} == {None}
    assert {found.kind for found in reading.findings} == {FindingKind.DIMENSIONS_UNKNOWN}


def test_lines_of_other_layers_carry_their_name(sandbox, books):
    pair = [NewLine("60310", Decimal(5)), NewLine("20400", Decimal(-5))]
    books.post_document(date(2026, 9, 30), pair, how=Posting(ledger="TAX"))
    rows, _ = rows_of(client_of(sandbox))
    assert sum(row["ledger"] == "Tax" for row in rows) == 2
    assert by_cell(rows) == by_cell_in(books)


def test_ping_names_the_company_and_what_is_posted(sandbox):
    health = client_of(sandbox, company="Larkfield Ltd").ping()
    assert health.ok
    assert "legal entity lark (Larkfield Ltd) found, with" in health.sentence
    assert health.server_time is not None
    with pytest.raises(UnknownNameError, match="lark, mead, tui"):
        client_of(sandbox, company="nobody").ping()


def test_a_certificate_logs_in(sandbox):
    told = sandbox.info["dynamics_fo"]
    credential = ClientCertificate(told["login"], told["private_key_pem"], told["certificate_pem"])
    assert client_of(sandbox, credential=credential).ping().ok


def test_refused_logins_say_what_to_do(sandbox, switch):
    told = sandbox.info["dynamics_fo"]
    with pytest.raises(AuthenticationError, match="AADSTS7000215"):
        client_of(sandbox, credential=ClientSecret(told["login"], "wrong")).ping()
    switch(secret_expired=True)
    with pytest.raises(AuthenticationError, match=r"AADSTS7000222.*expired"):
        client_of(sandbox, tenant="larkfield.onmicrosoft.com").ping()
    switch(secret_expired=False, app_listed=False)
    with pytest.raises(AuthenticationError, match="Microsoft Entra ID applications"):
        client_of(sandbox).ping()
    switch(app_listed=True, reads_journals=False)
    with pytest.raises(PermissionDeniedError, match="role"):
        client_of(sandbox).ping()


def test_tokens_that_were_revoked_are_replaced_in_the_midst_of_a_read(sandbox, books):
    reading = client_of(sandbox, page_size=4).read(Dataset.JOURNAL_LINES, SCOPE)
    first = next(iter(reading.batches)).num_rows
    SandboxControl({"url": sandbox.url}).call("DELETE", "/dynamics_fo/tokens")
    assert first + sum(batch.num_rows for batch in reading.batches) == len(rows_of(client_of(sandbox))[0])


@pytest.mark.parametrize("skip_token", [True, False], ids=["links by token", "links by skip"])
@pytest.mark.parametrize("comes", [True, False], ids=["one comes", "one goes"])
def test_a_value_that_comes_or_goes_in_front_of_the_page_doubles_and_hides_no_other(
    sandbox, books, switch, comes, skip_token
):
    switch(page_size=3, skip_token=skip_token)
    books.add_value(DimensionValue("DEPARTMENT", "AAA", "Before all others"))
    alter = (
        partial(books.add_value, DimensionValue("DEPARTMENT", "AAB", "New"))
        if comes
        else partial(books.delete_value, "DEPARTMENT", "AAA")
    )
    with happening(sandbox.world, "dynamics_fo", "FinancialDimensionValues", 2, alter):
        rows, _ = rows_of(client_of(sandbox), Dataset.COST_CENTRES, Scope(dimensions=("DEPARTMENT",)))
    codes = [row["code"] for row in rows]
    assert len(codes) == len({*codes})
    assert {*codes} >= {value.code for value in books.values("DEPARTMENT")} - {"AAB"}
    for code in ("AAA", "AAB"):
        if code in {value.code for value in books.values("DEPARTMENT")}:
            books.delete_value("DEPARTMENT", code)


def test_a_read_outlives_a_long_first_call(sandbox, books):
    client = client_of(sandbox, page_size=20)
    SandboxControl({"url": sandbox.url}).call("POST", "/dynamics_fo/faults/waking", times="1", skip="3")
    rows, _ = rows_of(client)
    assert by_cell(rows) == by_cell_in(books)
