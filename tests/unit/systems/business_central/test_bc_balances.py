# SPDX-License-Identifier: Apache-2.0
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import CapabilityError, DataError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.business_central.balances import american_amount
from airflow_provider_mlconnector.systems.business_central.connection import BalanceSource
from airflow_provider_mlconnector.systems.port import Scope
from tests.unit.systems.business_central.fake_company import OCTOBER, OTHER, company, line, rows_of

BALANCES = Dataset.ACCOUNT_BALANCES


def trial(number: str, debit: str, credit: str, closing_debit: str, closing_credit: str, kind: str = "Posting"):
    return {
        "number": number,
        "accountId": OTHER,
        "accountType": kind,
        "display": "x",
        "totalDebit": debit,
        "totalCredit": credit,
        "balanceAtDateDebit": closing_debit,
        "balanceAtDateCredit": closing_credit,
        "dateFilter": "2026-10-31",
    }


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("72,893.84", "72893.84"),
        ("", "0"),
        ("0", "0"),
        ("1250.5", "1250.5"),
        ("-1,000", "-1000"),
        ("1,234,567", "1234567"),
    ],
)
def test_american_amounts_are_read(text, amount):
    assert american_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["72.893,84", "1,23", "1 234.5", "12,34,567", "1.", "(5.00)", "NaN", "1e5"])
def test_any_other_way_of_writing_is_refused(text):
    with pytest.raises(ValueError):
        american_amount(text)


def test_opening_is_closing_less_movement_and_totals_are_no_accounts():
    with company() as (fake, client):
        fake.sets["trialBalances"] = [
            trial("61100", "1,500.50", "250.25", "72,893.84", ""),
            trial("21000", "", "100", "", "1,100.00"),
            trial("69999", "1,500.50", "350.25", "72,893.84", "1,100.00", "End_x002D_Total"),
        ]
        rows, reading = rows_of(client, BALANCES, Scope(period=OCTOBER))
        (request,) = fake.sent("trialBalances")
    assert request.query["$filter"] == ["dateFilter ge 2026-10-01 and dateFilter le 2026-10-31"]
    assert request.headers["accept-language"] == "en-US"
    assert rows == [
        {
            "record_id": "FY2027-P04/21000",
            "document": "21000",
            "modified_at": None,
            "period": "FY2027-P04",
            "account": "21000",
            "opening": Decimal(-1000),
            "debit": Decimal(0),
            "credit": Decimal(100),
            "amount": Decimal(-100),
            "closing": Decimal(-1100),
        },
        rows[1],
    ]
    assert (rows[1]["opening"], rows[1]["amount"]) == (Decimal("71643.59"), Decimal("1250.25"))
    assert reading.resource == "v2.0/trialBalances"


def test_amounts_in_another_language_are_refused_and_not_guessed():
    with company() as (fake, client):
        fake.sets["trialBalances"] = [trial("61100", "1.500,50", "", "1.500,50", "")]
        with pytest.raises(DataError, match=r"account 61100 as '1\.500,50', which is not en-US"):
            rows_of(client, BALANCES, Scope(period=OCTOBER))


def test_balances_by_entries_tell_what_was_before_the_period_from_what_is_in_it():
    with company(balances=BalanceSource.ENTRIES, page_size=2) as (fake, client):
        fake.sets["generalLedgerEntries"] = [
            line(1, 100.10, postingDate="2025-07-01"),
            line(2, 0, 40, postingDate="2026-09-30"),
            line(3, 7.5, postingDate="2026-10-01"),
            line(4, 0, 2.25, postingDate="2026-10-31"),
            line(5, 3, accountNumber="10000"),
        ]
        rows, reading = rows_of(client, BALANCES, Scope(period=OCTOBER))
        assert fake.sent("generalLedgerEntries")[0].query["$filter"] == ["postingDate le 2026-10-31"]
    figures = [[row[name] for name in ("account", "opening", "debit", "credit", "closing")] for row in rows]
    assert figures == [
        ["10000", Decimal(0), Decimal(3), Decimal(0), Decimal(3)],
        ["61100", Decimal("60.10"), Decimal("7.5"), Decimal("2.25"), Decimal("65.35")],
    ]
    assert reading.resource == "v2.0/generalLedgerEntries"


def test_balances_are_those_of_a_period():
    with company() as (_, client), pytest.raises(CapabilityError, match="none is named"):
        rows_of(client, BALANCES)
