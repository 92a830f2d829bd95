# SPDX-License-Identifier: Apache-2.0
"""Each dataset from the service that has it, and the switch from one service to the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from airflow_provider_mlconnector.errors import CapabilityError, DataError, SchemaDriftError, UnknownNameError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.drafts import document_key
from airflow_provider_mlconnector.sandbox.books import NewLine
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT
from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.books.subledgers import ap_invoices
from airflow_provider_mlconnector.sandbox.dynamics_gp.resources import JOURNAL_LINES
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import ACCOUNT
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.systems.dynamics_gp.erp import DynamicsGp
from airflow_provider_mlconnector.systems.dynamics_gp.sba import SbaService
from airflow_provider_mlconnector.systems.port import FindingKind, PeriodStatus, Scope
from tests.unit.systems.dynamics_gp.conftest import PERIOD


@pytest.mark.parametrize("envelope", ["bare", "payload", "resource", "status"])
def test_vendors_come_from_sba_in_whatever_envelope(server, envelope):
    server.site.switches.envelope = envelope
    rows, reading = server.read(Dataset.VENDORS)
    assert [row["number"] for row in rows] == [vendor.number for vendor in server.books.vendors]
    assert {row["blocked"] for row in rows} == {"", "Hold"}
    assert reading.resource == "SBA Purchasing/Vendors"
    assert not reading.findings


@pytest.mark.parametrize("dataset", [Dataset.VENDORS, Dataset.AP_INVOICES])
@pytest.mark.parametrize("why", ["not installed", "no such resource", "down"])
def test_what_sba_does_not_have_comes_from_soap_and_that_is_told(server, dataset, why):
    by_sba, _ = server.read(dataset)
    server.site.switches.sba = why != "not installed"
    server.site.switches.sba_resources = () if why == "no such resource" else server.site.switches.sba_resources
    if why == "down":
        server.strike(FaultKind.RESET, path="/GPService/", times=None)
    rows, reading = server.read(dataset)
    assert [finding.kind for finding in reading.findings] == [FindingKind.FALLBACK]
    assert "SOAP" in reading.findings[0].detail
    assert reading.resource.startswith("Get")
    same = ("number", "name", "blocked") if dataset is Dataset.VENDORS else ("number", "vendor", "amount", "period")
    assert [[row[name] for name in same] for row in rows] == [[row[name] for name in same] for row in by_sba]


def test_invoices_are_those_of_the_sub_ledger(server):
    rows, _ = server.read(Dataset.AP_INVOICES)
    invoices = list(ap_invoices(server.books))
    assert [(row["number"], row["amount"], row["open_amount"], row["external_document"]) for row in rows] == [
        (invoice.number, invoice.amount, invoice.open_amount, invoice.reference) for invoice in invoices
    ]


def test_employees_come_without_a_stamp_and_without_anything_personal(server):
    rows, reading = server.read(Dataset.EMPLOYEES)
    assert [(row["number"], row["name"], row["status"]) for row in rows] == [
        (person.number, person.name, person.status) for person in server.books.employees
    ]
    assert reading.cursor is None


def test_journal_lines_come_from_a_resource_that_the_customer_had_written(server):
    by_soap, _ = server.read(Dataset.JOURNAL_LINES)
    server.site.switches.sba_resources = (JOURNAL_LINES,)
    rows, reading = server.read(Dataset.JOURNAL_LINES, gl_resource=JOURNAL_LINES)
    assert reading.resource == f"SBA {JOURNAL_LINES}"
    names = ("record_id", "account", "dimension.Department", "amount", "posting_date", "modified_at", "kind")
    assert [[row[name] for name in names] for row in rows] == [[row[name] for name in names] for row in by_soap]


def test_a_resource_with_other_column_names_says_which_are_missing(server):
    server.site.switches.sba_resources = (JOURNAL_LINES,)
    with pytest.raises(SchemaDriftError, match="JournalEntry"):
        server.read(Dataset.JOURNAL_LINES, gl_resource=JOURNAL_LINES, gl_fields=(("JRNENTRY", "JournalEntry"),))


def test_a_resource_of_lines_that_is_not_there_falls_back_to_soap(server):
    rows, reading = server.read(Dataset.JOURNAL_LINES, gl_resource=JOURNAL_LINES)
    assert reading.findings[0].kind is FindingKind.FALLBACK
    assert len(rows) == server.books.count(PERIOD.key)


def test_lists_are_asked_for_in_windows_and_no_day_is_missed(server):
    whole, _ = server.read(Dataset.JOURNAL_LINES, window=timedelta(days=366))
    sliced, _ = server.read(Dataset.JOURNAL_LINES, window=timedelta(days=1))
    assert sorted(row["record_id"] for row in sliced) == sorted(row["record_id"] for row in whole)


def test_changes_are_asked_for_by_a_moment_in_utc(server):
    line = next(line for line in server.books.lines(PERIOD.key) if line.department)
    changed = server.books.change_line(line.entry_number, description="Größe 7")
    erp = server.open()
    for since, is_there in ((changed.modified_at, True), (changed.modified_at + timedelta(seconds=1), False)):
        batches = erp.read(Dataset.JOURNAL_LINES, Scope(PERIOD, since)).batches
        rows = [row for batch in batches for row in batch.to_pylist()]
        assert ("Größe 7" in {row["description"] for row in rows}) is is_there


def test_single_records_are_read_by_their_ids(server):
    rows, _ = server.read(Dataset.JOURNAL_LINES)
    wanted = (rows[0]["record_id"], rows[-1]["record_id"])
    found = server.open().read(Dataset.JOURNAL_LINES, Scope(PERIOD, records=wanted)).batches
    assert sorted(row["record_id"] for batch in found for row in batch.to_pylist()) == sorted(wanted)


def test_balances_are_the_same_from_journals_and_from_the_database(server, database):
    summed, by_journals = server.read(Dataset.ACCOUNT_BALANCES)
    told, by_tables = server.read(Dataset.ACCOUNT_BALANCES, query=database.query)
    assert by_journals.resource.startswith("GetGLTransactionList")
    assert by_tables.resource == "GL10110, GL10111"
    ledger = server.books.balances(PERIOD.key, CLOSE_BY_DATE)
    for rows in (summed, told):
        assert {row["account"]: row["closing"] for row in rows} == {name: one.closing for name, one in ledger.items()}


def test_what_only_the_database_knows_comes_from_it(server, database):
    erp = server.open(query=database.query)
    centres = erp.read(Dataset.COST_CENTRES, Scope()).batches
    names = {row["code"]: row["name"] for batch in centres for row in batch.to_pylist()}
    assert names["100"] == "Administration"
    periods = [row for batch in erp.read(Dataset.PERIODS, Scope()).batches for row in batch.to_pylist()]
    assert [row["period"] for row in periods][:2] == ["FY2026-P01", "FY2026-P02"]
    assert erp.period_status(PERIOD) is PeriodStatus.CLOSED
    totals = erp.period_totals(PERIOD).by_account
    assert {name: amount for name, amount in totals.items() if amount} == {
        name: amount for name, amount in server.books.trial_balance(PERIOD.key, CLOSE_BY_DATE).items() if amount
    }


def test_without_a_database_periods_are_refused_and_their_state_is_unknown(server):
    erp = server.open()
    with pytest.raises(CapabilityError, match="fiscal periods"):
        erp.read(Dataset.PERIODS, Scope())
    assert erp.period_status(PERIOD) is PeriodStatus.UNKNOWN
    assert erp.period_totals(PERIOD).by_account is None


def test_a_database_that_gives_floats_is_refused(server, database):
    def with_floats(statement):
        return [tuple(float(cell) if "." in str(cell) else cell for cell in row) for row in database.query(statement)]

    with pytest.raises(DataError, match="floats"):
        server.read(Dataset.ACCOUNT_BALANCES, query=with_floats)


def test_a_calendar_that_the_ledger_does_not_have_is_told(server, database):
    half = type(PERIOD)(PERIOD.year, PERIOD.number, PERIOD.start, PERIOD.end - timedelta(days=10))
    with pytest.raises(DataError, match="Fiscal Periods Setup"):
        server.read(Dataset.ACCOUNT_BALANCES, period=half, query=database.query)


def test_a_segment_that_is_none_is_refused_with_those_that_are(server):
    with pytest.raises(CapabilityError, match="Account, Department"):
        list(server.open().read(Dataset.JOURNAL_LINES, Scope(PERIOD, dimensions=("PROJECT",))).batches)


def test_an_unknown_company_is_told_with_those_that_there_are(server):
    with pytest.raises(UnknownNameError, match="Meadow Tools Ltd"):
        server.open(company="Nobody Ltd").ping()


@pytest.mark.parametrize("company", ["Larkfield Ltd", "larkfield ltd", "1"])
def test_a_company_is_found_by_name_or_number(server, company):
    assert "number 1" in server.open(company=company, sba_url="").ping().sentence


def test_a_test_of_the_connection_tells_how_sba_spells_the_company(server):
    server.site.switches.database_names = True
    health = server.open().ping()
    assert not health.ok
    assert "only LARK, MEADW, TUI" in health.sentence
    assert server.open(sba_company="LARK").ping().ok


def test_parentheses_slashes_and_accents_of_a_company_are_encoded(server):
    asked = []

    class Http:
        def request(self, method, path, **_):
            asked.append(path)
            return SimpleNamespace(content=b"[]")

    SbaService(Http(), server.connection(company="Bürk (UK)/Ltd")).rows("Purchasing/Vendors")
    assert asked == ["Tenants(DefaultTenant)/Companies(B%C3%BCrk%20%28UK%29%2FLtd)/Purchasing/Vendors"]


def test_a_company_with_accents_is_found_over_sba(server):
    rows, reading = server.read(Dataset.VENDORS, company="Tūī & Co.")
    assert reading.resource == "SBA Purchasing/Vendors"
    assert rows


def test_a_deleted_department_keeps_its_accounts(server):
    server.books.delete_value(DEPARTMENT, "LEGACY")
    rows, _ = server.read(Dataset.ACCOUNTS)
    assert {row["account"] for row in rows} >= {line.account for line in server.books.lines(PERIOD.key)}
    assert all(row["amount"] == Decimal(row["debit"]) - row["credit"] for row in server.read(Dataset.JOURNAL_LINES)[0])


def test_what_a_closed_year_brought_forward_is_known_by_its_source_document_and_counted_once(server):
    rows, _ = server.read(Dataset.JOURNAL_LINES, forward_source="SJ", closing_source="CRJ")
    kinds = {(row["source"], row["kind"]) for row in rows}
    assert {("SJ", "opening"), ("CRJ", "closing")} < kinds
    assert {kind for source, kind in kinds if source not in ("SJ", "CRJ")} == {"normal"}
    usual, _ = server.read(Dataset.ACCOUNT_BALANCES)
    without, _ = server.read(Dataset.ACCOUNT_BALANCES, forward_source="SJ")
    revenue = {row["account"] for row in usual if row["account"].startswith("401")}
    assert revenue & {row["account"] for row in usual if row["closing"]}
    assert not revenue & {row["account"] for row in without if row["closing"]}


def test_what_is_saved_and_not_posted_is_told_and_left_out(server):
    posted, quiet = server.read(Dataset.JOURNAL_LINES)
    assert not quiet.findings
    drafts = server.site.companies[0].drafts
    lines = [NewLine("60310", Decimal("12.50"), "ADM"), NewLine("20400", Decimal("-12.50"))]
    inside, _ = (drafts.save(day, "ACCRUALS", lines) for day in (PERIOD.end, PERIOD.end + timedelta(days=1)))
    try:
        rows, reading = server.read(Dataset.JOURNAL_LINES)
    finally:
        drafts.clear()
    assert rows == posted
    told = [(found.kind, found.subject, found.detail) for found in reading.findings]
    detail = f"12.50 of {PERIOD.end} in batch ACCRUALS is saved and not posted, and left out"
    assert told == [(FindingKind.NOT_POSTED, f"journal {inside.number}", detail)]


@pytest.mark.parametrize("typed_over", [False, True])
def test_a_draft_of_a_plan_that_nobody_has_posted_is_told_as_one(server, typed_over):
    key, drafts = document_key("a", "plan"), server.site.companies[0].drafts
    saved = drafts.save(
        PERIOD.end,
        "BUDGET",
        [
            NewLine("60310", Decimal("12.50"), "ADM", external_document=key),
            NewLine("20400", Decimal("-12.50"), external_document=key),
        ],
    )
    saved.reference = "Typed over" if typed_over else key
    try:
        _, reading = server.read(Dataset.JOURNAL_LINES)
    finally:
        drafts.clear()
    told = f"is the draft {key} of a plan, which nobody has posted yet, and left out"
    found = [(found.kind, found.detail) for found in reading.findings]
    assert found == [(FindingKind.PLAN_DRAFT, f"12.50 of {PERIOD.end} in batch BUDGET {told}")]


def test_sixteen_threads_read_the_ledger_each_by_a_login_of_its_own_and_none_is_refused(server):
    wanted = sorted(row["record_id"] for row in server.read(Dataset.JOURNAL_LINES)[0])
    server.site.domain.logons.clear()

    def read(_):
        with closing(DynamicsGp(server.connection(), MONTHS_FROM_JULY.period_of)) as erp:
            batches = erp.read(Dataset.JOURNAL_LINES, Scope(PERIOD)).batches
            return sorted(record for batch in batches for record in batch["record_id"].to_pylist())

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(read, range(16)))
    assert answers == [wanted] * 16
    assert server.site.domain.logons == {f"ntlm {ACCOUNT}": 16}
    assert not server.site.domain.failures
