# SPDX-License-Identifier: Apache-2.0
"""What has to be known of a company before its figures can be read: its ledger, and the periods of its calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from airflow_provider_mlconnector.errors import ConfigurationError, DataError, UnknownNameError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.entities import LEDGERS, YEARS, FinancialYear, Ledger
from airflow_provider_mlconnector.systems.acumatica.lists import ListReader
from airflow_provider_mlconnector.systems.acumatica.wrapped import day

ACTUAL = "Actual"
_POST_PERIOD = re.compile(r"(\d\d)-?(\d{4})")
_STORED_PERIOD = re.compile(r"((?:19|20|21)\d\d)(0[1-9]|1[0-5])")


@dataclass(frozen=True, slots=True)
class PostPeriod:
    """A period of the master calendar.

    :param code: as records name it: number and year, such as ``052027``.
    :param adjusting: it takes adjustments after a year's last ordinary period, and has no days of its own.
    """

    year: int
    number: int
    start: date | None
    end: date | None
    name: str
    status: str
    adjusting: bool

    @property
    def code(self) -> str:
        """Return the period as records name it."""
        return f"{self.number:02d}{self.year:04d}"


def parse_post_period(text: str) -> tuple[int, int]:
    """Return year and number of a period: ``052027`` or ``05-2027``, or ``202705`` as it is stored.

    :raises DataError: when it is none.
    """
    if match := _STORED_PERIOD.fullmatch(text):
        return int(match[1]), int(match[2])
    if match := _POST_PERIOD.fullmatch(text):
        return int(match[2]), int(match[1])
    raise DataError(f"'{text}' is no financial period.", hint="Expected is a period such as 05-2027.")


class Company:
    """The ledger and the calendar of a connection's company, each asked for once."""

    def __init__(self, api: AcumaticaApi) -> None:
        self._api = api

    @cached_property
    def ledger(self) -> Ledger:
        """Return the ledger that is read: the connection's, or the only actual one of the branch.

        :raises UnknownNameError: when there is none or more than one; lists those that there are.
        """
        connection = self._api.connection
        known = [ledger for portion in ListReader(self._api, LEDGERS, []).read() for ledger in portion]
        if connection.ledger:
            found = [ledger for ledger in known if ledger.LedgerID.value == connection.ledger]
        else:
            found = [ledger for ledger in known if ledger.Type.value == ACTUAL and _has(ledger, connection.branch)]
        if len(found) == 1:
            return found[0]
        what = f"ledger '{connection.ledger}'" if connection.ledger else "actual ledger"
        raise UnknownNameError(
            f"{'More than one' if found else 'No'} {what} is kept for {connection.branch or 'the tenant'}.",
            candidates=[f"{ledger.LedgerID.value} ({ledger.Type.value})" for ledger in known],
            hint="Enter the code of a ledger, and of a branch that posts to it, in the connection.",
        )

    @property
    def ledger_id(self) -> str:
        """Return the code of the ledger."""
        return self.ledger.LedgerID.value or ""

    @cached_property
    def periods(self) -> tuple[PostPeriod, ...]:
        """Return the periods of the master calendar, in order."""
        years = (year for portion in ListReader(self._api, YEARS, []).read() for year in portion)
        return tuple(
            sorted((period for year in years for period in _periods(year)), key=lambda one: (one.year, one.number))
        )

    def posted_to(self, period: Period) -> tuple[PostPeriod, ...]:
        """Return what counts as a fiscal period: its own, and after the last of a year those for adjustments.

        :raises ConfigurationError: when the master calendar has no such period, or other days for it.
        """
        year = [one for one in self.periods if one.year == period.year]
        own = next((one for one in year if one.number == period.number and not one.adjusting), None)
        if own is None or (own.start, own.end) != (period.start, period.end):
            days = f"{own.start} to {own.end}" if own else "nothing"
            raise ConfigurationError(
                f"The flow's calendar has {period.key} from {period.start} to {period.end}; "
                f"the master calendar of Acumatica has {days} as {period.number:02d}-{period.year}.",
                hint="Compare the flow's calendar file with the form GL201000.",
            )
        is_last = all(one.adjusting or one.number <= own.number for one in year)
        return (own, *(one for one in year if one.adjusting)) if is_last else (own,)

    def key_of(self, code: str) -> tuple[str, bool]:
        """Return the key of the fiscal period that a record's period counts as, and whether it is for adjustments."""
        year, number = parse_post_period(code)
        adjusting = [one.number for one in self.periods if one.year == year and one.adjusting]
        if number not in adjusting:
            return f"FY{year}-P{number:02d}", False
        ordinary = [one.number for one in self.periods if one.year == year and not one.adjusting]
        return f"FY{year}-P{max(ordinary):02d}", True


def _has(ledger: Ledger, branch: str) -> bool:
    return not branch or branch in [one.BranchID.value for one in ledger.Branches]


def _periods(year: FinancialYear) -> Iterator[PostPeriod]:
    for one in year.Details:
        named, number = parse_post_period(one.FinancialPeriodID.value or "")
        yield PostPeriod(
            named,
            number,
            day(one.StartDate),
            day(one.EndDate),
            one.Description.value or "",
            one.Status.value or "",
            bool(one.AdjustmentPeriod.value),
        )
