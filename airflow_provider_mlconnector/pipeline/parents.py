# SPDX-License-Identifier: Apache-2.0
"""Members and the members above them: a parent has to be in the data, and is loaded before its children."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.tables import TEXT, WHOLE, table

CODE_COLUMNS = ("account", "code")
"""What a dataset with a ``parent`` calls the codes that parents refer to."""


def place(db: Engine, types: Mapping[str, pa.DataType], extra: Mapping[str, str]) -> dict[str, int | None]:
    """Name depth and problem of every record of ``rows`` ``placed``; return the depth of each code.

    :param extra: parent by code, of members that no row stands behind.
    """
    code = next(name for name in CODE_COLUMNS if name in types)
    found = db.rows(f"SELECT record_id, {quoted(code)}, coalesce(parent, '') FROM rows")
    depths = depths_of({**extra, **{code: parent for _, code, parent in found}})
    placed = [
        {
            "record_id": record,
            "depth": depths[code],
            "problem": _problem(parent, depths) if depths[code] is None else None,
        }
        for record, code, parent in found
    ]
    db.table("placed", table({"record_id": TEXT, "depth": WHOLE, "problem": TEXT}, placed))
    return depths


def depths_of(parents: Mapping[str, str]) -> dict[str, int | None]:
    """Return how far below the top each code is; None when its chain of parents leaves the data or runs in a circle.

    :param parents: parent by code, "" at the top.
    """
    depths: dict[str, int | None] = {}
    for code in parents:
        chain: list[str] = []
        above = code
        while above and above in parents and above not in depths and above not in chain:
            chain.append(above)
            above = parents[above]
        depth = depths.get(above) if above else -1
        for member in reversed(chain):
            depth = None if depth is None else depth + 1
            depths[member] = depth
    return depths


def _problem(parent: str, depths: Mapping[str, int | None]) -> str:
    if parent not in depths:
        return f"the parent '{parent}' is not in the data"
    return f"above the parent '{parent}' a member is missing, or the parents form a circle"
