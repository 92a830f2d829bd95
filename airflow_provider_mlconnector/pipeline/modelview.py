# SPDX-License-Identifier: Apache-2.0
"""The check view of an import, read back: what the model holds now in the cells that a plan loads.

The view is a saved one whose columns are called as those of the import file, showing leaf members only and nothing
that other imports load. Its lines of other periods, versions or companies are told apart by the file's constants and
the import's mapping parameters, where the view shows them. It shows names where the import goes by codes, so names are
turned into codes by the members of the lists.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from airflow_provider_mlconnector.errors import ConfigurationError, DataError
from airflow_provider_mlconnector.pipeline.cells import same
from airflow_provider_mlconnector.pipeline.engine import Engine, listed, quoted
from airflow_provider_mlconnector.pipeline.mapping import MONEY
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Match
from airflow_provider_mlconnector.pipeline.tables import TEXT, table
from airflow_provider_mlconnector.systems.anaplan.definitions import Members


class Addressed(Protocol):
    """Which columns of a file address a cell, hold its amounts, and are the same in every line."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns of the address."""

    @property
    def values(self) -> tuple[str, ...]:
        """Columns of amounts."""

    @property
    def constants(self) -> dict[str, str]:
        """Constant columns with their text."""


def place_model(db: Engine, plan: LoadPlan, layout: Addressed, members: Mapping[str, Members], view: Path) -> None:
    """Name the cells that the view shows ``model``: address and values, one row per cell.

    :param view: the view as CSV.
    :raises ConfigurationError: when the view lacks a column of the file.
    :raises DataError: when a value is no number.
    """
    shown = _header(view)
    missing = [name for name in (*layout.keys, *layout.values) if name not in shown]
    if missing:
        raise ConfigurationError(
            f"The view {plan.check} shows no column {missing[0]!r}; it shows {', '.join(shown)}.",
            hint=f"Its dimensions and line items must be called as the columns of {plan.import_name}.",
        )
    db.csv("view", view)
    texts = {name: _member(db, plan, members, at, name) for at, name in enumerate(shown)}
    wanted = []
    for at, (name, text) in enumerate({**plan.mapping, **layout.constants}.items()):
        if name in shown:
            db.variable(f"constant_{at}", text)
            wanted.append(f"{texts[name]} = getvariable('constant_{at}')")
    keys = ", ".join(f"{texts[name]} AS {quoted(name)}" for name in layout.keys)
    values = ", ".join(
        f"TRY_CAST(coalesce(nullif(trim({quoted(name)}), ''), '0') AS {MONEY}) AS {quoted(name)}"
        for name in layout.values
    )
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    db.run(f"CREATE OR REPLACE TEMP TABLE shown AS SELECT {keys}, {values} FROM view {where}")
    _check_numbers(db, plan, layout)
    sums = ", ".join(f"sum({quoted(name)}) AS {quoted(name)}" for name in layout.values)
    db.view("model", f"SELECT {listed(layout.keys)}, {sums} FROM shown GROUP BY {listed(layout.keys)}")


def shows_strangers(db: Engine, layout: Addressed, ours: str) -> bool:
    """Say whether ``model`` and our own cells both hold something and share no address: so it is when names meet codes.

    :param ours: table of our cells.
    """
    found = db.rows(
        f"SELECT EXISTS (FROM model), EXISTS (FROM {quoted(ours)}), "
        f"EXISTS (FROM model m SEMI JOIN {quoted(ours)} c ON {same('m', 'c', layout.keys)})"
    )
    return found[0] == (True, True, False)


STRANGERS = (
    "shows none of the addresses that the import loads. If it shows names and the import goes by codes, name the lists "
    "in the flow: members: {Column: List}. Of a numbered list it must not show the display names."
)


def _header(view: Path) -> list[str]:
    with view.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines), [])


def _member(db: Engine, plan: LoadPlan, members: Mapping[str, Members], at: int, name: str) -> str:
    """Return the SQL of a dimension's text as the import would write it."""
    text = f"coalesce({quoted(name)}, '')"
    if name not in members or plan.match.get(name, Match.CODE) is Match.NAME:
        return text
    listed_members = members[name]
    codes = {
        shown: code for shown, code in listed_members.by_name.items() if code and shown not in listed_members.by_code
    }
    rows = ({"name": shown, "code": code} for shown, code in codes.items())
    db.table(f"codes_{at}", table({"name": TEXT, "code": TEXT}, rows))
    return f"coalesce((SELECT any_value(t.code) FROM codes_{at} t WHERE t.name = {text}), {text})"


def _check_numbers(db: Engine, plan: LoadPlan, layout: Addressed) -> None:
    bad = " OR ".join(f"{quoted(name)} IS NULL" for name in layout.values)
    found = db.rows(f"SELECT count(*) FROM shown WHERE {bad}")[0][0]
    if found:
        raise DataError(
            f"The view {plan.check} shows {found} cells in {', '.join(layout.values)} that are no numbers.",
            hint="Choose number formatted line items, without a display unit or thousands separators.",
        )
