# SPDX-License-Identifier: Apache-2.0
"""Accounts, cost centres, vendors and periods as they stand today.

They carry no modified stamp, so each is read whole. Accounts and dimension values are shared by companies: those of the
ledger's chart, and the values that belong to all companies or to this one, are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import KeyOf, canonical_batch
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company, FiscalType
from airflow_provider_mlconnector.systems.dynamics_fo.dimensions import check_dimensions
from airflow_provider_mlconnector.systems.dynamics_fo.names import day_of
from airflow_provider_mlconnector.systems.dynamics_fo.resources import (
    ACCOUNTS,
    DIMENSION_VALUES,
    DIMENSIONS,
    FISCAL_PERIODS,
    LEDGER_PERIODS,
    VENDORS,
)
from airflow_provider_mlconnector.systems.http.keyset import literal
from airflow_provider_mlconnector.systems.periods import LedgerPeriod, periods_batch
from airflow_provider_mlconnector.systems.port import PeriodStatus, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

CATEGORIES = {
    "Asset": "Assets",
    "Liability": "Liabilities",
    "Equity": "Equity",
    "Revenue": "Income",
    "Expense": "Expense",
}
"""The category that an account's type says, in the words that tell its natural sign."""

_ON_BALANCE_SHEET = frozenset({"Asset", "Liability", "Equity", "BalanceSheet"})
_IN_RESULT = frozenset({"Revenue", "Expense", "ProfitAndLoss"})


def read_accounts(api: FinanceOperationsApi, company: Company, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the chart of accounts of the company's ledger, totals included."""
    reading.resource = ACCOUNTS.name
    rows = api.rows(ACCOUNTS, reading.findings, where=f"ChartOfAccounts eq {literal(company.ledger.chart)}")
    kinds = [row["MainAccountType"] for row in rows]
    columns = {
        "record_id": [str(row["MainAccountRecId"]) for row in rows],
        "document": [row["MainAccountId"] for row in rows],
        "account": [row["MainAccountId"] for row in rows],
        "name": [row["Name"] for row in rows],
        "parent": [row["ParentMainAccountId"] or None for row in rows],
        "account_type": kinds,
        "category": [CATEGORIES.get(kind, "") for kind in kinds],
        "subcategory": [row["AccountCategoryDescription"] for row in rows],
        "statement": [_statement(kind) for kind in kinds],
        "blocked": [row["IsSuspended"] == "Yes" for row in rows],
        "direct_posting": [row["DoNotAllowManualEntry"] != "Yes" for row in rows],
        "statistical": [False] * len(rows),
    }
    yield canonical_batch(Dataset.ACCOUNTS, columns)


def read_cost_centres(
    api: FinanceOperationsApi, company: Company, scope: Scope, reading: Reading
) -> Iterator[pa.RecordBatch]:
    """Yield the values of each dimension that the scope names; a value's group is its parent.

    :raises CapabilityError: when it names none, or one that the environment does not have.
    """
    if not scope.dimensions:
        raise CapabilityError(
            "Cost centres are the values of a dimension, and none is named.", hint="Name it, such as Department."
        )
    reading.resource = DIMENSION_VALUES.name
    check_dimensions(api, scope.dimensions)
    names = {str(row["DimensionName"]).upper(): str(row["DimensionName"]) for row in api.rows(DIMENSIONS, [])}
    ours = f"(LegalEntityId eq '' or LegalEntityId eq {literal(company.ledger.company)})"
    for code in scope.dimensions:
        where = f"FinancialDimension eq {literal(names[code.upper()])} and {ours}"
        yield _values(code, api.rows(DIMENSION_VALUES, reading.findings, where=where))


def _values(code: str, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    values = [row["DimensionValue"] for row in rows]
    columns = {
        "record_id": [f"{code}/{value}" for value in values],
        "document": values,
        "dimension": [code] * len(rows),
        "code": values,
        "name": [row["Description"] for row in rows],
        "parent": [row["GroupDimension"] or None for row in rows],
        "value_type": ["Total" if row["IsTotal"] == "Yes" else "Standard" for row in rows],
        "blocked": [row["IsSuspended"] == "Yes" for row in rows],
    }
    return canonical_batch(Dataset.COST_CENTRES, columns)


def read_vendors(api: FinanceOperationsApi, company: Company, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the vendors of the company; what we owe them is not told here."""
    reading.resource = VENDORS.name
    rows = api.rows(VENDORS, reading.findings, where=f"dataAreaId eq {literal(company.ledger.company)}")
    numbers = [row["VendorAccountNumber"] for row in rows]
    columns = {
        "record_id": numbers,
        "document": numbers,
        "number": numbers,
        "name": [row["VendorOrganizationName"] for row in rows],
        "blocked": ["" if row["OnHoldStatus"] == "No" else row["OnHoldStatus"] for row in rows],
        "currency": [row["CurrencyCode"] for row in rows],
    }
    yield canonical_batch(Dataset.VENDORS, columns)


def read_periods(
    api: FinanceOperationsApi, company: Company, reading: Reading, key_of: KeyOf
) -> Iterator[pa.RecordBatch]:
    """Yield the operating periods of the ledger's fiscal calendar; one that our calendar does not know is reported."""
    reading.resource = FISCAL_PERIODS.name
    statuses = _statuses(api, company)
    periods = (
        LedgerPeriod(
            key=key_of(day_of(row["StartDate"])),
            record_id=_name(row),
            document=_name(row),
            name=row["PeriodName"],
            start=day_of(row["StartDate"]),
            end=day_of(row["EndDate"]),
            closed=statuses.get(_name(row)) == "Closed",
            locked=statuses.get(_name(row)) == "OnHold",
        )
        for row in _operating(api, company)
    )
    yield periods_batch(periods, reading)


def period_status(api: FinanceOperationsApi, company: Company, period: Period) -> PeriodStatus:
    """Say whether a period may be posted into: whether one of the operating periods within it is open."""
    statuses = _statuses(api, company)
    found = {statuses.get(_name(row), "") for row in _operating(api, company) if _within(row, period)}
    if not found:
        return PeriodStatus.UNKNOWN
    return PeriodStatus.OPEN if "Open" in found else PeriodStatus.CLOSED


def _within(row: dict[str, Any], period: Period) -> bool:
    first, last = day_of(row["StartDate"]), day_of(row["EndDate"])
    return first <= period.end and last >= period.start


def _operating(api: FinanceOperationsApi, company: Company) -> list[dict[str, Any]]:
    rows = api.rows(FISCAL_PERIODS, [], where=f"Calendar eq {literal(company.ledger.calendar)}")
    return sorted((row for row in rows if row["Type"] == FiscalType.OPERATING), key=_start)


def _start(row: dict[str, Any]) -> date:
    return day_of(row["StartDate"])


def _statuses(api: FinanceOperationsApi, company: Company) -> dict[str, str]:
    rows = api.rows(LEDGER_PERIODS, [], where=f"LegalEntityId eq {literal(company.ledger.company)}")
    return {f"{row['YearName']}/{row['PeriodName']}": row["PeriodStatus"] for row in rows}


def _name(row: dict[str, Any]) -> str:
    return f"{row['FiscalYear']}/{row['PeriodName']}"


def _statement(kind: str) -> str | None:
    if kind in _ON_BALANCE_SHEET:
        return "Balance Sheet"
    return "Income Statement" if kind in _IN_RESULT else None
