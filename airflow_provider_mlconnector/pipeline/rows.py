# SPDX-License-Identifier: Apache-2.0
"""From a book to the rows that a plan sends: selected, transformed by the user's function, mapped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline import extra
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine
from airflow_provider_mlconnector.pipeline.layout import Layout, layout
from airflow_provider_mlconnector.pipeline.mapping import MONEY, map_rows
from airflow_provider_mlconnector.pipeline.natures import place_natures
from airflow_provider_mlconnector.pipeline.parents import place
from airflow_provider_mlconnector.pipeline.plan import PRESENT, LoadPlan, Sign
from airflow_provider_mlconnector.pipeline.selection import select
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.pipeline.transform import Transformed
from airflow_provider_mlconnector.systems.anaplan.definitions import Members


def place_mapped(
    bench: Bench,
    db: Engine,
    plan: LoadPlan,
    period: Period,
    members: Mapping[str, Members],
    stack: ExitStack,
) -> Layout:
    """Name what becomes of ``book``: ``selection`` (with what leaves a row out), ``rows``, ``mapped`` and ``extra``.

    :param members: by file column, the list that its values must be members of.
    :param stack: keeps the transform's result on disk as long as it is open.
    """
    select(db, plan)
    if plan.transform:
        _transform(bench, db, plan, stack)
    else:
        db.view("rows", f"SELECT *{_present(plan)} FROM selected")
    types = db.columns("rows")
    placed = layout(plan, period, types)
    if "record_id" not in types and not plan.group_by:
        raise SchemaDriftError(f"The transform {plan.transform} dropped record_id, by which the lines are addressed.")
    if plan.sign is Sign.NATURAL:
        place_natures(bench, db, plan)
    added = extra.parents_of(plan, placed)
    depths = place(db, types, added) if placed.parent else {}
    map_rows(db, plan, placed, period, members, types)
    extra.place(db, plan, placed, depths)
    return placed


def _transform(bench: Bench, db: Engine, plan: LoadPlan, stack: ExitStack) -> None:
    transformed = Transformed(plan.transform, db.stream("SELECT * FROM selected"))
    sink = stack.enter_context(ParquetSink(bench.stage, transformed.schema))
    pour(transformed, sink)
    db.files("transformed", sink.finish())
    db.view("rows", f"SELECT * EXCLUDE (file_row_number){_present(plan)} FROM transformed")


def _present(plan: LoadPlan) -> str:
    """Return the column that says of a record that the ledger has it; cells have none."""
    return "" if plan.group_by else f", CAST(1 AS {MONEY}) AS {PRESENT}"
