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
from airflow_provider_mlconnector.sandbox.books.lines import LINE, NEVER_MODIFIED, Rows, debits
from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY, OPENING_DAY, TODAY
from airflow_provider_mlconnector.sandbox.books.selection import Wanted

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

    def meets(self, first: date, last: date) -> bool:
        """Say whether a row may have been posted on one of these days."""
        earliest, latest = self.days()
        return earliest <= last.toordinal() and latest >= first.toordinal()

    def lies_within(self, first: date, last: date) -> bool:
        """Say whether all rows were posted on these days."""
        earliest, latest = self.days()
        return first.toordinal() <= earliest and latest <= last.toordinal()

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
    """All journal lines. Safe for threads; ``version`` grows after every change: what is kept by it is never too old.

    :param periods: those of which lines are generated, after balances brought forward; none for a ledger that begins
        empty.
    """

    def __init__(self, *, company: str, seed: int, scale: float, periods: tuple[Period, ...], accounts: int) -> None:
        self._company = company
        self._seed = seed
        self._scale = scale
        self._accounts = accounts
        self._lock = threading.RLock()
        self._recent: OrderedDict[int, Rows] = OrderedDict()
        self._lives: dict[int, int] = {}
        self._before: dict[int, list[Rows]] = {}
        self.version = 0
        opening = generator.opening_balances() if periods else np.zeros(0, LINE)
        self._blocks = [Block(MONTHS_FROM_JULY.period_of(OPENING_DAY), 1, len(opening), opening)]
        for period in periods:
            first = self._blocks[-1].first_entry + self._blocks[-1].count
            self._blocks.append(Block(period, first, generator.count_lines(scale)))
        self._next_entry = self._blocks[-1].first_entry + self._blocks[-1].count
        self._blocks.append(Block(MONTHS_FROM_JULY.period_of(TODAY), self._next_entry, 0, np.zeros(0, LINE)))
        self._last_stamp = generator.LATEST_STAMP if periods else NEVER_MODIFIED

    def scan(
        self, first: date = date.min, last: date = date.max, *, after_entry: int = 0, changed_from: date = date.min
    ) -> Iterator[Rows]:
        """Yield, in order of entry number, the rows with a posting date in a range and a larger entry number.

        :param changed_from: blocks of which no row was posted or changed on or after this day may be left out.
        """

        def within(rows: Rows) -> NDArray[np.bool_]:
            return np.asarray((rows["day"] >= first.toordinal()) & (rows["day"] <= last.toordinal()))

        for place, block in self._meeting(first, last):
            if block.rows is None and block.is_before(after_entry, changed_from):
                continue
            rows = self._rows(place)
            if not block.lies_within(first, last):
                rows = rows[within(rows)]
            rows = rows[np.searchsorted(rows["entry"], after_entry, side="right") :]
            if len(rows):
                yield rows

    def select(self, first: date, last: date, wanted: Wanted) -> Iterator[Rows]:
        """Yield, in order of entry number, the rows that are wanted.

        :param first: of a block as it was generated all rows are wanted if it lies within these days, and none if not.
        """
        for place, block in enumerate(self._blocks):
            if block.rows is not None:
                rows = block.rows[wanted(block.rows)]
            elif block.lies_within(first, last):
                rows = self._rows(place)
            else:
                continue
            if len(rows):
                yield rows

    def sums(self, first: date, last: date, departments: int, wanted: Wanted) -> Sums:
        """Return the amounts of the rows that are wanted; ``departments`` is the number of department codes.

        :param first: of a block as it was generated all rows are wanted if it lies within these days, none if it has
            no day of them.
        """
        zeros = np.zeros((self._accounts, departments), object)
        total = Sums(zeros, zeros)
        for place, block in enumerate(self._blocks):
            if block.rows is None and block.lies_within(first, last):
                total += self._sums_of_untouched(place, departments)
            elif block.rows is not None or block.meets(first, last):
                rows = self._rows(place)
                total += self._sums_of(rows[wanted(rows)], departments)
        return total

    def find(self, entry: int) -> Rows:
        """Return the one row of an entry number, as an array of length 1.

        :raises KeyError: when there is none, or it was deleted.
        """
        place, index = self._place(entry)
        return self._rows(place)[index : index + 1]

    def before(self) -> dict[int, tuple[Rows, ...]]:
        """Return, by entry number, each changed row as it was before its changes, oldest first; arrays of length 1.

        For ledgers that never change a posted line and show a correction instead.
        """
        with self._lock:
            return {entry: tuple(versions) for entry, versions in self._before.items()}

    def change(self, entry: int, stamp: int, **values: int) -> None:
        """Set fields of one row, and its stamp.

        :raises KeyError: when there is none.
        """
        with self._lock:
            place, index = self._place(entry)
            rows = self._rows(place).copy()
            self._before.setdefault(entry, []).append(rows[index : index + 1].copy())
            for name, value in (values | {"stamp": self._later(stamp)}).items():
                rows[name][index] = value
            self._blocks[place].rows = rows
            self.version += 1

    def restamp(self, entry: int, stamp: int) -> None:
        """Set the stamp of one row to just this, be it earlier than others, or none.

        :raises KeyError: when there is none.
        """
        with self._lock:
            place, index = self._place(entry)
            rows = self._rows(place).copy()
            rows["stamp"][index] = stamp
            self._blocks[place].rows = rows
            self.version += 1

    def delete(self, entry: int) -> None:
        """Remove one row, which no honest ledger does.

        :raises KeyError: when there is none.
        """
        with self._lock:
            place, index = self._place(entry)
            self._before.pop(entry, None)
            self._blocks[place].rows = np.delete(self._rows(place), index)
            self.version += 1

    def roll_back(self, entry: int, *, same_ids: bool = False) -> int:
        """Undo every posting from an entry number on, and give the numbers out again; return how many rows went.

        :param same_ids: the lines that take the numbers over take the ids over, too.
        :raises KeyError: when there is none of that number, or it was generated.
        """
        with self._lock:
            place, index = self._place(entry)
            posted = self._blocks[-1]
            if self._blocks[place] is not posted or posted.rows is None:
                raise KeyError(f"entry {entry} was not posted by anybody")
            gone = posted.rows[index:]
            self._before = {changed: rows for changed, rows in self._before.items() if changed < entry}
            if not same_ids:
                self._lives |= {int(row["entry"]): int(row["life"]) + 1 for row in gone}
            posted.rows = posted.rows[:index]
            posted.count = len(posted.rows)
            self._next_entry = entry
            self.version += 1
            return len(gone)

    def append(self, rows: Rows, stamp: int, *, exactly: bool = False) -> list[int]:
        """Post rows, giving them entry numbers and one stamp; return the numbers.

        :param exactly: take the stamp as it is, even where it is earlier than others.
        """
        with self._lock:
            rows["entry"] = np.arange(self._next_entry, self._next_entry + len(rows))
            rows["life"] = [self._lives.get(int(entry), 0) for entry in rows["entry"]]
            rows["stamp"] = stamp if exactly else self._later(stamp)
            self._next_entry += len(rows)
            posted = self._blocks[-1]
            posted.rows = np.concatenate([self._rows(len(self._blocks) - 1), rows])
            posted.count = len(posted.rows)
            self.version += 1
            return [int(entry) for entry in rows["entry"]]

    def _later(self, stamp: int) -> int:
        """Return a stamp after every one given before and every generated one, whatever the clock was set to."""
        self._last_stamp = max(stamp, self._last_stamp + 1)
        return self._last_stamp

    def _meeting(self, first: date, last: date) -> Iterator[tuple[int, Block]]:
        return ((place, block) for place, block in enumerate(self._blocks) if block.meets(first, last))

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
        debit = debits(rows)
        credit = debit - rows["cents"]
        return Sums(_exact_sums(cells, debit, shape), _exact_sums(cells, credit, shape))


def _exact_sums(cells: NDArray[np.int64], cents: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[Any]:
    """Return the sum per cell as Python integers; in two halves, since a sum of large amounts may pass 64 bits."""
    low = np.zeros(shape[0] * shape[1], np.int64)
    high = np.zeros_like(low)
    np.add.at(low, cells, cents & ((1 << _SPLIT) - 1))
    np.add.at(high, cells, cents >> _SPLIT)
    sums: NDArray[Any] = (high.astype(object) << _SPLIT) + low.astype(object)
    return sums.reshape(shape)
