# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import CapabilityError, DataError, ProtocolError, SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset, arrow_schema
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection, FinanceApi
from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral
from airflow_provider_mlconnector.systems.port import FindingKind, Scope
from tests.unit.systems.business_central.fake_company import (
    CALENDAR,
    COMPANY,
    OCTOBER,
    broken_off,
    company,
    line,
    rows_of,
)
from tests.unit.systems.http.scripted_server import as_json

LINES = Dataset.JOURNAL_LINES
DEPARTMENTS = Scope(period=OCTOBER, dimensions=("DEPARTMENT", "PROJECT"))


def finance_line(number: int, amount: float, set_id: int, **other):
    return {
        "id": f"3c1c5c4e-0000-0000-0000-{number:012}",
        "number": number,
        "description": "Rent",
        "postingDate": "2026-10-31",
        "accountNumber": "61100",
        "businessUnitCode": "",
        "reveresd": False,
        "documentNumber": "G1",
        "externalDocumentNumber": "INV-1",
        "sourceType": "_x0020_",
        "sourceNumber": "",
        "sourceCode": "GENJNL",
        "amount": amount,
        "debitAmount": max(amount, 0),
        "creditAmount": max(-amount, 0),
        "vatAmount": 0,
        "additionalCurrencyAmount": 0,
        "dimensionSetID": set_id,
        "globalDimension1Code": "",
        "globalDimension2Code": "",
        "lastModifiedDateTime": "2026-11-19T08:12:33.497Z",
    } | other


def dimension_set(set_id: int, **values: str):
    return [{"setId": set_id, "dimensionCode": code, "dimensionValueCode": value} for code, value in values.items()]


def test_an_entry_becomes_a_canonical_line():
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(2831, 1250.5, dims={"DEPARTMENT": "SALES"}, documentType="Invoice")]
        rows, reading = rows_of(client, LINES, DEPARTMENTS)
    assert rows == [
        {
            "record_id": "3c1c5c4e-0000-0000-0000-000000002831",
            "document": "G02831",
            "modified_at": datetime(2026, 11, 19, 8, 12, 33, 497000, UTC),
            "entry_number": 2831,
            "posting_date": date(2026, 10, 31),
            "period": "FY2027-P04",
            "account": "61100",
            "description": "Rent Oct",
            "document_type": "Invoice",
            "external_document": None,
            "debit": Decimal("1250.500000"),
            "credit": Decimal("0.000000"),
            "amount": Decimal("1250.500000"),
            "currency": None,
            "currency_amount": None,
            "kind": "normal",
            "ledger": None,
            "source": None,
            "statistical": False,
            "plan_document": False,
            "dimension.DEPARTMENT": "SALES",
            "dimension.PROJECT": "",
        }
    ]
    assert reading.resource == "v2.0/generalLedgerEntries"
    assert reading.cursor == datetime(2026, 11, 19, 8, 12, 33, 497000, UTC)
    assert reading.findings == []


def test_the_batches_have_the_datasets_schema_and_no_company_has_to_be_looked_up():
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1, dims={"DEPARTMENT": "A", "PROJECT": "P"})]
        reading = client.read(LINES, DEPARTMENTS)
        assert [batch.schema for batch in reading.batches] == [arrow_schema(LINES, ("DEPARTMENT", "PROJECT"))]
        assert [request.path for request in fake.requests] == [
            f"/v2.0/t1/Production/api/v2.0/companies({COMPANY})/generalLedgerEntries"
        ]
        assert reading.requests == 1


def test_a_whole_read_asks_for_the_days_of_the_period_and_for_dimensions_of_a_replica():
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = []
        assert rows_of(client, LINES, Scope(period=OCTOBER))[0] == []
        assert rows_of(client, LINES, DEPARTMENTS)[0] == []
        plain, expanded = fake.sent("generalLedgerEntries")
    assert plain.query == {"$filter": ["postingDate ge 2026-10-01 and postingDate le 2026-10-31"]}
    assert expanded.query["$expand"] == ["dimensionSetLines"]
    assert plain.headers["data-access-intent"] == "ReadOnly"
    assert plain.headers["accept-language"] == "en-US"


