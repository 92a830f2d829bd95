# SPDX-License-Identifier: Apache-2.0
"""The books of Larkfield Ltd: what is in them, what they add up to, and how a person changes them.

Deterministic by seed and scale until somebody posts. All amounts are ``Decimal`` with two decimals, debit minus credit.
Income accounts are not closed at the end of a fiscal year: their balances run on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books.company import (
    CUSTOMERS,
    DEPARTMENT,
    EMPLOYEES,
    LARKFIELD,
    LOCAL_CURRENCY,
    PROJECT,
    VENDORS,
    Company,
    Partner,
    ValueType,
)
from airflow_provider_mlconnector.sandbox.books.generator import DEPARTMENTS, PROJECTS, TEXTS
from airflow_provider_mlconnector.sandbox.books.ledger import Ledger
from airflow_provider_mlconnector.sandbox.books.lines import (
    JOURNAL,
    KINDS,
    LINE,
    NEVER_MODIFIED,
    PURCHASE_INVOICE,
    Line,
    PartyType,
    system_id,
)
from airflow_provider_mlconnector.sandbox.books.masterdata import MasterData
from airflow_provider_mlconnector.sandbox.books.periods import (
    CURRENT_KEY,
    FIRST_KEY,
    LAST_KEY,
    period_of_key,
    periods_between,
)
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MOST_CENTS = 2**63 - 1
_DIFFERENCES_ACCOUNT = "20400"
_PARTIES: dict[PartyType, tuple[str, ...]] = {
    PartyType.CUSTOMER: tuple(customer.number for customer in CUSTOMERS),
    PartyType.VENDOR: tuple(vendor.number for vendor in VENDORS),
    PartyType.EMPLOYEE: tuple(employee.number for employee in EMPLOYEES),
}


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to post; ``amount`` is debit minus credit, at most two decimals."""

    account: str
    amount: Decimal
    department: str = ""
    project: str = ""
    description: str = ""


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


class Codes:
    """Codes with a place each; an unknown one gets the next place."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.all = list(codes)
        self._places = {code: place for place, code in enumerate(self.all)}

    def place(self, code: str) -> int:
        """Return a code's place, giving it one when it is new."""
        if code not in self._places:
            self.all.append(code)
            self._places[code] = len(self.all) - 1
        return self._places[code]


