# SPDX-License-Identifier: Apache-2.0
"""The model read back: its check view against the cells that it accepted, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.finance.money import format_money
from airflow_provider_mlconnector.pipeline import cells
from airflow_provider_mlconnector.pipeline.context import Bench, ModelReader
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, quoted
from airflow_provider_mlconnector.pipeline.figures import Apart, Side, cells_apart
from airflow_provider_mlconnector.pipeline.layout import cell_scope
from airflow_provider_mlconnector.pipeline.manifests import Figure, PreparedManifest
from airflow_provider_mlconnector.pipeline.modelcauses import causes
from airflow_provider_mlconnector.pipeline.modelview import STRANGERS, place_model, shows_strangers
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.stage import scratch_file
from airflow_provider_mlconnector.pipeline.totals import movement
from airflow_provider_mlconnector.systems.anaplan.definitions import Members
from airflow_provider_mlconnector.trail.records import Accepted

MOVEMENT = "model sum of absolute account movements"
DIFFERENCE = "cells of the model that differ"
ACCEPTED = Side("accepted", "accepted")
IN_MODEL = Side("model", "in the model")


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What the check view shows; figures are None where it could not be read.

    :param movements: debit minus credit per account in the model; None where the file does not tell it.
    """

    figures: tuple[Figure, ...]
    problems: tuple[str, ...] = ()
    movements: Mapping[str, Decimal] | None = None


def _unchecked(why: str) -> ModelCheck:
    return ModelCheck(tuple(Figure(name=name, value=None, source=why) for name in (MOVEMENT, DIFFERENCE)))


def check_model(bench: Bench, plan: LoadPlan, made: PreparedManifest, model: ModelReader | None) -> ModelCheck:
    """Read the plan's check view and compare it with what Anaplan accepted last."""
    if not plan.check or model is None or not made.values or made.cells is None:
        return _unchecked("no check view" if not plan.check else "the model was not read")
    scope = cell_scope(plan, made.run.period)
    before = bench.trail.accepted(scope)
    members = {column: model.members(name) for column, name in plan.members.items()}
    with engine(bench) as db, scratch_file(bench.stage, ".csv") as target:
        place_model(db, plan, made, members, model.view_cells(plan.check, target))
        if before.in_flight or bench.trail.accepted(scope).version != before.version:
            return _unchecked("another run loads these cells just now")
        _place_accepted(bench, db, made, before)
        return _compared(bench, db, plan, made, members)


def _place_accepted(bench: Bench, db: Engine, made: PreparedManifest, accepted: Accepted) -> None:
    if made.cells is not None:
        db.files("cells", bench.stage.fetch(made.cells))
    held = bench.stage.fetch(accepted.file) if accepted.file else None
    cells.place_former(db, made.keys, held, [])


def _compared(
    bench: Bench, db: Engine, plan: LoadPlan, made: PreparedManifest, members: Mapping[str, Members]
) -> ModelCheck:
    found = cells_apart(db, made.keys, made.values, ACCEPTED, IN_MODEL)
    amount = _amount(plan)
    source = f"view {plan.check}, read back"
    movements = None if amount is None else _movements(db, plan, amount)
    total = None if movements is None else format_money(movement(movements))
    return ModelCheck(
        figures=(
            Figure(name=MOVEMENT, value=total, source=source),
            Figure(name=DIFFERENCE, value=str(found.count), source=source),
        ),
        problems=(_problem(bench, db, plan, made, members, found),) if found.count else (),
        movements=movements,
    )


def _problem(
    bench: Bench, db: Engine, plan: LoadPlan, made: PreparedManifest, members: Mapping[str, Members], found: Apart
) -> str:
    """Say why cells differ, what to do, and which they are."""
    if shows_strangers(db, made, ACCEPTED.view):
        why = f"The view {plan.check} {STRANGERS}"
    else:
        why = " ".join(causes(bench, db, plan, made, members))
    return f"{why} {found.count} cells of the view {plan.check} are not as they were accepted: {found}."


def account_column(plan: LoadPlan) -> str | None:
    """Return the column of the file that names the account."""
    return next((name for name, source in plan.columns.items() if source.column == "account"), None)


def _amount(plan: LoadPlan) -> str | None:
    """Return the SQL of a cell's debit minus credit; None when the file does not hold it."""
    columns = {source.column: name for name, source in plan.columns.items()}
    if account_column(plan) is None:
        return None
    if "amount" in columns:
        return quoted(columns["amount"])
    if "debit" in columns and "credit" in columns:
        return f"{quoted(columns['debit'])} - {quoted(columns['credit'])}"
    return None


def _movements(db: Engine, plan: LoadPlan, amount: str) -> dict[str, Decimal]:
    account = quoted(account_column(plan) or "")
    return dict(db.rows(f"SELECT {account}, sum({amount}) FROM model GROUP BY 1"))
