# SPDX-License-Identifier: Apache-2.0
"""The client against the sandbox, compared with the sandbox's own books."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import CapabilityError, SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE, Selection
from airflow_provider_mlconnector.sandbox.books.subledgers import ap_invoices
from airflow_provider_mlconnector.sandbox.syspro.site import TimeStamps
from airflow_provider_mlconnector.systems.port import FindingKind, PeriodStatus, Scope
from airflow_provider_mlconnector.systems.syspro.connection import GlCode
from tests.unit.systems.syspro.reading import KEY, SysproSite, by_cell, by_cell_in_the_books, rows_of


def lines(site: SysproSite, **options):
    return rows_of(site.client(**options), Dataset.JOURNAL_LINES, site.scope())


def in_the_books(site: SysproSite):
    return by_cell_in_the_books(site.books(), site.books().period(KEY))


@pytest.mark.parametrize("page_size", [5000, 37])
@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"page_size": 20},
        {"next_links": True, "page_size": 20},
        {"padded": False, "counts": True},
        {"unfilterable": ("Journal",)},
    ],
    ids=str,
)
def test_the_lines_of_a_period_are_those_of_the_books(site, page_size, switches):
    site.switch(**switches)
    rows, reading = lines(site, page_size=page_size)
    assert by_cell(rows) == in_the_books(site)
    assert len(rows) == len({row["record_id"] for row in rows}) == site.books().count(KEY)
    assert {row["period"] for row in rows} == {KEY}
    assert reading.announced == (len(rows) if switches.get("counts") else None)


def test_companies_of_one_ledger_are_told_apart(site):
    rows, _ = lines(site)
    others, _ = rows_of(site.client(company="M"), Dataset.JOURNAL_LINES, site.scope(company="M"))
    assert by_cell(others) == by_cell_in_the_books(site.books("M"), site.books("M").period(KEY))
    assert not {row["record_id"] for row in rows} & {row["record_id"] for row in others}


def test_the_operators_own_company_needs_no_path(site):
    rows, _ = lines(site, entity_url="{table}")
    assert by_cell(rows) == in_the_books(site)


@pytest.mark.parametrize("key", [f"FY2026-P{number:02d}" for number in range(1, 14)] + ["FY2027-P01", "FY2027-P04"])
def test_a_hostile_company_is_read_period_by_period_as_its_books_count(site, key):
    books, client = site.books("T"), site.client(company="T", page_size=50)
    rows, _ = rows_of(client, Dataset.JOURNAL_LINES, site.scope(key, "T"))
    assert by_cell(rows) == by_cell_in_the_books(books, books.period(key))
    shown = Selection(frozenset(EntryKind) - {EntryKind.CLOSING}, actual_only=True)
    assert len(rows) == books.count(key, shown)
    assert {row["kind"] for row in rows} == {"adjusting" if key.endswith("13") else "normal"}
    totals = client.period_totals(books.period(key))
    moved = {account: amount for account, amount in totals.by_account.items() if amount}
    assert moved == {account: amount for account, amount in books.trial_balance(key, CLOSE).items() if amount}


@pytest.mark.parametrize("key", ["FY2026-P01", "FY2026-P04", "FY2026-P12", "FY2027-P01"])
def test_cumulative_balances_become_the_movements_of_a_period(site, key):
    rows, _ = rows_of(site.client(company="T"), Dataset.ACCOUNT_BALANCES, site.scope(key, "T"))
    told = {row["account"]: (row["opening"], row["debit"], row["credit"], row["closing"]) for row in rows}
    wanted = site.books("T").balances(key, CLOSE)
    assert {account: sides for account, sides in told.items() if any(sides)} == {
        account: (one.opening, one.debit, one.credit, one.closing) for account, one in wanted.items()
    }
    assert not {"FORCED", "RETAINED", "99000", "99100"} & told.keys()


def test_a_storno_is_a_debit_or_credit_by_its_sign_since_entries_know_no_sides(site):
    rows, _ = rows_of(site.client(company="T"), Dataset.ACCOUNT_BALANCES, site.scope("FY2026-P05", "T"))
    wanted = site.books("T").balances("FY2026-P05", CLOSE)
    assert {row["account"]: (row["opening"], row["closing"]) for row in rows if row["account"] in wanted} == {
        account: (one.opening, one.closing) for account, one in wanted.items()
    }
    assert all(row["debit"] >= 0 and row["credit"] >= 0 for row in rows)
    assert all(row["debit"] - row["credit"] == row["amount"] for row in rows)


def test_what_no_year_is_kept_of_is_refused_and_not_compared(site):
    site.switch(history_from=2027)
    period = site.books().period("FY2026-P04")
    client = site.client()
    with pytest.raises(CapabilityError, match="no balances of FY2026-P04"):
        rows_of(client, Dataset.ACCOUNT_BALANCES, Scope(period=period))
    assert client.period_totals(period).by_account is None


def test_changes_are_asked_for_by_row_versions(site):
    client = site.client()
    rows, reading = rows_of(client, Dataset.JOURNAL_LINES, site.scope())
    changed = site.books().change_line(
        rows[3]["entry_number"] and next(site.books().lines(KEY)).entry_number, description="x"
    )
    since = reading.cursor - client.capabilities.overlap
    again, newer = rows_of(client, Dataset.JOURNAL_LINES, site.scope(since=since))
    assert 1 <= len(again) < len(rows)
    assert changed.document in {row["document"] for row in again}
    assert newer.cursor > reading.cursor


def test_without_row_versions_changes_are_asked_for_by_journals(site):
    site.switch(time_stamps=TimeStamps.SHOWN)
    client = site.client()
    rows, reading = rows_of(client, Dataset.JOURNAL_LINES, site.scope())
    assert [found.kind for found in reading.findings] == [FindingKind.FALLBACK]
    again, _ = rows_of(client, Dataset.JOURNAL_LINES, site.scope(since=reading.cursor))
    assert {row["record_id"].rpartition("/")[0] for row in again} == {rows[-1]["record_id"].rpartition("/")[0]}
    behind, _ = rows_of(client, Dataset.JOURNAL_LINES, site.scope(since=reading.cursor - client.capabilities.overlap))
    assert len(behind) == len(rows), "a small period lies within the overlap"


def test_a_column_that_went_is_told_or_missed(site):
    site.switch(dropped_fields=("Reference",))
    rows, reading = lines(site)
    assert {row["document"] for row in rows} == {None}
    assert [(found.kind, found.subject) for found in reading.findings] == [(FindingKind.COLUMN_MISSING, "Reference")]
    site.switch(dropped_fields=("EntryValue",))
    with pytest.raises(SchemaDriftError, match="no column EntryValue"):
        lines(site)


def test_a_period_that_cannot_be_filtered_is_refused(site):
    site.switch(unfilterable=("GlPeriod",))
    with pytest.raises(CapabilityError, match="does not filter GenJournalDetail by GlPeriod"):
        lines(site)


def test_accounts_stand_below_their_groups(site):
    rows, _ = rows_of(site.client(), Dataset.ACCOUNTS)
    told = {row["account"]: row for row in rows}
    assert (told["60110"]["parent"], told["60110"]["name"]) == ("60100", "Wages and Salaries")
    assert (told["60100"]["parent"], told["60100"]["account_type"]) == ("60000", "Group")
    assert {row["parent"] for row in rows} - {None} <= told.keys()
    assert (told["40100"]["category"], told["40100"]["statement"]) == ("Income", "Income Statement")
    posting = [account.number for account in site.books().accounts if account.type == "Posting"]
    assert [row["account"] for row in rows if row["account_type"] == "Posting"] == posting


def test_codes_stay_texts_and_lose_their_padding(site):
    stock, _ = rows_of(site.client(), Dataset.INVENTORY)
    assert ("00071", "01", Decimal("515.20")) in {(row["item"], row["warehouse"], row["amount"]) for row in stock}
    suppliers, _ = rows_of(site.client(), Dataset.VENDORS)
    assert [row["number"] for row in suppliers] == [vendor.number for vendor in site.books().vendors]
    assert {row["number"]: row["blocked"] for row in suppliers}["V00080"] == "On hold"


def test_invoices_of_suppliers_have_their_postings(site):
    invoices, _ = rows_of(site.client(page_size=7), Dataset.AP_INVOICES)
    wanted = {(one.party, one.number): one for one in ap_invoices(site.books())}
    told = {(row["vendor"], row["number"]): row for row in invoices}
    assert told.keys() == wanted.keys()
    for key, row in told.items():
        one = wanted[key]
        assert (row["amount"], row["open_amount"], row["invoice_date"], row["due_date"], row["external_document"]) == (
            one.amount,
            one.open_amount,
            one.day,
            one.due,
            one.reference,
        )
    postings, _ = rows_of(site.client(page_size=7), Dataset.AP_POSTINGS)
    sums: dict[tuple[str, str], Decimal] = {}
    for row in postings:
        key = (row["vendor"], row["invoice"])
        sums[key] = sums.get(key, Decimal(0)) + row["amount"]
    assert sums == {key: one.amount for key, one in wanted.items()}


def test_a_dimension_that_gl_codes_lack_is_refused_before_anything_is_asked(site):
    client = site.client()
    with pytest.raises(CapabilityError, match="no segment PROJECT; they have DEPARTMENT"):
        client.read(Dataset.JOURNAL_LINES, Scope(dimensions=("PROJECT",)))
    with pytest.raises(CapabilityError, match="SYSPRO cannot be read for employees"):
        client.read(Dataset.EMPLOYEES, Scope())
    assert client.requests_made == 0


def test_gl_codes_may_have_other_structures(site):
    rows, _ = rows_of(
        site.client(gl_code=GlCode("ACCOUNT")), Dataset.JOURNAL_LINES, Scope(period=site.books().period(KEY))
    )
    assert {row["account"] for row in rows} >= {"40100.SALES"}


def test_ping_says_how_changes_are_known_and_what_is_missing(site):
    assert "company L found; changes are known by row versions" in site.client().ping().sentence
    site.switch(time_stamps=TimeStamps.HIDDEN)
    assert "by the numbers of journals" in site.client().ping().sentence
    unknown = site.client(company="M", entity_url="SysproCompanyT/{table}").ping()
    assert not unknown.ok
    assert "company M has no GL codes there" in unknown.sentence
    assert site.client().period_status(Period(2027, 4, *[site.books().period(KEY).start] * 2)) is PeriodStatus.UNKNOWN
