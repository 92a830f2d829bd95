# SPDX-License-Identifier: Apache-2.0
"""The legal entity that is read: its ledger, its chart of accounts, and its fiscal calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from airflow_provider_mlconnector.errors import ConfigurationError, UnknownNameError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import KeyOf
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.names import day_of
from airflow_provider_mlconnector.systems.dynamics_fo.resources import (
    ACCOUNTS,
    FISCAL_RECORDS,
    HEADERS,
    LEDGERS,
    LEGAL_ENTITIES,
    Resource,
    published,
)
from airflow_provider_mlconnector.systems.http.keyset import literal


class FiscalType(StrEnum):
    """What is posted to a record of a fiscal calendar."""

    OPENING = "Opening"
    OPERATING = "Operating"
    CLOSING = "Closing"


@dataclass(frozen=True, slots=True)
class FiscalRecord:
    """A period of a fiscal calendar as journals name it: by its number."""

    number: int
    calendar: int
    year: int
    name: str
    type: str
    start: date
    end: date

    @property
    def day(self) -> date:
        """Return the day that tells to which of our periods it belongs: closing periods belong to what they close."""
        return self.end if self.type == FiscalType.CLOSING else self.start


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of a legal entity."""

    company: str
    company_name: str
    number: int
    chart: str
    calendar: str
    currency: str


class Company:
    """What of the environment belongs to the connection's company; each thing is asked for once."""

    def __init__(self, api: FinanceOperationsApi) -> None:
        self._api = api
        self.headers: Resource = published(HEADERS, api.connection.headers)

    @cached_property
    def ledger(self) -> Ledger:
        """The company's ledger.

        :raises UnknownNameError: when the environment has no such company, or several of that name.
        """
        wanted = self._api.connection.company.casefold()
        entities = self._api.rows(LEGAL_ENTITIES, [])
        found = [row for row in entities if wanted in (row["LegalEntityId"].casefold(), row["Name"].casefold())]
        if len(found) != 1:
            how_many = "More than one legal entity" if found else "No legal entity"
            raise UnknownNameError(
                f"{how_many} of the environment is called '{self._api.connection.company}'.",
                candidates=[row["LegalEntityId"] for row in entities],
                hint="Enter its id, such as usmf.",
            )
        company = found[0]["LegalEntityId"]
        ledgers = self._api.rows(LEDGERS, [], where=f"LegalEntityId eq {literal(company)}")
        if not ledgers:
            raise ConfigurationError(f"Legal entity {company} has no ledger.", hint="Set one up in General ledger.")
        row = ledgers[0]
        return Ledger(
            company=company,
            company_name=found[0]["Name"],
            number=row["LedgerRecId"],
            chart=row["ChartOfAccounts"],
            calendar=row["FiscalCalendar"],
            currency=row["AccountingCurrency"] or "",
        )

    @property
    def posted(self) -> str:
        """The filter of the company's journals."""
        return f"{self.headers.field('Ledger')} eq {self.ledger.number}"

    @cached_property
    def accounts(self) -> dict[int, str]:
        """The numbers of main accounts by those that lines name them by."""
        rows = self._api.rows(ACCOUNTS, [], where=f"ChartOfAccounts eq {literal(self.ledger.chart)}")
        return {row["MainAccountRecId"]: row["MainAccountId"] for row in rows}

    @cached_property
    def fiscal_records(self) -> dict[int, FiscalRecord]:
        """The records of all fiscal calendars by their numbers."""
        rows = self._api.rows(FISCAL_RECORDS, [])
        return {
            row["SourceKey"]: FiscalRecord(
                number=row["SourceKey"],
                calendar=row["FiscalCalendar"],
                year=row["FiscalCalendarYear"],
                name=row["Name"] or "",
                type=row["Type"],
                start=day_of(row["StartDate"]),
                end=day_of(row["EndDate"]),
            )
            for row in rows
        }

    @cached_property
    def own_records(self) -> tuple[FiscalRecord, ...]:
        """The records of the company's own calendar in order of time, as its first journal shows which one that is.

        None without any journal: ledgers name their calendar by its name, and journals by its number.
        """
        shown = self._api.first_row(self.headers, "FiscalCalendarPeriod", self.posted)
        if shown is None:
            return ()
        own = self.fiscal_records[shown].calendar
        records = [record for record in self.fiscal_records.values() if record.calendar == own]
        return tuple(sorted(records, key=lambda record: (record.start, record.end, record.number)))

    def records_of(self, period: Period, key_of: KeyOf) -> Sequence[FiscalRecord]:
        """Return the records that a period of ours consists of.

        :raises ConfigurationError: when one of them reaches out of it, so that the calendars differ.
        """
        records = [record for record in self.own_records if key_of(record.day) == period.key]
        for record in records:
            if record.type == FiscalType.OPERATING and not (
                period.contains(record.start) and period.contains(record.end)
            ):
                raise ConfigurationError(
                    f"{record.name} of the ledger's fiscal calendar is {record.start} to {record.end}, "
                    f"which is not within {period.key}, {period.start} to {period.end}.",
                    hint="Give the flow a calendar that cuts the year as the ledger's does.",
                )
        return records
