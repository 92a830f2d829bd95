# SPDX-License-Identifier: Apache-2.0
"""Which rows of a book a plan loads; the others are left out, each for one named reason, and counted."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.plan import LoadPlan

LEFT_OUT = ":left_out"
"""Column of the rows: the reason for which a row is not loaded; null when it is."""


def select(db: Engine, plan: LoadPlan) -> None:
    """Name the rows of ``book`` together with the reason that leaves them out ``selection``."""
    cases = "".join(f" WHEN {condition} THEN {reason}" for condition, reason in _rules(db, plan))
    reason = f"CASE{cases} END" if cases else "CAST(NULL AS VARCHAR)"
    db.view("selection", f"SELECT *, {reason} AS {quoted(LEFT_OUT)} FROM book")
    db.view("selected", f"SELECT * EXCLUDE ({quoted(LEFT_OUT)}) FROM selection WHERE {quoted(LEFT_OUT)} IS NULL")


def _rules(db: Engine, plan: LoadPlan) -> Iterator[tuple[str, str]]:
    """Yield a condition in SQL and its reason, as SQL too; the first that holds decides."""
    for at, (column, wanted) in enumerate(plan.only.items()):
        db.variable(f"only_{at}", wanted)
        db.variable(f"other_{at}", f"{column} is not {wanted}")
        yield f"{quoted(column)} IS DISTINCT FROM getvariable('only_{at}')", f"getvariable('other_{at}')"
    if plan.dataset is not Dataset.JOURNAL_LINES:
        return
    actuals = plan.selection
    db.variable("kinds", sorted(actuals.kinds))
    yield "NOT list_contains(getvariable('kinds'), kind)", "kind || ' entry'"
    if actuals.ledger is not None:
        db.variable("ledger", actuals.ledger)
        yield "ledger IS DISTINCT FROM getvariable('ledger')", "'ledger ' || coalesce(nullif(ledger, ''), '(none)')"
    if not actuals.include_statistical:
        yield "coalesce(statistical, false)", "'statistical account'"
    if not actuals.include_plan_documents:
        yield "coalesce(plan_document, false)", "'our own plan document'"
