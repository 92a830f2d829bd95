# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import CapabilityError, SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.systems.business_central.hierarchy import parents_by_totals
from airflow_provider_mlconnector.systems.business_central.names import decode_name
from airflow_provider_mlconnector.systems.port import FindingKind, Scope
from tests.unit.systems.business_central.fake_company import OTHER, company, rows_of
from tests.unit.systems.http.scripted_server import as_json

STAMP = "2026-11-19T08:12:33.497Z"


def account(number: str, kind: str = "Posting", category: str = "Expense", **other):
    return {
        "id": f"id-{number}",
        "number": number,
        "displayName": f"Account {number}",
        "category": category,
        "subCategory": "Rent",
        "blocked": False,
        "accountType": kind,
        "directPosting": True,
        "netChange": 12.5,
        "consolidationTranslationMethod": "Average Rate (Manual)",
        "consolidationDebitAccount": "",
        "consolidationCreditAccount": "",
        "excludeFromConsolidation": False,
        "lastModifiedDateTime": "0001-01-01T00:00:00Z",
    } | other


CHART = [
    account("10000", "Begin_x002D_Total", "Assets"),
    account("11000", category="Assets"),
    account("19999", "End_x002D_Total", "Assets"),
    account("60000", "Heading", "_x0020_"),
    account("61100", category="Cost_x0020_of_x0020_Goods_x0020_Sold"),
]


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("G_x002F_L_x0020_Account", "G/L Account"),
        ("Begin_x002D_Total", "Begin-Total"),
        ("_x0020_", ""),
        ("Posting", "Posting"),
        ("x_x00E9_", "xé"),
        ("_x12_", "_x12_"),
    ],
)
def test_names_of_enum_members_are_decoded(wire, name):
    assert decode_name(wire) == name


def test_totals_nest_and_a_stray_end_does_no_harm():
    rows = [
        ("1", "Begin-Total"),
        ("2", "Begin-Total"),
        ("3", "Posting"),
        ("4", "End-Total"),
        ("5", "Heading"),
        ("6", "End-Total"),
        ("7", "Posting"),
        ("8", "End-Total"),
    ]
    assert parents_by_totals(rows) == [None, "1", "2", "1", "1", None, None, None]


def test_accounts_come_whole_with_parents_from_the_totals_around():
    with company() as (fake, client):
        fake.sets["accounts"] = CHART
        rows, reading = rows_of(client, Dataset.ACCOUNTS)
        assert fake.sent("accounts")[0].query == {"$orderby": ["number"]}
    assert [row["parent"] for row in rows] == [None, "10000", None, None, None]
    assert [row["account_type"] for row in rows] == ["Begin-Total", "Posting", "End-Total", "Heading", "Posting"]
    assert [row["category"] for row in rows] == ["Assets", "Assets", "Assets", "", "Cost of Goods Sold"]
    statements = ["Balance Sheet", "Balance Sheet", "Balance Sheet", None, "Income Statement"]
    assert [row["statement"] for row in rows] == statements
    assert rows[1] == rows[1] | {
        "record_id": "id-11000",
        "document": "11000",
        "modified_at": None,
        "name": "Account 11000",
        "blocked": False,
        "direct_posting": True,
        "statistical": False,
    }
    assert reading.findings == []


def test_the_finance_api_knows_the_parents_better():
    with company(source=FinanceApi.AUTO) as (fake, client):
        fake.sets["accounts"] = CHART
        fake.sets["finance:generalLedgerAccounts"] = [
            {"accountNumber": "61100", "parentAccountNumber": "60000", "incomeBalance": "Income_x0020_Statement"},
            {"accountNumber": "60000", "parentAccountNumber": "", "incomeBalance": "Income_x0020_Statement"},
        ]
        rows, _ = rows_of(client, Dataset.ACCOUNTS)
    assert {row["account"]: (row["parent"], row["statement"]) for row in rows} == {
        "10000": (None, None),
        "11000": (None, None),
        "19999": (None, None),
        "60000": (None, "Income Statement"),
        "61100": ("60000", "Income Statement"),
    }


def test_cost_centres_are_the_values_of_the_named_dimension():
    with company() as (fake, client):
        fake.sets["dimensions"] = [{"id": "d1", "code": "DEPARTMENT"}, {"id": "d2", "code": "AREA"}]
        fake.sets["dimensions(d1)/dimensionValues"] = [
            {
                "id": "v1",
                "code": "SALES",
                "dimensionId": "d1",
                "displayName": "Sales",
                "consolidationCode": "",
                "lastModifiedDateTime": STAMP,
            }
        ]
        rows, _ = rows_of(client, Dataset.COST_CENTRES, Scope(dimensions=("DEPARTMENT",)))
    assert rows == [
        {
            "record_id": "v1",
            "document": "SALES",
            "modified_at": datetime(2026, 11, 19, 8, 12, 33, 497000, UTC),
            "dimension": "DEPARTMENT",
            "code": "SALES",
            "name": "Sales",
            "parent": None,
            "value_type": None,
            "blocked": None,
        }
    ]


