# SPDX-License-Identifier: Apache-2.0
"""Transactions that people saved and did not post: they are in no books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from airflow_provider_mlconnector.sandbox.books import NewLine

_FIRST_NUMBER = 90_000_000


@dataclass(frozen=True, slots=True)
class Saved:
    """A transaction in work."""

    number: int
    day: date
    batch: str
    lines: tuple[NewLine, ...]


class Work:
    """The transactions in work of one company."""

    def __init__(self) -> None:
        self._saved: dict[int, Saved] = {}

    def save(self, day: date, batch: str, lines: Sequence[NewLine]) -> Saved:
        """Save a transaction under the next number."""
        saved = Saved(_FIRST_NUMBER + len(self._saved), day, batch, tuple(lines))
        self._saved[saved.number] = saved
        return saved

    def all(self) -> tuple[Saved, ...]:
        """Return all transactions."""
        return tuple(self._saved.values())

    def find(self, number: int, day: date) -> Saved | None:
        """Return the transaction of a number and a day; None when there is none."""
        found = self._saved.get(number)
        return found if found is not None and found.day == day else None

    def clear(self) -> None:
        """Delete all transactions."""
        self._saved.clear()
