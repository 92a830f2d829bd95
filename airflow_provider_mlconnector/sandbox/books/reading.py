# SPDX-License-Identifier: Apache-2.0
"""What is in a company's books, and what it adds up to.

Which lines count, and in which period, is for a :class:`~.selection.Selection` to say; unless told otherwise all of
them do, in the periods that the books count them in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books.codes import EPOCH, MILLISECOND, Codes, milliseconds, money
from airflow_provider_mlconnector.sandbox.books.company import (
    CUSTOMERS,
    EMPLOYEES,
    LARKFIELD,
    VENDORS,
    Company,
    Partner,
)
from airflow_provider_mlconnector.sandbox.books.generator import TEXTS
from airflow_provider_mlconnector.sandbox.books.ledger import Ledger
from airflow_provider_mlconnector.sandbox.books.lines import (
    ACTUAL,
    ENTRY_KINDS,
    KINDS,
    NEVER_MODIFIED,
    PURCHASE_INVOICE,
    Kind,
    Line,
    PartyType,
    Rows,
    document_number,
    system_id,
)
from airflow_provider_mlconnector.sandbox.books.masterdata import MasterData
from airflow_provider_mlconnector.sandbox.books.periods import (
    CURRENT_KEY,
    FIRST_KEY,
    LAST_KEY,
    TODAY,
    packed_key,
    periods_between,
)
from airflow_provider_mlconnector.sandbox.books.selection import (
    EVERYTHING,
    Mask,
    Selection,
    Wanted,
    before_period,
    in_period,
)
from airflow_provider_mlconnector.sandbox.books.stock import Stock
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

_PARTIES: dict[PartyType, tuple[str, ...]] = {
    PartyType.CUSTOMER: tuple(customer.number for customer in CUSTOMERS),
    PartyType.VENDOR: tuple(vendor.number for vendor in VENDORS),
    PartyType.EMPLOYEE: tuple(employee.number for employee in EMPLOYEES),
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Balance:
    """An account in a period."""

    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def closing(self) -> Decimal:
        """Return the balance at the end of the period."""
        return self.opening + self.debit - self.credit


class BooksToRead(MasterData):
    """One company's master data, periods and ledger, to be looked at. Safe for threads."""

    customers: tuple[Partner, ...] = CUSTOMERS
    vendors: tuple[Partner, ...] = VENDORS
    employees = EMPLOYEES

    def __init__(self, *, seed: int, scale: float, clock: VirtualClock, company: Company = LARKFIELD) -> None:
        super().__init__(company, clock)
        self.code = company.code
        self.name = company.name
        self.currency = company.currency
        self.seed = seed
        self.scale = scale
        self.periods = periods_between(FIRST_KEY, LAST_KEY, company.fiscal)
        self.texts = Codes(TEXTS)
        self.ledgers = Codes((ACTUAL,))
        self.currencies = Codes((company.currency,))
        self.posting_window: tuple[date | None, date | None] = (None, None)
        self._closed = {period.key for period in self.periods if period.end < TODAY}
        self._places = {account.number: place for place, account in enumerate(self.accounts)}
        self.stock = Stock(clock)
        posted = periods_between(FIRST_KEY, CURRENT_KEY) if company.generated else ()
        self.ledger = Ledger(company=company.code, seed=seed, scale=scale, periods=posted, accounts=len(self.accounts))

    def period(self, key: str) -> Period:
        """Return the period of a key.

        :raises ConfigurationError: when it is no key.
        :raises ValueError: when the company's calendar has no such period.
        """
        return self.company.fiscal.period_of_key(key)

    def is_closed(self, key: str) -> bool:
        """Say whether a period was closed; posting into it is still possible, as it is in most ledgers."""
        return key in self._closed

    def lines(
        self, period: str | None = None, *, since: datetime | None = None, selection: Selection = EVERYTHING
    ) -> Iterator[Line]:
        """Yield the lines of a period, or all, in order of entry number; ``since`` leaves out those modified before."""
        threshold = NEVER_MODIFIED if since is None else milliseconds(since)
        for rows in self._rows(period, selection):
            yield from (self.line_of(row) for row in rows[rows["stamp"] >= threshold])

    def count(self, period: str | None = None, selection: Selection = EVERYTHING) -> int:
        """Return the number of lines of a period, or of all."""
        return sum(len(rows) for rows in self._rows(period, selection))

    def line(self, entry: int) -> Line:
        """Return one line.

        :raises KeyError: when there is none of that entry number.
        """
        return self.line_of(self.ledger.find(entry)[0])

    def trial_balance(self, period: str, selection: Selection = EVERYTHING) -> dict[str, Decimal]:
        """Return what was posted in a period, per account; accounts without postings are left out."""
        return self._net(period, selection, lambda account, _: account)

    def trial_balance_by_department(
        self, period: str, selection: Selection = EVERYTHING
    ) -> dict[tuple[str, str], Decimal]:
        """Return what was posted in a period, per account and department code (empty for none)."""
        return self._net(period, selection, lambda account, department: (account, department))

    def balances(self, period: str, selection: Selection = EVERYTHING) -> dict[str, Balance]:
        """Return opening balance, debits and credits of every account that has any of them.

        What was posted before counts whatever its kind: a year's closing entries make the next one begin with nothing
        on its income accounts.
        """
        found, places = self.period(period), self.statistical_places()
        earlier = before_period(found, by_date=selection.by_date)
        departments = len(self.departments.all)
        last_before = found.start - _DAY

        def before(rows: Rows) -> Mask:
            return earlier(rows) & selection.lines_of(rows, places)

        opened = self.ledger.sums(date.min, last_before, departments, before)
        within = self.ledger.sums(found.start, found.end, departments, self._wanted(period, selection))
        balances = {}
        for place, account in enumerate(self.accounts):
            opening = int(sum(opened.debit[place])) - int(sum(opened.credit[place]))
            debit, credit = int(sum(within.debit[place])), int(sum(within.credit[place]))
            if opening or debit or credit:
                balances[account.number] = Balance(money(opening), money(debit), money(credit))
        return balances

    def party_numbers(self, party: PartyType) -> tuple[str, ...]:
        """Return the numbers of all customers, vendors or employees."""
        return _PARTIES.get(party, ())

    def line_of(self, row: Any) -> Line:
        """Return a row as a line."""
        kind = KINDS[row["kind"]]
        parties = self.party_numbers(kind.party)
        party = parties[row["party"]] if parties else ""
        document = document_number(row["kind"], row["document"], self.texts.all)
        stamp, day = int(row["stamp"]), date.fromordinal(row["day"])
        account = self.accounts[row["account"]]
        return Line(
            entry_number=int(row["entry"]),
            system_id=system_id(int(row["entry"]), self.seed, int(row["life"])),
            posting_date=day,
            document=document,
            document_type=kind.type,
            external_document=self._external_document(row, kind, party, document),
            account=account.number,
            description=self.texts.all[row["text"]],
            amount=money(int(row["cents"])),
            department=self.departments.all[row["department"]],
            project=self.projects.all[row["project"]],
            source=kind.source,
            party_type=kind.party,
            party=party,
            reversed=bool(row["reversed"]),
            modified_at=None if stamp == NEVER_MODIFIED else EPOCH + stamp * MILLISECOND,
            period=packed_key(int(row["period"])) if row["period"] else self.company.fiscal.period_of(day).key,
            kind=ENTRY_KINDS[row["entry_kind"]],
            ledger=self.ledgers.all[row["ledger"]],
            currency=self.currencies.all[row["currency"]],
            currency_amount=money(int(row["foreign" if row["currency"] else "cents"])),
            statistical=account.statistical,
            storno=bool(row["storno"]),
        )

    def _external_document(self, row: Any, kind: Kind, party: str, document: str) -> str:
        """Return the number that others know a line's document by."""
        return f"{party}/{document[-6:]}" if kind is PURCHASE_INVOICE else self.texts.all[row["reference"]]

    def _rows(self, period: str | None, selection: Selection) -> Iterator[Rows]:
        found = self.period(period) if period else None
        first, last = (found.start, found.end) if found else (date.min, date.max)
        return self.ledger.select(first, last, self._wanted(period, selection))

    def _wanted(self, period: str | None, selection: Selection) -> Wanted:
        places = self.statistical_places()
        within = in_period(self.period(period), by_date=selection.by_date) if period else None

        def wanted(rows: Rows) -> Mask:
            mask = selection.kinds_of(rows) & selection.lines_of(rows, places)
            return mask & within(rows) if within else mask

        return wanted

    def _net(self, period: str, selection: Selection, key: Any) -> dict[Any, Decimal]:
        """Return debit minus credit under ``key(account, department)``, where there were postings at all."""
        found = self.period(period)
        departments = len(self.departments.all)
        sums = self.ledger.sums(found.start, found.end, departments, self._wanted(period, selection))
        net: dict[Any, int] = {}
        for account, department in zip(*np.nonzero((sums.debit != 0) | (sums.credit != 0)), strict=True):
            name = key(self.accounts[account].number, self.departments.all[department])
            net[name] = net.get(name, 0) + sums.debit[account, department] - sums.credit[account, department]
        return {name: money(amount) for name, amount in net.items()}
