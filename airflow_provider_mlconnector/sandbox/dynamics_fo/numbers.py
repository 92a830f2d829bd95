# SPDX-License-Identifier: Apache-2.0
"""The environment's own numbers (RecIds) and names. Tables are shared by all companies, so their numbers mix."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.state import World

HEADERS, LINES = 68_719_500_000, 68_720_000_000
CORRECTIONS, OPENINGS = 90_000_000_000, 70_000_000_000
_LEDGERS, _CHARTS, _CALENDARS = 5_637_144_576, 5_637_145_326, 5_637_146_076
_ACCOUNTS, _YEARS, _PERIODS = 22_565_420_000, 22_565_430_000, 22_566_000_000
_AREA_LETTERS = 4


def area(books: Books) -> str:
    """Return a company's id: at most four letters, lower case in data."""
    return books.code[:_AREA_LETTERS].lower()


class Numbers:
    """Numbers by the place of a company among all of them."""

    def __init__(self, world: World) -> None:
        self._places = {code: place for place, code in enumerate(world.companies)}

    def mixed(self, base: int, number: int, books: Books) -> int:
        """Return a number of a table that all companies post to in turns."""
        return base + number * len(self._places) + self._places[books.code]

    def ledger(self, books: Books) -> int:
        """Return the number of a company's ledger."""
        return _LEDGERS + self._places[books.code]

    def chart(self, books: Books) -> int:
        """Return the number of a company's chart of accounts."""
        return _CHARTS + self._places[books.code]

    def calendar(self, books: Books) -> int:
        """Return the number of a company's fiscal calendar."""
        return _CALENDARS + self._places[books.code]

    def account(self, books: Books, place: int) -> int:
        """Return the number of the account at a place in the chart."""
        return _ACCOUNTS + 1000 * self._places[books.code] + place

    def year(self, books: Books, year: int) -> int:
        """Return the number of a fiscal year."""
        return _YEARS + 1000 * self._places[books.code] + year - 2000

    def period(self, books: Books, year: int, slot: int) -> int:
        """Return the number of the record at a slot in a fiscal year."""
        return _PERIODS + 100_000 * self._places[books.code] + 100 * (year - 2000) + slot
