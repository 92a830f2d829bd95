# SPDX-License-Identifier: Apache-2.0
"""What a comparison of the reconcile step returns: figures for the table, and sentences about what does not agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.finance.money import ZERO, format_money
from airflow_provider_mlconnector.pipeline.engine import Engine, listed, quoted
from airflow_provider_mlconnector.pipeline.manifests import Figure

NAMED = 20
MEANWHILE = "another run changed the book meanwhile"


@dataclass(frozen=True, slots=True)
class Checked:
    """One comparison."""

    figures: tuple[Figure, ...] = ()
    problems: tuple[str, ...] = ()


def unchecked(name: str, why: str) -> Figure:
    """Return a figure that has no source, with the reason."""
    return Figure(name=name, value=None, source=why)


@dataclass(frozen=True, slots=True)
class Apart:
    """Differences: how many, and the first ``NAMED`` of them as sentences."""

    count: int = 0
    first: tuple[str, ...] = ()

    def __str__(self) -> str:
        others = self.count - len(self.first)
        told = "; ".join(self.first)
        return f"{told}; and {others} others" if others else told


def apart(differences: Sequence[str]) -> Apart:
    """Name the first of some differences."""
    return Apart(len(differences), tuple(differences[:NAMED]))


THERE = '":there"'
"""Column of either side of a comparison: true. No file has a column of this name."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison of cells: a view of the engine, and how to speak of it (``in the book``)."""

    view: str
    words: str


def cells_apart(db: Engine, keys: Sequence[str], values: Sequence[str], ours: Side, theirs: Side) -> Apart:
    """Return the cells in which two views differ, the largest difference first.

    A cell that stands twice in a view counts twice. A value that one side does not know (null) differs from none.
    """
    sums = ", ".join(
        f"CASE WHEN count({quoted(name)}) = count(*) THEN sum({quoted(name)}) END AS {quoted(name)}" for name in values
    )
    sides = [
        f"(SELECT {listed(keys)}, true AS {THERE}, {sums} FROM {quoted(side.view)} GROUP BY {listed(keys)}) {alias}"
        for side, alias in ((ours, "o"), (theirs, "t"))
    ]
    same = " AND ".join(f"o.{quoted(key)} IS NOT DISTINCT FROM t.{quoted(key)}" for key in keys)
    address = ", ".join(f"coalesce(o.{quoted(key)}, t.{quoted(key)}, '(no member)')" for key in keys)
    sizes = [_size(name) for name in values]
    amounts = ", ".join(f"o.{quoted(name)}, t.{quoted(name)}" for name in values)
    found = db.rows(
        f"SELECT [{address}] AS address, [{amounts}], count(*) OVER () FROM {sides[0]} FULL JOIN {sides[1]} ON {same} "
        f"WHERE {' + '.join(sizes)} > 0 ORDER BY {' + '.join(sizes)} DESC, address LIMIT {NAMED}"
    )
    told = tuple(_sentence(where, pairs, values, ours, theirs) for where, pairs, _ in found)
    return Apart(found[0][2] if found else 0, told)


def _size(name: str) -> str:
    """Return the SQL of the size of a difference; a cell that only one side has is compared with 0."""
    column = quoted(name)
    known = " AND ".join(f"({side}.{THERE} IS NULL OR {side}.{column} IS NOT NULL)" for side in "ot")
    return f"CASE WHEN {known} THEN abs(coalesce(o.{column}, 0) - coalesce(t.{column}, 0)) ELSE 0 END"


def _sentence(
    address: Sequence[str], amounts: Sequence[Decimal | None], values: Sequence[str], ours: Side, theirs: Side
) -> str:
    pairs = zip(values, amounts[::2], amounts[1::2], strict=True)
    told = [
        f"{name} {format_money(one or ZERO)} {ours.words}, {format_money(other or ZERO)} {theirs.words}"
        for name, one, other in pairs
        if (one or 0) != (other or 0)
    ]
    return f"{' / '.join(address)}: {', '.join(told)}"
