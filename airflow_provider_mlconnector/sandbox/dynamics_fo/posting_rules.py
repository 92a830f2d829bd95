# SPDX-License-Identifier: Apache-2.0
"""What a company's setup says of accounts, dimension values and periods, beside the books: what is posted to, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import ValueType
from airflow_provider_mlconnector.sandbox.state import World


class Side(StrEnum):
    """The side that an account may be posted to alone."""

    NONE = "None"
    DEBIT = "Debit"
    CREDIT = "Credit"


class PeriodStatus(StrEnum):
    """Whether a period takes postings."""

    OPEN = "Open"
    ON_HOLD = "OnHold"
    CLOSED = "Closed"


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which something is active; None leaves a side open."""

    first: date | None = None
    last: date | None = None

    def holds(self, day: date) -> bool:
        """Say whether a day is one of them."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class AccountRule:
    """What is said of a main account; ``demands`` are the dimensions that its account structure wants a value of."""

    side: Side = Side.NONE
    demands: tuple[str, ...] = ()
    active: Span = Span()


@dataclass(frozen=True, slots=True)
class ValueRule:
    """What is said of a dimension value; ``manual`` says whether journals may use it."""

    manual: bool = True
    active: Span = Span()


@dataclass(slots=True)
class PostingRules:
    """The rules of one company: of accounts by number, of values by dimension and code, and the periods on hold."""

    books: Books
    accounts: dict[str, AccountRule] = field(default_factory=dict)
    values: dict[tuple[str, str], ValueRule] = field(default_factory=dict)
    on_hold: set[str] = field(default_factory=set)

    def account(self, number: str) -> AccountRule:
        """Return the rule of an account."""
        return self.accounts.get(number, AccountRule())

    def value(self, dimension: str, code: str) -> ValueRule:
        """Return the rule of a dimension value."""
        return self.values.get((dimension, code), ValueRule())

    def status(self, period: str) -> PeriodStatus:
        """Return the status of a period of the books, by its key."""
        if self.books.is_closed(period):
            return PeriodStatus.CLOSED
        return PeriodStatus.ON_HOLD if period in self.on_hold else PeriodStatus.OPEN

    def clear(self) -> None:
        """Forget all rules."""
        self.accounts.clear()
        self.values.clear()
        self.on_hold.clear()

    def refusal_at_entry(self, segments: Mapping[str, str], main: str) -> str:
        """Return why a journal line may not name these dimension values with an account; "" when it may."""
        names = self.books.dimensions
        known = {
            name: {value.code for value in self.books.values(code) if value.type is ValueType.STANDARD}
            for code, name in names.items()
        }
        for name, value in segments.items():
            if value not in known.get(name, ()):
                return f"The value '{value}' in field '{name}' is not found in the related table"
            if not self.value(name, value).manual:
                return f"Dimension value {value} of {name} is blocked for manual entry"
        for name in self.account(main).demands:
            if not segments.get(name):
                return f"A value for dimension {name} must be entered in combination with MainAccount {main}"
        return ""

    def refusal_at_posting(self, segments: Mapping[str, str], main: str, day: date) -> str:
        """Return why a line cannot be posted on a day; "" when it can."""
        account = self.books.account(main)
        if account.blocked or not self.account(main).active.holds(day):
            return f"Main account {main} is suspended or not active on {day}"
        for code, name in self.books.dimensions.items():
            value = segments.get(name, "")
            if value and (self.books.value(code, value).blocked or not self.value(name, value).active.holds(day)):
                return f"Dimension value {value} of {name} is suspended or not active on {day}"
        return ""


def rules_of(world: World, books: Books) -> PostingRules:
    """Return the rules of a company."""
    return world.state(f"dynamics_fo/rules/{books.code}", lambda: PostingRules(books))
