# SPDX-License-Identifier: Apache-2.0
"""Which lines of the books somebody looks at, and which period they count a line in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books.lines import ENTRY_KINDS, Rows
from airflow_provider_mlconnector.sandbox.books.periods import ADJUSTING, packed

Mask: TypeAlias = NDArray[np.bool_]
Wanted: TypeAlias = Callable[[Rows], Mask]
"""Says for each row whether it is looked at."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines count.

    :param kinds: why they were posted; None for all.
    :param actual_only: leave out every ledger but the actual one.
    :param statistical: lines of statistical accounts count too.
    :param by_date: a line belongs to the period of its posting date, whatever the books say.
    """

    kinds: frozenset[EntryKind] | None = None
    actual_only: bool = False
    statistical: bool = True
    by_date: bool = False

    def kinds_of(self, rows: Rows) -> Mask:
        """Say which rows are of the right kind."""
        if self.kinds is None:
            return np.ones(len(rows), np.bool_)
        return np.isin(rows["entry_kind"], [ENTRY_KINDS.index(kind) for kind in self.kinds])

    def lines_of(self, rows: Rows, statistical_places: list[int]) -> Mask:
        """Say which rows are of the right ledger and account, whatever their kind."""
        mask = np.ones(len(rows), np.bool_)
        if self.actual_only:
            mask &= rows["ledger"] == 0
        if not self.statistical:
            mask &= ~np.isin(rows["account"], statistical_places)
        return mask


EVERYTHING = Selection()
"""All that is in the books, in the periods that the books count it in."""

CLOSE = Selection(frozenset({EntryKind.NORMAL, EntryKind.ADJUSTING}), actual_only=True, statistical=False)
"""What a close loads unless its flow says otherwise, from an ERP that knows periods, kinds and ledgers."""

CLOSE_BY_DATE = replace(
    CLOSE, kinds=frozenset({EntryKind.NORMAL, EntryKind.OPENING, EntryKind.ADJUSTING}), by_date=True
)
"""The same from an ERP where the date decides on the period, and only closing entries are known as such."""

SELECTIONS = {"everything": EVERYTHING, "close": CLOSE, "close_by_date": CLOSE_BY_DATE}


def in_period(period: Period, *, by_date: bool) -> Wanted:
    """Say which rows belong to a period: by what the books say, else, or ``by_date``, by their posting dates.

    Nothing belongs to a period for adjustments by its date.
    """

    def wanted(rows: Rows) -> Mask:
        dated = (rows["day"] >= period.start.toordinal()) & (rows["day"] <= period.end.toordinal())
        dated &= period.number != ADJUSTING
        if by_date:
            return np.asarray(dated, np.bool_)
        dated &= rows["period"] == 0
        return np.asarray(dated | (rows["period"] == packed(period)), np.bool_)

    return wanted


def before_period(period: Period, *, by_date: bool) -> Wanted:
    """Say which rows belong to earlier periods."""

    def wanted(rows: Rows) -> Mask:
        dated = rows["day"] < period.start.toordinal() + (period.number == ADJUSTING)
        if by_date:
            return np.asarray(dated, np.bool_)
        own = rows["period"]
        return np.asarray(np.where(own == 0, dated, own < packed(period)), np.bool_)

    return wanted
