# SPDX-License-Identifier: Apache-2.0
"""Lines of a list's file that no row of the ledger stands behind, such as the member for a blank cost centre."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.layout import DEPTH, MEASURE, RECORD, Layout
from airflow_provider_mlconnector.pipeline.parents import CODE_COLUMNS
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.tables import TEXT, WHOLE, table


def parents_of(plan: LoadPlan, layout: Layout) -> dict[str, str]:
    """Return the parent of each added member, by code."""
    return {_code(layout, line): line.get(layout.parent, "") for line in plan.extra if layout.parent}


def _code(layout: Layout, line: Mapping[str, str]) -> str:
    named = next((column.name for column in layout.sources if column.source in CODE_COLUMNS), "")
    return line.get(named, "")


def place(db: Engine, plan: LoadPlan, layout: Layout, depths: Mapping[str, int | None]) -> None:
    """Name the added lines, in the columns of ``mapped``, ``extra``.

    :param depths: how far below the top each code is, for a list with parents.
    """
    kinds = dict(db.rows("SELECT column_name, column_type FROM (DESCRIBE mapped)"))
    names = [column.name for column in layout.sources]
    lines = [
        {RECORD: f"added line {at}", DEPTH: depths.get(_code(layout, line)), **{name: line.get(name) for name in names}}
        for at, line in enumerate(plan.extra, 1)
    ]
    db.table("extra_lines", table({**dict.fromkeys((RECORD, *names), TEXT), DEPTH: WHOLE}, lines))
    items = [f"CAST(nullif({quoted(name)}, '') AS {kinds[name]}) AS {quoted(name)}" for name in (RECORD, *names)]
    zero = f"CAST(0 AS {kinds[MEASURE]}) AS {quoted(MEASURE)}"
    db.view("extra", f"SELECT {', '.join([*items, zero, quoted(DEPTH)])} FROM extra_lines")
