# SPDX-License-Identifier: Apache-2.0
"""Accounts and dimension values as they stand now, and when they were last changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from airflow_provider_mlconnector.sandbox.books.codes import Codes
from airflow_provider_mlconnector.sandbox.books.company import (
    DEPARTMENT,
    DIMENSIONS,
    PROJECT,
    Account,
    Company,
    DimensionValue,
    ValueType,
)
from airflow_provider_mlconnector.sandbox.books.generator import DEPARTMENTS, PROJECTS
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

SET_UP_AT = datetime(2025, 6, 30, 5, 12, 33, 497000, UTC)
"""When the company's master data was entered."""


class MasterData:
    """Accounts keep their place in the chart; dimension values come and go."""

    dimensions = DIMENSIONS

    def __init__(self, company: Company, clock: VirtualClock) -> None:
        self.company = company
        self.clock = clock
        self.accounts: tuple[Account, ...] = company.chart
        self.departments = Codes(DEPARTMENTS if company.generated else ("",))
        self.projects = Codes(PROJECTS if company.generated else ("",))
        self._values = {(value.dimension, value.code): value for value in company.values}
        self._changed: dict[tuple[str, ...], datetime] = {}

    def account(self, number: str) -> Account:
        """Return an account.

        :raises KeyError: when there is none of that number.
        """
        for account in self.accounts:
            if account.number == number:
                return account
        raise KeyError(f"there is no account '{number}'")

    def statistical_places(self) -> list[int]:
        """Return the places in the chart of the accounts that hold no money."""
        return [place for place, account in enumerate(self.accounts) if account.statistical]

    def rename_account(self, number: str, name: str) -> None:
        """Give an account another name."""
        self._replace_account(replace(self.account(number), name=name))

    def block_account(self, number: str, *, blocked: bool = True) -> None:
        """Block an account for posting, or unblock it."""
        self._replace_account(replace(self.account(number), blocked=blocked))

    def move_account(self, number: str, parent: str) -> None:
        """Put an account under another parent; its entries stay as they are.

        :param parent: number of another account, or empty for the top.
        :raises KeyError: when there is no such account.
        """
        indentation = self.account(parent).indentation + 1 if parent else 0
        self._replace_account(replace(self.account(number), parent=parent, indentation=indentation))

    def values(self, dimension: str) -> tuple[DimensionValue, ...]:
        """Return the values of a dimension in order of their codes."""
        return tuple(value for _, value in sorted(self._values.items()) if value.dimension == dimension)

    def value(self, dimension: str, code: str) -> DimensionValue:
        """Return a dimension value.

        :raises KeyError: when there is none, or it was deleted.
        """
        if (dimension, code) not in self._values:
            raise KeyError(f"dimension {dimension} has no value '{code}'")
        return self._values[dimension, code]

    def add_value(self, value: DimensionValue) -> None:
        """Add a dimension value, or put another in its place."""
        self._values[value.dimension, value.code] = value
        self._changed[value.dimension, value.code] = self.clock.now()

    def block_value(self, dimension: str, code: str, *, blocked: bool = True) -> None:
        """Block a dimension value for posting, or unblock it."""
        self.add_value(replace(self.value(dimension, code), blocked=blocked))

    def delete_value(self, dimension: str, code: str) -> None:
        """Delete a dimension value; lines that carry it keep its code."""
        self._values.pop((self.value(dimension, code).dimension, code))

    def rename_value(self, dimension: str, code: str, new: str) -> None:
        """Give a dimension value another code; lines that carry it show the new one, and no stamp of theirs moves.

        :raises KeyError: when there is no such value.
        :raises ValueError: when the new code is taken.
        """
        value = self.value(dimension, code)
        if (dimension, new) in self._values:
            raise ValueError(f"dimension {dimension} has a value '{new}' already")
        self.codes_of(dimension).rename(code, new)
        self._values.pop((dimension, code))
        self.add_value(replace(value, code=new))

    def changed_at(self, *key: str) -> datetime:
        """Return when an account (by its number) or a value (by dimension and code) was last changed, in UTC."""
        return self._changed.get(key, SET_UP_AT)

    def codes_of(self, dimension: str) -> Codes:
        """Return the table of a dimension's codes that lines point into."""
        return {DEPARTMENT: self.departments, PROJECT: self.projects}[dimension]

    def value_place(self, dimension: str, code: str) -> int:
        """Return the place of a value in the table of its dimension's codes; an empty code is none.

        :raises ValueError: when there is no such value to post to.
        """
        value = self._values.get((dimension, code))
        if code and (value is None or value.type is not ValueType.STANDARD):
            raise ValueError(f"'{code}' is no value of {dimension} to post to")
        return self.codes_of(dimension).place(code)

    def _replace_account(self, changed: Account) -> None:
        self.accounts = tuple(changed if account.number == changed.number else account for account in self.accounts)
        self._changed[(changed.number,)] = self.clock.now()