def test_the_finance_api_tells_types_and_blocked_values():
    def value(code: str, kind: str, blocked: bool = False):
        return {
            "id": f"id-{code}",
            "dimensionCode": "DEPARTMENT",
            "dimensionValueCode": code,
            "dimensionValueName": code.title(),
            "dimensionValueType": kind,
            "blocked": blocked,
            "lastModifiedDateTime": STAMP,
        }

    with company(source=FinanceApi.AUTO) as (fake, client):
        fake.sets["dimensions"] = [{"id": "d1", "code": "O'NEIL"}]
        fake.sets["finance:dimensionValues"] = [value("A", "Begin_x002D_Total"), value("ADM", "Standard", blocked=True)]
        rows, _ = rows_of(client, Dataset.COST_CENTRES, Scope(dimensions=("O'NEIL",)))
        assert fake.sent("finance:dimensionValues")[-1].query["$filter"] == ["dimensionCode eq 'O''NEIL'"]
    assert [(row["code"], row["parent"], row["value_type"], row["blocked"]) for row in rows] == [
        ("A", None, "Begin-Total", False),
        ("ADM", "A", "Standard", True),
    ]


def test_cost_centres_need_a_dimension_that_the_company_has():
    with company() as (fake, client):
        fake.sets["dimensions"] = [{"id": "d1", "code": "DEPARTMENT"}]
        with pytest.raises(CapabilityError, match="none is named"):
            rows_of(client, Dataset.COST_CENTRES)
        with pytest.raises(CapabilityError, match="no dimension DEPT; it has DEPARTMENT"):
            rows_of(client, Dataset.COST_CENTRES, Scope(dimensions=("DEPT",)))


def test_vendors_come_with_their_balance():
    with company() as (fake, client):
        fake.sets["vendors"] = [
            {
                "id": "v1",
                "number": "V01",
                "displayName": "Fabrikam",
                "blocked": "_x0020_",
                "currencyCode": "EUR",
                "balance": -1250.75,
                "lastModifiedDateTime": STAMP,
                "taxRegistrationNumber": "GB1",
            }
        ]
        rows, reading = rows_of(client, Dataset.VENDORS)
        assert "taxRegistrationNumber" not in fake.sent("vendors")[0].query["$select"][0]
    assert rows[0] == rows[0] | {"number": "V01", "blocked": "", "currency": "EUR", "balance": Decimal("-1250.75")}
    assert reading.cursor == datetime(2026, 11, 19, 8, 12, 33, 497000, UTC)


def test_of_employees_nothing_is_asked_for_that_no_plan_needs():
    with company() as (fake, client):
        fake.sets["employees"] = [
            {
                "id": "e1",
                "number": "E01",
                "displayName": "Ada King",
                "jobTitle": "Controller",
                "status": "Active",
                "lastModifiedDateTime": STAMP,
                "birthDate": "1990-12-10",
                "iban": "GB00",
            }
        ]
        rows, _ = rows_of(client, Dataset.EMPLOYEES)
        (request,) = fake.sent("employees")
    assert request.query["$select"] == ["id,number,displayName,jobTitle,status,lastModifiedDateTime"]
    assert rows[0] == rows[0] | {"number": "E01", "name": "Ada King", "job_title": "Controller", "status": "Active"}


def test_a_selected_column_that_is_gone_is_drift_in_the_servers_own_words():
    message = "Could not find a property named 'jobTitle' on type 'Microsoft.NAV.employee'.  CorrelationId:  1."
    with company() as (fake, client):
        error = {"error": {"code": "BadRequest_InvalidRequestUrl", "message": message}}
        fake.replies["employees"] = [as_json(error, status=400)]
        with pytest.raises(SchemaDriftError, match="no column jobTitle any more"):
            rows_of(client, Dataset.EMPLOYEES)


def accounting_period(start: str, **other):
    return {
        "id": f"{OTHER[:-4]}{start[5:7]}00",
        "startingDate": start,
        "name": "Month",
        "newFiscalYear": False,
        "closed": False,
        "dateLocked": True,
        "lastModifiedDateTime": STAMP,
    } | other


def test_an_accounting_period_ends_on_the_day_before_the_next():
    with company() as (fake, client):
        fake.sets["accountingPeriods"] = [
            accounting_period("2026-11-01", dateLocked=False),
            accounting_period("2026-09-01", closed=True),
            accounting_period("2026-10-01"),
        ]
        rows, reading = rows_of(client, Dataset.PERIODS)
    assert [(row["period"], row["start"], row["end"], row["closed"], row["locked"]) for row in rows] == [
        ("FY2027-P03", date(2026, 9, 1), date(2026, 9, 30), True, True),
        ("FY2027-P04", date(2026, 10, 1), date(2026, 10, 31), False, True),
        ("FY2027-P05", date(2026, 11, 1), None, False, False),
    ]
    assert reading.findings == []


def test_an_accounting_period_outside_our_calendar_is_reported():
    with company() as (fake, client):
        fake.sets["accountingPeriods"] = [accounting_period("1850-01-01"), accounting_period("2026-10-01")]
        rows, reading = rows_of(client, Dataset.PERIODS)
    assert [row["period"] for row in rows] == ["FY2027-P04"]
    assert [(found.kind, found.subject) for found in reading.findings] == [(FindingKind.ROW_INVALID, "1850-01-01")]


@pytest.mark.parametrize("dataset", [Dataset.ACCOUNTS, Dataset.VENDORS, Dataset.EMPLOYEES, Dataset.PERIODS])
def test_an_empty_company_is_no_error(dataset):
    with company() as (fake, client):
        for name in ("accounts", "vendors", "employees", "accountingPeriods"):
            fake.sets[name] = []
        assert rows_of(client, dataset)[0] == []