class Books(MasterData):
    """One company's books: master data, periods and the ledger. Safe for threads."""

    currency = LOCAL_CURRENCY
    customers: tuple[Partner, ...] = CUSTOMERS
    vendors: tuple[Partner, ...] = VENDORS
    employees = EMPLOYEES

    def __init__(self, *, seed: int, scale: float, clock: VirtualClock, company: Company = LARKFIELD) -> None:
        super().__init__(clock)
        self.code = company.code
        self.name = company.name
        self.seed = seed
        self.scale = scale
        self.periods = periods_between(FIRST_KEY, LAST_KEY)
        self.departments = Codes(DEPARTMENTS)
        self.projects = Codes(PROJECTS)
        self.texts = Codes(TEXTS)
        self._closed = {period.key for period in self.periods if period.key < CURRENT_KEY}
        self._places = {account.number: place for place, account in enumerate(self.accounts)}
        posted = periods_between(FIRST_KEY, CURRENT_KEY)
        self.ledger = Ledger(company=company.code, seed=seed, scale=scale, periods=posted, accounts=len(self.accounts))

    # periods

    def period(self, key: str) -> Period:
        """Return the period of a key.

        :raises ConfigurationError: when it is no key.
        """
        return period_of_key(key)

    def is_closed(self, key: str) -> bool:
        """Say whether a period was closed; posting into it is still possible, as it is in most ledgers."""
        return key in self._closed

    def close_period(self, key: str) -> None:
        """Close a period."""
        self._closed.add(period_of_key(key).key)

    def reopen_period(self, key: str) -> None:
        """Open a closed period again."""
        self._closed.discard(key)

    # what is posted

    def lines(self, period: str | None = None, *, since: datetime | None = None) -> Iterator[Line]:
        """Yield the lines of a period, or all, in order of entry number; ``since`` leaves out those modified before."""
        first, last = self._range(period)
        threshold = NEVER_MODIFIED if since is None else milliseconds(since)
        for rows in self.ledger.scan(first, last):
            yield from (self.line_of(row) for row in rows[rows["stamp"] >= threshold])

    def count(self, period: str | None = None) -> int:
        """Return the number of lines of a period, or of all."""
        return sum(len(rows) for rows in self.ledger.scan(*self._range(period)))

    def line(self, entry: int) -> Line:
        """Return one line.

        :raises KeyError: when there is none of that entry number.
        """
        return self.line_of(self.ledger.find(entry)[0])

    def trial_balance(self, period: str) -> dict[str, Decimal]:
        """Return what was posted in a period, per account; accounts without postings are left out."""
        return self._net(period, lambda account, _: account)

    def trial_balance_by_department(self, period: str) -> dict[tuple[str, str], Decimal]:
        """Return what was posted in a period, per account and department code (empty for none)."""
        return self._net(period, lambda account, department: (account, department))

    def balances(self, period: str) -> dict[str, Balance]:
        """Return opening balance, debits and credits of every account that has any of them."""
        first, last = self._range(period)
        departments = len(self.departments.all)
        before = self.ledger.sums(date.min, first - timedelta(days=1), departments)
        within = self.ledger.sums(first, last, departments)
        balances = {}
        for place, account in enumerate(self.accounts):
            opening = int(sum(before.debit[place])) - int(sum(before.credit[place]))
            debit, credit = int(sum(within.debit[place])), int(sum(within.credit[place]))
            if opening or debit or credit:
                balances[account.number] = Balance(money(opening), money(debit), money(credit))
        return balances

    # what people do

    def post_document(
        self, posting_date: date, lines: Sequence[NewLine], *, document: str = "", balanced: bool = True
    ) -> list[int]:
        """Post a journal document and return its entry numbers.

        :param balanced: False posts one that does not come to zero, which only a test would.
        :raises ValueError: when it is not balanced, or names an account or dimension value that is none to post to.
        """
        total = sum((line.amount for line in lines), Decimal(0))
        if balanced and total:
            raise ValueError(f"the document does not come to zero, but to {total}")
        rows = np.zeros(len(lines), LINE)
        rows["day"] = posting_date.toordinal()
        rows["kind"] = KINDS.index(JOURNAL)
        rows["document"] = self.texts.place(document or f"G{len(self.texts.all):05d}")
        for row, line in zip(rows, lines, strict=True):
            row["account"] = self._posting_place(line.account)
            row["cents"] = cents(line.amount)
            row["department"] = self._value_place(DEPARTMENT, line.department)
            row["project"] = self._value_place(PROJECT, line.project)
            row["text"] = self.texts.place(line.description)
        return self.ledger.append(rows, self._now())

    def post_line(self, posting_date: date, line: NewLine, *, document: str = "") -> int:
        """Post one line alone, which leaves the ledger out of balance, and return its entry number."""
        return self.post_document(posting_date, [line], document=document, balanced=False)[0]

    def change_line(self, entry: int, **values: Any) -> Line:
        """Change a posted line as a data fix would, and return it.

        :param values: any of amount, account, department, project, description, posting_date.
        :raises KeyError: when there is no such line.
        :raises ValueError: for anything else to change.
        """
        self.ledger.change(entry, self._now(), **self._as_fields(values))
        return self.line(entry)

    def correct_amount(self, entry: int, amount: Decimal) -> list[int]:
        """Correct a line as an accountant would: reverse it, post it anew, and the difference to accruals."""
        line = self.line(entry)
        again = (line.department, line.project, line.description)
        lines = [NewLine(line.account, -line.amount, *again), NewLine(line.account, amount, *again)]
        if amount != line.amount:
            lines.append(NewLine(_DIFFERENCES_ACCOUNT, line.amount - amount, description=line.description))
        self.ledger.change(entry, self._now(), reversed=1)
        return self.post_document(line.posting_date, lines, document=line.document)

    def delete_line(self, entry: int) -> None:
        """Make a line vanish without a trace.

        :raises KeyError: when there is none.
        """
        self.ledger.delete(entry)

    # from rows

    def party_numbers(self, party: PartyType) -> tuple[str, ...]:
        """Return the numbers of all customers, vendors or employees."""
        return _PARTIES.get(party, ())

    def line_of(self, row: Any) -> Line:
        """Return a row as a line."""
        kind = KINDS[row["kind"]]
        parties = self.party_numbers(kind.party)
        party = parties[row["party"]] if parties else ""
        document = document_number(row["kind"], row["document"], self.texts.all)
        stamp = int(row["stamp"])
        return Line(
            entry_number=int(row["entry"]),
            system_id=system_id(int(row["entry"]), self.seed),
            posting_date=date.fromordinal(row["day"]),
            document=document,
            document_type=kind.type,
            external_document=f"{party}/{document[-6:]}" if kind is PURCHASE_INVOICE else "",
            account=self.accounts[row["account"]].number,
            description=self.texts.all[row["text"]],
            amount=money(int(row["cents"])),
            department=self.departments.all[row["department"]],
            project=self.projects.all[row["project"]],
            source=kind.source,
            party_type=kind.party,
            party=party,
            reversed=bool(row["reversed"]),
            modified_at=None if stamp == NEVER_MODIFIED else _EPOCH + stamp * _MILLISECOND,
        )

    def _range(self, period: str | None) -> tuple[date, date]:
        if period is None:
            return date.min, date.max
        found = period_of_key(period)
        return found.start, found.end

    def _net(self, period: str, key: Any) -> dict[Any, Decimal]:
        """Return debit minus credit under ``key(account, department)``, where there were postings at all."""
        sums = self.ledger.sums(*self._range(period), len(self.departments.all))
        net: dict[Any, int] = {}
        for account, department in zip(*np.nonzero(sums.debit + sums.credit), strict=True):
            name = key(self.accounts[account].number, self.departments.all[department])
            net[name] = net.get(name, 0) + sums.debit[account, department] - sums.credit[account, department]
        return {name: money(amount) for name, amount in net.items()}

    def _posting_place(self, number: str) -> int:
        place = self._places.get(number)
        if place is None or self.accounts[place].type != "Posting":
            raise ValueError(f"'{number}' is no posting account")
        return place

    def _value_place(self, dimension: str, code: str) -> int:
        codes = self.departments if dimension == DEPARTMENT else self.projects
        standard = {value.code for value in self.values(dimension) if value.type is ValueType.STANDARD}
        if code and code not in standard:
            raise ValueError(f"'{code}' is no value of {dimension} to post to")
        return codes.place(code)

    def _as_fields(self, values: Mapping[str, Any]) -> dict[str, int]:
        """Return changes in the words of a line as fields of a row."""
        readers: dict[str, tuple[str, Any]] = {
            "amount": ("cents", cents),
            "account": ("account", self._posting_place),
            "department": ("department", lambda code: self._value_place(DEPARTMENT, code)),
            "project": ("project", lambda code: self._value_place(PROJECT, code)),
            "description": ("text", self.texts.place),
            "posting_date": ("day", date.toordinal),
        }
        unknown = values.keys() - readers.keys()
        if unknown:
            raise ValueError(f"a line has no {', '.join(sorted(unknown))} to change, only {', '.join(readers)}")
        return {readers[name][0]: readers[name][1](value) for name, value in values.items()}

    def _now(self) -> int:
        return milliseconds(self.clock.now())


def document_number(kind: int, number: int, texts: Sequence[str]) -> str:
    """Return how a document's number is written."""
    prefix = KINDS[kind].prefix
    return f"{prefix}{number:011d}" if prefix else texts[number]


def milliseconds(moment: datetime) -> int:
    """Return a moment as whole milliseconds since the epoch."""
    return (moment - _EPOCH) // _MILLISECOND


def money(amount: int) -> Decimal:
    """Return cents as an amount with two decimals."""
    return Decimal(amount).scaleb(-2)


def cents(amount: Decimal) -> int:
    """Return an amount in cents.

    :raises ValueError: for more than two decimals, or more than 17 digits before the point.
    """
    whole = amount.scaleb(2)
    if whole != whole.to_integral_value() or abs(whole) > _MOST_CENTS:
        raise ValueError(f"{amount} is no amount of this ledger")
    return int(whole)
