# SPDX-License-Identifier: Apache-2.0
"""The posted lines: generated period by period when somebody looks, kept for good once somebody changed them.

A block is the lines of one period as they were generated, or those that were posted since (the last block). Arrays are
never changed in place: a change makes a new one, so that a reader in another thread goes on with what it has.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books import generator
from airflow_provider_mlconnector.sandbox.books.lines import LINE, NEVER_MODIFIED, Rows
from airflow_provider_mlconnector.sandbox.books.periods import OPENING_DAY, TODAY, period_of

_BLOCKS_KEPT = 4
_SPLIT = 32


@dataclass(slots=True)
class Block:
    """A run of entry numbers.

    :param rows: set once the block was changed; None while it is as it was generated.
    :param sums: amounts of the whole block per account and department, while it is unchanged.
    """

    period: Period
    first_entry: int
    count: int
    rows: Rows | None = None
    sums: Sums | None = field(default=None, repr=False)

    def is_before(self, entry: int, day: date) -> bool:
        """Say whether all rows have smaller entry numbers, or were posted on earlier days, while it is unchanged."""
        return self.first_entry + self.count - 1 <= entry or self.period.end < day

    def days(self) -> tuple[int, int]:
        """Return the first and last ordinal of the posting dates within."""
        if self.rows is None:
            return self.period.start.toordinal(), self.period.end.toordinal()
        if not len(self.rows):
            return 1, 0
        return int(self.rows["day"].min()), int(self.rows["day"].max())


@dataclass(frozen=True, slots=True)
class Sums:
    """Debit and credit in cents per (account place, department place), as exact whole numbers."""

    debit: NDArray[Any]
    credit: NDArray[Any]

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.debit + other.debit, self.credit + other.credit)


class Ledger:
    """All journal lines. Safe for threads."""

    def __init__(self, *, company: str, seed: int, scale: float, periods: tuple[Period, ...], accounts: int) -> None:
        self._company = company
        self._seed = seed
        self._scale = scale
        self._accounts = accounts
        self._lock = threading.RLock()
        self._recent: OrderedDict[int, Rows] = OrderedDict()
        opening = generator.opening_balances()
        self._blocks = [Block(period_of(OPENING_DAY), 1, len(opening), opening)]
        for period in periods:
            first = self._blocks[-1].first_entry + self._blocks[-1].count
            self._blocks.append(Block(period, first, generator.count_lines(scale)))
        self._next_entry = self._blocks[-1].first_entry + self._blocks[-1].count
        self._blocks.append(Block(period_of(TODAY), self._next_entry, 0, np.zeros(0, LINE)))
        self._last_stamp = NEVER_MODIFIED

    def scan(
        self, first: date = date.min, last: date = date.max, *, after_entry: int = 0, changed_from: date = date.min
    ) -> Iterator[Rows]:
        """Yield, in order of entry number, the rows with a posting date in a range and a larger entry number.

        :param changed_from: blocks of which no row was posted or changed on or after this day may be left out.
        """
        for place, block in enumerate(self._blocks):
            earliest, latest = block.days()
            if latest < first.toordinal() or earliest > last.toordinal():
                continue
            if block.rows is None and block.is_before(after_entry, changed_from):
                continue
            rows = self._rows(place)
            if earliest < first.toordinal() or latest > last.toordinal():
                rows = rows[(rows["day"] >= first.toordinal()) & (rows["day"] <= last.toordinal())]
            rows = rows[np.searchsorted(rows["entry"], after_entry, side="right") :]
            if len(rows):
                yield rows

    def sums(self, first: date, last: date, departments: int) -> Sums:
        """Return the amounts posted in a range of dates; ``departments`` is the number of department codes."""
        zeros = np.zeros((self._accounts, departments), object)
        total = Sums(zeros, zeros)
        for place, block in enumerate(self._blocks):
            earliest, latest = block.days()
            if block.rows is None and first.toordinal() <= earliest and latest <= last.toordinal():
                total += self._sums_of_untouched(place, departments)
            elif earliest <= last.toordinal() and latest >= first.toordinal():
                rows = self._rows(place)
                within = (rows["day"] >= first.toordinal()) & (rows["day"] <= last.toordinal())
                total += self._sums_of(rows[within], departments)
        return total

    def find(self, entry: int) -> Rows:
        """Return the one row of an entry number, as an array of length 1.

        :raises KeyError: when there is none, or it was deleted.
        """
        place, index = self._place(entry)
        return self._rows(place)[index : index + 1]

    def change(self, entry: int, stamp: int, **values: int) -> None:
        """Set fields of one row, and its stamp.

        :raises KeyError: when there is none.
        """
        with self._lock:
            place, index = self._place(entry)
            rows = self._rows(place).copy()
            for name, value in (values | {"stamp": self._later(stamp)}).items():
                rows[name][index] = value
            self._blocks[place].rows = rows

    def delete(self, entry: int) -> None:
        """Remove one row, which no honest ledger does.

        :raises KeyError: when there is none.
        """
        with self._lock:
            place, index = self._place(entry)
            self._blocks[place].rows = np.delete(self._rows(place), index)

    def append(self, rows: Rows, stamp: int) -> list[int]:
        """Post rows, giving them entry numbers and one stamp; return the numbers."""
        with self._lock:
            rows["entry"] = np.arange(self._next_entry, self._next_entry + len(rows))
            rows["stamp"] = self._later(stamp)
            self._next_entry += len(rows)
            posted = self._blocks[-1]
            posted.rows = np.concatenate([self._rows(len(self._blocks) - 1), rows])
            posted.count = len(posted.rows)
            return [int(entry) for entry in rows["entry"]]

    def _later(self, stamp: int) -> int:
        """Return a stamp after every one given before and every generated one, whatever the clock was set to."""
        newest = max(self._last_stamp, generator.LATEST_STAMP)
        self._last_stamp = max(stamp, newest + 1)
        return self._last_stamp

    def _rows(self, place: int) -> Rows:
        block = self._blocks[place]
        if block.rows is not None:
            return block.rows
        with self._lock:
            if place not in self._recent:
                self._recent[place] = generator.generate(
                    self._company, block.period, seed=self._seed, scale=self._scale, first_entry=block.first_entry
                )
            self._recent.move_to_end(place)
            while len(self._recent) > _BLOCKS_KEPT:
                self._recent.popitem(last=False)
            return self._recent[place]

    def _place(self, entry: int) -> tuple[int, int]:
        """Return the block of an entry and its index there."""
        begins = [block.first_entry for block in self._blocks]
        place = int(np.searchsorted(begins, entry, side="right")) - 1
        if place >= 0:
            rows = self._rows(place)
            index = int(np.searchsorted(rows["entry"], entry))
            if index < len(rows) and rows["entry"][index] == entry:
                return place, index
        raise KeyError(f"there is no entry {entry}")

    def _sums_of_untouched(self, place: int, departments: int) -> Sums:
        block = self._blocks[place]
        if block.sums is None or block.sums.debit.shape[1] != departments:
            block.sums = self._sums_of(self._rows(place), departments)
        return block.sums

    def _sums_of(self, rows: Rows, departments: int) -> Sums:
        cells = rows["account"].astype(np.int64) * departments + rows["department"]
        shape = (self._accounts, departments)
        debit = _exact_sums(cells, np.maximum(rows["cents"], 0), shape)
        credit = _exact_sums(cells, np.maximum(-rows["cents"], 0), shape)
        return Sums(debit, credit)


def _exact_sums(cells: NDArray[np.int64], cents: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[Any]:
    """Return the sum per cell as Python integers; in two halves, since a sum of large amounts may pass 64 bits."""
    low = np.zeros(shape[0] * shape[1], np.int64)
    high = np.zeros_like(low)
    np.add.at(low, cells, cents & ((1 << _SPLIT) - 1))
    np.add.at(high, cells, cents >> _SPLIT)
    sums: NDArray[Any] = (high.astype(object) << _SPLIT) + low.astype(object)
    return sums.reshape(shape)
