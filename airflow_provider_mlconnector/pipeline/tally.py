# SPDX-License-Identifier: Apache-2.0
"""What became of the rows of a book: accepted, quarantined or left out by rule, in numbers that have to add up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.finance.money import add_money, format_money
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.layout import MEASURE, PROBLEM, Layout
from airflow_provider_mlconnector.pipeline.manifests import Tally
from airflow_provider_mlconnector.pipeline.selection import LEFT_OUT
from airflow_provider_mlconnector.pipeline.totals import less

TRANSFORM = "transform"

_Part = tuple[int, Decimal]


def tally(db: Engine, layout: Layout, *, transformed: bool) -> Tally:
    """Count ``selection`` and ``mapped``.

    The book is counted itself, and a transform by what went into it and what came out of it, so that a line that is
    lost or doubled anywhere shows in the sums.

    :param transformed: a transform stands between them; what it dropped or added is left out by rule, under its name.
    """
    measure = f"coalesce(sum({quoted(layout.measure)}), 0)" if layout.measure else "0"
    found = db.rows(f"SELECT {quoted(LEFT_OUT)}, count(*), {measure} FROM selection GROUP BY 1 ORDER BY 1")
    left_out: dict[str, _Part] = {reason: (rows, amount) for reason, rows, amount in found if reason is not None}
    selected = _total([(rows, amount) for reason, rows, amount in found if reason is None])
    mapped = db.rows(f"SELECT {quoted(PROBLEM)} IS NULL, count(*), sum({quoted(MEASURE)}) FROM mapped GROUP BY 1")
    accepted = _total([(rows, amount) for fine, rows, amount in mapped if fine])
    quarantined = _total([(rows, amount) for fine, rows, amount in mapped if not fine])
    if transformed:
        came_out = _total(db.rows(f"SELECT count(*), {measure} FROM rows"))
        if came_out != selected:
            left_out[TRANSFORM] = (selected[0] - came_out[0], less(selected[1], came_out[1]))
    out = _total(list(left_out.values()))
    book = _total(db.rows(f"SELECT count(*), {measure} FROM book"))

    def amount(part: _Part) -> str:
        return format_money(part[1]) if layout.measure else ""

    return Tally(
        rows_book=book[0],
        rows_accepted=accepted[0],
        rows_quarantined=quarantined[0],
        rows_left_out=out[0],
        sum_book=amount(book),
        sum_accepted=amount(accepted),
        sum_quarantined=amount(quarantined),
        sum_left_out=amount(out),
        left_out={reason: f"{part[0]} rows {amount(part)}".strip() for reason, part in left_out.items()},
    )


def _total(parts: Sequence[tuple[Any, ...]]) -> _Part:
    return sum(rows for rows, _ in parts), add_money(Decimal(amount) for _, amount in parts)