def test_a_read_of_changes_asks_for_those_since_the_millisecond():
    since = datetime(2026, 11, 19, 8, 12, 33, 497999, UTC)
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = []
        rows_of(client, LINES, Scope(period=OCTOBER, since=since))
        rows_of(client, LINES, Scope(since=since))
        within, anywhere = fake.sent("generalLedgerEntries")
    assert within.query["$filter"][0].endswith(" and lastModifiedDateTime ge 2026-11-19T08:12:33.497Z")
    assert anywhere.query["$filter"] == ["lastModifiedDateTime ge 2026-11-19T08:12:33.497Z"]


def test_a_blank_stamp_is_no_stamp():
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1, lastModifiedDateTime="0001-01-01T00:00:00Z")]
        rows, reading = rows_of(client, LINES, Scope(period=OCTOBER))
    assert rows[0]["modified_at"] is None
    assert reading.cursor is None


def test_amounts_keep_all_their_digits():
    raw = '{"value":[%s]}'
    with company() as (fake, client):
        text = as_json([line(1, 1, 2)]).body.decode()[1:-1]
        text = text.replace('"debitAmount": 1', '"debitAmount": 99999999999999999.99').replace(
            '"creditAmount": 2', '"creditAmount": 1E-2'
        )
        page = as_json({})
        fake.replies["generalLedgerEntries"] = [type(page)(200, (raw % text).encode(), page.headers)]
        rows, _ = rows_of(client, LINES, Scope(period=OCTOBER))
    assert rows[0]["debit"] == Decimal("99999999999999999.99")
    assert rows[0]["credit"] == Decimal("0.01")
    assert rows[0]["amount"] == Decimal("99999999999999999.98")


def test_pages_are_followed_and_counted():
    with company(page_size=3) as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(number, number) for number in range(1, 11)]
        rows, reading = rows_of(client, LINES, Scope(period=OCTOBER))
    assert [row["entry_number"] for row in rows] == list(range(1, 11))
    assert reading.requests == 4


def test_more_than_twenty_thousand_rows_are_never_asked_for():
    with company(page_size=50_000) as (fake, client):
        fake.sets["generalLedgerEntries"] = []
        rows_of(client, LINES, Scope(period=OCTOBER))
        assert fake.sent("generalLedgerEntries")[0].headers["prefer"] == "odata.maxpagesize=20000"


def test_lines_whose_dimension_value_was_deleted_are_read_without_dimensions_and_reported():
    with company(page_size=8) as (fake, client):
        lines = [line(number, number, dims={"DEPARTMENT": "SALES"}) for number in range(1, 31)]
        fake.sets["generalLedgerEntries"] = lines
        fake.lost = {lines[6]["id"], lines[29]["id"]}
        rows, reading = rows_of(client, LINES, Scope(period=OCTOBER, dimensions=("DEPARTMENT",)))
    assert [row["entry_number"] for row in rows] == list(range(1, 31))
    unknown = [row["record_id"] for row in rows if row["dimension.DEPARTMENT"] is None]
    assert unknown == [lines[6]["id"], lines[29]["id"]]
    assert [row["dimension.DEPARTMENT"] for row in rows].count("SALES") == 28
    reported = [finding.subject for finding in reading.findings if finding.kind is FindingKind.DIMENSIONS_UNKNOWN]
    assert reported == unknown
    assert {finding.kind for finding in reading.findings} == {FindingKind.DIMENSIONS_UNKNOWN}


def test_a_server_that_does_not_expand_is_not_taken_for_lines_without_dimensions():
    with company() as (fake, client):
        row = line(1, 1)
        del row["dimensionSetLines"]
        fake.sets["generalLedgerEntries"] = [row]
        with pytest.raises(SchemaDriftError, match="without dimensionSetLines"):
            rows_of(client, LINES, DEPARTMENTS)


