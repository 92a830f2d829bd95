# SPDX-License-Identifier: Apache-2.0
"""Parents in a list whose order and types tell its tree: charts of accounts and dimension values."""

from __future__ import annotations

from collections.abc import Iterable

OPENS, CLOSES = "Begin-Total", "End-Total"


def parents_by_totals(rows: Iterable[tuple[str, str]]) -> list[str | None]:
    """Return the parent of each (code, type), given in order of their codes.

    A row belongs to the innermost Begin-Total that no End-Total closed yet; an End-Total to the one around its own.
    A heading is a line of text in this order and holds nothing.
    """
    around: list[str] = []
    parents: list[str | None] = []
    for code, kind in rows:
        if kind == CLOSES and around:
            around.pop()
        parents.append(around[-1] if around else None)
        if kind == OPENS:
            around.append(code)
    return parents
