# SPDX-License-Identifier: Apache-2.0
"""What accounts, dimension values and periods allow to be posted: master data as a journal to be posted sees it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company, FiscalType
from airflow_provider_mlconnector.systems.dynamics_fo.names import day_of
from airflow_provider_mlconnector.systems.dynamics_fo.resources import (
    DIMENSIONS,
    FISCAL_PERIODS,
    LEDGER_PERIODS,
    Resource,
)
from airflow_provider_mlconnector.systems.http.json_rows import fields_of
from airflow_provider_mlconnector.systems.http.keyset import literal

ACCOUNTS = Resource(
    "MainAccounts",
    fields_of(
        "ChartOfAccounts:t! MainAccountId:t! MainAccountType:t! IsSuspended:t! ActiveFrom:s ActiveTo:s "
        "DoNotAllowManualEntry:t! DebitCreditRequirement:t"
    ),
    order="ChartOfAccounts,MainAccountId",
)
VALUES = Resource(
    "FinancialDimensionValues",
    fields_of(
        "FinancialDimension:t! LegalEntityId:t! DimensionValue:t! IsSuspended:t! ActiveFrom:s ActiveTo:s IsTotal:t "
        "IsBlockedForManualEntry:t"
    ),
    order="FinancialDimension,LegalEntityId,DimensionValue",
)

_NOT_POSTED_TO = frozenset({"Total", "Reporting"})
_NO_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which something is active; None leaves a side open."""

    first: date | None
    last: date | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Span:
        """Return that of a row."""
        return cls(_day(row["ActiveFrom"]), _day(row["ActiveTo"]))

    def refusals(self, day: date) -> Iterator[str]:
        """Yield why a day is not one of them."""
        if self.first is not None and day < self.first:
            yield f"is active from {self.first} on, not yet on {day}"
        if self.last is not None and day > self.last:
            yield f"is active until {self.last}, not on {day} any more"


@dataclass(frozen=True, slots=True)
class PostingAccount:
    """A main account as far as posting goes; ``side`` is the only one that it may be posted to: Debit, Credit or ""."""

    kind: str
    suspended: bool
    manual: bool
    side: str
    active: Span

    def refusals(self, day: date, *, debit: bool) -> Iterator[str]:
        """Yield why a line cannot be posted to the account on a day."""
        if self.kind in _NOT_POSTED_TO:
            yield f"the account is of type {self.kind}, which carries no entries"
        if self.suspended:
            yield "the account is suspended"
        if not self.manual and self.kind not in _NOT_POSTED_TO:
            yield "the account does not allow manual entry"
        if self.side in ("Debit", "Credit") and debit != (self.side == "Debit"):
            yield f"the account takes {self.side.lower()}s alone"
        yield from (f"the account {refusal}" for refusal in self.active.refusals(day))


@dataclass(frozen=True, slots=True)
class PostingValue:
    """A dimension value as far as posting goes."""

    suspended: bool
    total: bool
    manual: bool
    active: Span

    def refusals(self, day: date) -> Iterator[str]:
        """Yield why a line with the value cannot be posted on a day."""
        if self.total:
            yield "is a total"
        if self.suspended:
            yield "is suspended"
        if not self.manual:
            yield "is blocked for manual entry"
        yield from self.active.refusals(day)


@dataclass(frozen=True, slots=True)
class Fiscal:
    """An operating period of the ledger's fiscal calendar; ``status`` is Open, OnHold or Closed."""

    name: str
    first: date
    last: date
    status: str


def posting_accounts(api: FinanceOperationsApi, company: Company) -> dict[str, PostingAccount]:
    """Return the accounts of the ledger's chart by number."""
    rows = api.rows(ACCOUNTS, [], where=f"ChartOfAccounts eq {literal(company.ledger.chart)}")
    return {
        row["MainAccountId"]: PostingAccount(
            kind=row["MainAccountType"],
            suspended=row["IsSuspended"] == "Yes",
            manual=row["DoNotAllowManualEntry"] != "Yes",
            side=row["DebitCreditRequirement"] or "",
            active=Span.of(row),
        )
        for row in rows
    }


def posting_values(
    api: FinanceOperationsApi, company: Company, codes: Collection[str]
) -> dict[str, dict[str, PostingValue]]:
    """Return the values of those of the dimensions that there are, by dimension in upper case."""
    names = {str(row["DimensionName"]).upper(): str(row["DimensionName"]) for row in api.rows(DIMENSIONS, [])}
    wanted = sorted({code.upper() for code in codes} & names.keys())
    return {code: _values(api, company, names[code]) for code in wanted}


def fiscal_periods(api: FinanceOperationsApi, company: Company) -> list[Fiscal]:
    """Return the operating periods of the ledger's calendar with their status in the ledger."""
    status_rows = api.rows(LEDGER_PERIODS, [], where=f"LegalEntityId eq {literal(company.ledger.company)}")
    statuses = {(row["YearName"], row["PeriodName"]): row["PeriodStatus"] for row in status_rows}
    rows = api.rows(FISCAL_PERIODS, [], where=f"Calendar eq {literal(company.ledger.calendar)}")
    return [
        Fiscal(
            name=f"{row['FiscalYear']} {row['PeriodName']}",
            first=day_of(row["StartDate"]),
            last=day_of(row["EndDate"]),
            status=statuses.get((row["FiscalYear"], row["PeriodName"]), "Closed"),
        )
        for row in rows
        if row["Type"] == FiscalType.OPERATING
    ]


def _values(api: FinanceOperationsApi, company: Company, name: str) -> dict[str, PostingValue]:
    ours = f"(LegalEntityId eq '' or LegalEntityId eq {literal(company.ledger.company)})"
    rows = api.rows(VALUES, [], where=f"FinancialDimension eq {literal(name)} and {ours}")
    return {
        row["DimensionValue"]: PostingValue(
            suspended=row["IsSuspended"] == "Yes",
            total=row["IsTotal"] == "Yes",
            manual=row["IsBlockedForManualEntry"] != "Yes",
            active=Span.of(row),
        )
        for row in rows
    }


def _day(at: datetime | None) -> date | None:
    """Return the day of a date; None where it is blank."""
    return None if at is None or day_of(at) <= _NO_DAY else day_of(at)