def test_a_dimension_that_the_company_lacks_is_refused_with_those_it_has():
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1, dims={"DEPARTMENT": "SALES"})]
        fake.sets["dimensions"] = [{"id": "1", "code": "DEPARTMENT"}, {"id": "2", "code": "AREA"}]
        with pytest.raises(CapabilityError, match=r"no dimension PROJECT; it has AREA, DEPARTMENT"):
            rows_of(client, LINES, DEPARTMENTS)


def test_a_dimension_that_no_line_has_is_just_blank():
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1, dims={"DEPARTMENT": "SALES"})]
        fake.sets["dimensions"] = [{"id": "1", "code": "DEPARTMENT"}, {"id": "2", "code": "PROJECT"}]
        rows, _ = rows_of(client, LINES, DEPARTMENTS)
    assert rows[0]["dimension.PROJECT"] == ""


def test_a_page_that_comes_broken_is_read_again_and_one_that_stays_so_fails_the_read():
    with company() as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1), line(2, 2)]
        fake.replies["generalLedgerEntries"] = [broken_off([line(1, 1)])]
        assert len(rows_of(client, LINES, Scope(period=OCTOBER))[0]) == 2
        fake.replies["generalLedgerEntries"] = [broken_off([line(1, 1)])] * 3
        with pytest.raises(ProtocolError, match="came broken 3 times"):
            rows_of(client, LINES, Scope(period=OCTOBER))


def test_columns_that_come_and_go_are_reported_and_needed_ones_stop_the_read():
    with company() as (fake, client):
        row = line(1, 1, newColumn=5)
        del row["accountId"]
        fake.sets["generalLedgerEntries"] = [row]
        _, reading = rows_of(client, LINES, Scope(period=OCTOBER))
        assert [(finding.kind, finding.subject) for finding in reading.findings] == [
            (FindingKind.COLUMN_MISSING, "accountId"),
            (FindingKind.COLUMN_NEW, "newColumn"),
        ]
        del row["accountNumber"]
        with pytest.raises(SchemaDriftError, match="no column accountNumber"):
            rows_of(client, LINES, Scope(period=OCTOBER))


def test_a_retyped_column_and_an_amount_that_cannot_be_kept_name_the_record():
    with company(page_size=1) as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1), line(2, 2, postingDate=20261031)]
        with pytest.raises(SchemaDriftError, match=r"000000000002 of .*column postingDate came as a number"):
            rows_of(client, LINES, Scope(period=OCTOBER))
        fake.sets["generalLedgerEntries"] = [line(1, 1), line(3, 0.0000001)]
        with pytest.raises(DataError, match=r"000000000003 of .*debitAmount holds 1E-7"):
            rows_of(client, LINES, Scope(period=OCTOBER))


def test_the_finance_api_is_taken_where_it_answers_and_joined_with_its_dimension_sets():
    with company(source=FinanceApi.AUTO, page_size=2) as (fake, client):
        fake.sets["finance:generalLedgerEntries"] = [
            finance_line(1, 100.25, 7),
            finance_line(2, -100.25, 0),
            finance_line(3, 5, 8, sourceCode="CLSINCOME"),
        ]
        fake.sets["finance:dimensionSetEntries"] = dimension_set(7, DEPARTMENT="SALES", AREA="30") + dimension_set(
            8, PROJECT="P1"
        )
        rows, reading = rows_of(client, LINES, DEPARTMENTS)
        (probe, first, second) = fake.sent("finance:generalLedgerEntries")
    assert [(row["dimension.DEPARTMENT"], row["dimension.PROJECT"]) for row in rows] == [
        ("SALES", ""),
        ("", ""),
        ("", "P1"),
    ]
    assert [row["amount"] for row in rows] == [Decimal("100.25"), Decimal("-100.25"), Decimal(5)]
    assert [row["kind"] for row in rows] == ["normal", "normal", "closing"]
    assert rows[0]["external_document"] == "INV-1"
    assert reading.resource == "microsoft/reportsFinance/beta/generalLedgerEntries"
    assert reading.findings == []
    assert probe.query == {"$top": ["1"]}
    assert (first.query["$top"], first.query["$skip"], second.query["$skip"]) == (["2"], ["0"], ["2"])
    assert first.query["$orderby"] == ["number"]


