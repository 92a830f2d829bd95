# SPDX-License-Identifier: Apache-2.0
"""What only the company's database knows, by statements that read: period balances, segment names, periods, batches.

GL10110 (open years) and GL10111 (closed ones) hold the net change of every account and period; period 0 is what a year
began with. GL40200 names the values of segments. SY40100 is the fiscal calendar; PSERIES_2 closes the financial series.
SY00500 holds the batches that were not posted; series 2 is the financial one.
The statements are the same for SQL Server and every other database, and take no parameters but whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.dynamics_gp.connection import Query

LEDGERS = {"Base": 1, "IFRS": 2, "Local": 3}
UNIT_ACCOUNT = 2

BALANCES = """
SELECT a.ACTNUMST, b.PERIODID, b.PERDBLNC, b.DEBITAMT, b.CRDTAMNT
FROM (
    SELECT ACTINDX, YEAR1, PERIODID, Ledger_ID, PERDBLNC, DEBITAMT, CRDTAMNT FROM GL10110
    UNION ALL SELECT ACTINDX, YEAR1, PERIODID, Ledger_ID, PERDBLNC, DEBITAMT, CRDTAMNT FROM GL10111
) b
JOIN GL00105 a ON a.ACTINDX = b.ACTINDX
JOIN GL00100 c ON c.ACTINDX = b.ACTINDX
WHERE b.YEAR1 = {year:d} AND b.PERIODID <= {period:d} AND b.Ledger_ID = {ledger:d} AND c.ACCTTYPE <> 2
"""
SEGMENT_NAMES = "SELECT SGMNTID, DSCRIPTN FROM GL40200 WHERE SGMTNUMB = {segment:d}"
PERIODS = (
    "SELECT YEAR1, PERIODID, PERIODDT, PERDENDT, PSERIES_2 FROM SY40100 "
    "WHERE SERIES = 0 AND PERIODID > 0 ORDER BY PERIODDT"
)
BATCHES = "SELECT BCHSOURC, BACHNUMB, BCHSTTUS, APPROVL, ERRSTATE FROM SY00500 WHERE SERIES = 2"


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """A period as the fiscal calendar has it; ``closed`` for the financial series."""

    year: int
    number: int
    start: date
    end: date
    closed: bool


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch of the financial series; ``status`` is 0 for one that can be worked on."""

    source: str
    name: str
    status: int
    approved: bool
    in_error: bool


@dataclass(frozen=True, slots=True)
class PeriodBalance:
    """An account, by its whole number, in a period; period 0 is what the year began with."""

    account: str
    period: int
    net: Decimal
    debit: Decimal
    credit: Decimal


class GpTables:
    """Reads the tables of one company's database.

    :param query: runs a statement and returns its rows.
    """

    def __init__(self, query: Query) -> None:
        self._query = query

    def fiscal_periods(self) -> list[FiscalPeriod]:
        """Return the fiscal calendar in order of time."""
        return [
            FiscalPeriod(int(year), int(number), _day(first), _day(last), bool(int(closed)))
            for year, number, first, last, closed in self._query(PERIODS)
        ]

    def fiscal_period(self, period: Period) -> FiscalPeriod | None:
        """Return the period of the ledger that a period of our calendar is; None when it has none of the same days."""
        days = (period.start, period.end)
        return next((found for found in self.fiscal_periods() if (found.start, found.end) == days), None)

    def batches(self) -> list[BatchRow]:
        """Return the batches of the financial series that were not posted."""
        return [
            BatchRow(str(source).strip(), str(name).strip(), int(status), bool(int(approved)), bool(int(error)))
            for source, name, status, approved, error in self._query(BATCHES)
        ]

    def balances(self, period: FiscalPeriod, ledger: str) -> list[PeriodBalance]:
        """Return what accounts had in a year up to a period."""
        statement = BALANCES.format(year=period.year, period=period.number, ledger=LEDGERS[ledger])
        return [
            PeriodBalance(str(account).strip(), int(number), _money(net), _money(debit), _money(credit))
            for account, number, net, debit, credit in self._query(statement)
        ]

    def segment_names(self, segment: int) -> Mapping[str, str]:
        """Return the names of a segment's values; segments count from 1."""
        rows: Sequence[Sequence[Any]] = self._query(SEGMENT_NAMES.format(segment=segment))
        return {str(code).strip(): str(name or "").strip() for code, name in rows}


def _money(value: Any) -> Decimal:
    """Return an amount; a database that gives a float has lost it already.

    :raises DataError: for a float.
    """
    if isinstance(value, float):
        raise DataError(
            "The database gives amounts as floats.", hint="Use a connection whose driver keeps numeric columns exact."
        )
    return Decimal(str(value))


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
