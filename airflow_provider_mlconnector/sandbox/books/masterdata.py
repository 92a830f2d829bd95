# SPDX-License-Identifier: Apache-2.0
"""Accounts and dimension values as they stand now, and when they were last changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from airflow_provider_mlconnector.sandbox.books.company import (
    CHART,
    DIMENSION_VALUES,
    DIMENSIONS,
    Account,
    DimensionValue,
)
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

SET_UP_AT = datetime(2025, 6, 30, 5, 12, 33, 497000, UTC)
"""When the company's master data was entered."""


class MasterData:
    """Accounts keep their place in the chart; dimension values come and go."""

    dimensions = DIMENSIONS

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.accounts: tuple[Account, ...] = CHART
        self._values = {(value.dimension, value.code): value for value in DIMENSION_VALUES}
        self._changed: dict[tuple[str, ...], datetime] = {}

    def account(self, number: str) -> Account:
        """Return an account.

        :raises KeyError: when there is none of that number.
        """
        for account in self.accounts:
            if account.number == number:
                return account
        raise KeyError(f"there is no account '{number}'")

    def rename_account(self, number: str, name: str) -> None:
        """Give an account another name."""
        self._replace_account(replace(self.account(number), name=name))

    def block_account(self, number: str, *, blocked: bool = True) -> None:
        """Block an account for posting, or unblock it."""
        self._replace_account(replace(self.account(number), blocked=blocked))

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

    def changed_at(self, *key: str) -> datetime:
        """Return when an account (by its number) or a value (by dimension and code) was last changed, in UTC."""
        return self._changed.get(key, SET_UP_AT)

    def _replace_account(self, changed: Account) -> None:
        self.accounts = tuple(changed if account.number == changed.number else account for account in self.accounts)
        self._changed[(changed.number,)] = self.clock.now()