def test_a_line_whose_dimension_set_is_gone_is_reported():
    with company(source=FinanceApi.REPORTS_FINANCE) as (fake, client):
        fake.sets["finance:generalLedgerEntries"] = [finance_line(1, 1, 7), finance_line(2, 1, 5)]
        fake.sets["finance:dimensionSetEntries"] = dimension_set(7, DEPARTMENT="SALES")
        rows, reading = rows_of(client, LINES, Scope(period=OCTOBER, dimensions=("DEPARTMENT",)))
    assert [row["dimension.DEPARTMENT"] for row in rows] == ["SALES", None]
    assert [(f.kind, f.subject[-1]) for f in reading.findings] == [(FindingKind.DIMENSIONS_UNKNOWN, "2")]


def test_v2_is_taken_and_said_so_where_the_finance_api_does_not_answer():
    with company(source=FinanceApi.AUTO) as (fake, client):
        fake.sets["generalLedgerEntries"] = [line(1, 1)]
        rows, reading = rows_of(client, LINES, Scope(period=OCTOBER))
    assert len(rows) == 1
    assert [finding.kind for finding in reading.findings] == [FindingKind.FALLBACK]


def test_a_dataset_that_business_central_does_not_give_is_refused():
    with company() as (_, client), pytest.raises(CapabilityError, match="cannot be read for inventory"):
        client.read(Dataset.INVENTORY, Scope())


def test_without_a_calendar_a_line_belongs_to_the_period_that_is_read_if_its_day_does():
    with company() as (fake, _):
        connection = BusinessCentralConnection(
            tenant="t", environment="e", company=COMPANY, credential=None, base_url=fake.url, source=FinanceApi.V2
        )
        client = BusinessCentral(connection)
        fake.sets["generalLedgerEntries"] = [line(1, 1), line(2, 2, postingDate="2026-11-01")]
        rows, _ = rows_of(client, LINES, Scope(period=OCTOBER))
        with pytest.raises(CapabilityError, match="Only a calendar"):
            client.read(Dataset.PERIODS, Scope())
    assert [row["period"] for row in rows] == ["FY2027-P04", None]


@pytest.mark.parametrize("source", [FinanceApi.V2, FinanceApi.REPORTS_FINANCE])
def test_closing_entries_are_asked_for_apart_with_the_last_period_of_a_year(source):
    prefix, make = ("", line) if source is FinanceApi.V2 else ("finance:", finance_line)
    with company(source=source) as (fake, client):
        fake.sets[f"{prefix}generalLedgerEntries"] = [make(1, 5, 0)]
        fake.sets[f"closing:{prefix}generalLedgerEntries"] = [make(2, 5, 0)]
        june, _ = rows_of(client, LINES, Scope(period=CALENDAR.period("FY2026-P12")))
        october, _ = rows_of(client, LINES, Scope(period=OCTOBER))
        asked = [request.query["$filter"][0] for request in fake.sent(f"{prefix}generalLedgerEntries")]
    assert [(row["entry_number"], row["kind"]) for row in june] == [(1, "normal"), (2, "closing")]
    assert len(october) == 1
    assert asked == [
        "postingDate ge 2026-06-01 and postingDate le 2026-06-30",
        "postingDate gt 2026-06-30 and postingDate lt 2026-07-01",
        "postingDate ge 2026-10-01 and postingDate le 2026-10-31",
    ]
