# SPDX-License-Identifier: Apache-2.0
"""Why the model is not as it was accepted, as far as the cells themselves tell, and what to do about it.

A cell that was sent and shows what it held before on top of it speaks of an import that adds; cells that were not sent
and are empty, of one that clears its target first; a member that its list does not have, of one that a person deleted
or gave another code. All else somebody changed: by hand, by another import, or by bringing an older model back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from airflow_provider_mlconnector.pipeline import cells
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.mapping import known
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Match, Send
from airflow_provider_mlconnector.systems.anaplan.definitions import Members

MEMBERS_NAMED = 10
WHOLE = "run the period whole: clear this run, or start one with the parameter full"


def causes(
    bench: Bench, db: Engine, plan: LoadPlan, made: PreparedManifest, members: Mapping[str, Members]
) -> Iterator[str]:
    """Yield what explains that ``accepted`` and ``model`` differ; they and ``cells`` are placed.

    :param members: by column, the list of its members as it is now.
    """
    _place_differing(db, made)
    for column, listed in members.items():
        if column in made.keys:
            yield from _of_members(db, plan, column, known(listed, plan.match.get(column, Match.CODE)))
    left = _count(db, "true")
    if left:
        _place_sent(bench, db, made)
        yield _of_import(db, plan, made, left) or _of_people(left)


def _place_differing(db: Engine, made: PreparedManifest) -> None:
    """Name the cells that differ ``differing``; one that was accepted with an unknown value (null) is not compared."""
    address = ", ".join(f"coalesce(a.{quoted(key)}, m.{quoted(key)}) AS {quoted(key)}" for key in made.keys)
    amounts = ", ".join(
        f"a.{quoted(name)} AS {quoted(f'accepted.{name}')}, m.{quoted(name)} AS {quoted(f'model.{name}')}"
        for name in made.values
    )
    differ = " OR ".join(
        f"NOT (a.is_accepted IS NOT NULL AND a.{quoted(name)} IS NULL) "
        f"AND coalesce(a.{quoted(name)}, 0) <> coalesce(m.{quoted(name)}, 0)"
        for name in made.values
    )
    db.run(
        f"CREATE OR REPLACE TEMP TABLE differing AS SELECT {address}, {amounts}, a.is_accepted "
        f"FROM (SELECT *, true AS is_accepted FROM accepted) a "
        f"FULL JOIN model m ON {cells.same('a', 'm', made.keys)} WHERE {differ}"
    )


def _place_sent(bench: Bench, db: Engine, made: PreparedManifest) -> None:
    """Name what this run sent ``sent``, and what was accepted before it ``former``."""
    cells.place(db, made.keys, "sent", [bench.stage.fetch(made.touched)] if made.touched else [])
    cells.place(db, made.keys, "former", [bench.stage.fetch(made.former)] if made.former else [])


def _of_members(db: Engine, plan: LoadPlan, column: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the members of one column; their cells leave ``differing``."""
    found = db.rows(f"SELECT DISTINCT {quoted(column)}, coalesce(is_accepted, false) FROM differing")
    strange = {(text, accepted) for text, accepted in found if text not in texts}
    lost = sorted(text for text, accepted in strange if accepted)
    shown = sorted({text for text, accepted in strange if not accepted} - set(lost))
    listed = f"the list {plan.members[column]}"
    if lost:
        yield (
            f"Cells of {_named(lost)} were accepted, and {listed} has no such member any more: somebody deleted it, or "
            f"changed what the import knows it by. Put it right, or let the flow load the list again; then {WHOLE}."
        )
    if shown:
        yield (
            f"The view {plan.check} shows {_named(shown)} as {column}, which is not what {listed} calls a member: it "
            "has to show names or codes, and of a numbered list not the display names."
        )
    if strange:
        db.run(f"DELETE FROM differing WHERE list_contains(?, {quoted(column)})", [*lost, *shown])


def _of_import(db: Engine, plan: LoadPlan, made: PreparedManifest, left: int) -> str:
    """Say what the import does to its target, if that explains all cells that differ."""
    sent = f"EXISTS (FROM sent s WHERE {cells.same('s', 'd', made.keys)})"
    if plan.send is Send.TOUCHED and made.touched and not _count(db, f"{sent} OR NOT ({_empty(made.values)})"):
        return (
            f"{left} cells that this run did not send are empty. If {plan.import_name} clears its target first, write "
            "'send: period' into its load in the flow, or let it only update imported cells; if it does not, somebody "
            f"emptied them or restored an older model. Then {WHOLE}."
        )
    if not made.touched or _count(db, f"NOT ({sent})"):
        return ""
    added = _count(db, _summed(made))
    if 2 * added >= left:  # not all: what was added to twice is no such sum any more
        return (
            f"{added} cells hold what was sent and what they held before on top of it: the import {plan.import_name} "
            f"adds to its target. It must overwrite, for what is sent are totals; change it in Anaplan, then {WHOLE}."
        )
    return (
        f"{left} cells are not what was sent in this very run: something else writes into them, or the view "
        f"{plan.check} shows more than {plan.import_name} loads. See to that, then {WHOLE}."
    )


def _of_people(left: int) -> str:
    return (
        f"Somebody changed {left} cells since they were accepted: by hand, by another import, or by restoring an older "
        f"model. To put them right, {WHOLE}."
    )


def _count(db: Engine, condition: str) -> int:
    return int(db.rows(f"SELECT count(*) FROM differing d WHERE {condition}")[0][0])


def _empty(values: Iterable[str]) -> str:
    """Return the condition under which the model holds nothing where something was accepted."""
    return " AND ".join(f"coalesce(d.{quoted(f'model.{name}')}, 0) = 0" for name in values)


def _summed(made: PreparedManifest) -> str:
    """Return the condition under which the model holds what is accepted now and what was accepted before."""
    sums = " AND ".join(
        f"coalesce(d.{quoted(f'model.{name}')}, 0) = coalesce(d.{quoted(f'accepted.{name}')}, 0) + "
        f"coalesce(f.{quoted(name)}, 0)"
        for name in made.values
    )
    return f"EXISTS (FROM former f WHERE {cells.same('f', 'd', made.keys)} AND {sums})"


def _named(texts: list[str]) -> str:
    rest = f" and {len(texts) - MEMBERS_NAMED} more" if len(texts) > MEMBERS_NAMED else ""
    return ", ".join(f"'{text}'" for text in texts[:MEMBERS_NAMED]) + rest
