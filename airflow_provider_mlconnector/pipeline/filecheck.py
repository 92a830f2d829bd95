# SPDX-License-Identifier: Apache-2.0
"""What was sent, read again from the import file; what Anaplan says became of it; and what counts as accepted since."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from airflow_provider_mlconnector.finance.periods import Period, format_period
from airflow_provider_mlconnector.pipeline import cells
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, quoted
from airflow_provider_mlconnector.pipeline.figures import NAMED, Apart, Checked, Side, cells_apart, unchecked
from airflow_provider_mlconnector.pipeline.layout import cell_scope
from airflow_provider_mlconnector.pipeline.manifests import Figure, LoadManifest, PreparedManifest
from airflow_provider_mlconnector.pipeline.mapping import MONEY
from airflow_provider_mlconnector.pipeline.plan import LoadPlan

ACCEPTED = "accepted cells that differ from the prepared ones"
IN_ACCEPTED = Side("accepted", "accepted")
IN_CELLS = Side("cells", "prepared")


def check_file(bench: Bench, load: LoadManifest) -> Checked:
    """Read the import file again: as many lines as were sent, each of them a cell that was to be sent."""
    made = load.prepared
    if made.file is None or made.touched is None:
        sent = Figure(name="sent", value=str(load.sent), source="nothing was to be sent")
        return Checked((sent,), ("Lines were sent without a file.",) if load.sent else ())
    with engine(bench) as db:
        db.csv("lines", bench.stage.fetch(made.file))
        db.files("touched", bench.stage.fetch(made.touched))
        lines = int(db.rows("SELECT count(*) FROM lines")[0][0])
        strange = _strange_lines(db, made)
    figures = (
        Figure(name="sent", value=str(lines), source="import file, read again"),
        Figure(name="sent lines that are no cell", value=str(strange.count), source="import file, read again"),
    )
    problems = [f"The import file has {lines} lines, {load.sent} were to be sent."] if lines != load.sent else []
    if strange.count:
        problems.append(f"{strange.count} lines of the import file are not the cells to be sent: {strange}.")
    return Checked(figures, tuple(problems))


def check_constants(plan: LoadPlan, made: PreparedManifest, period: Period | None) -> Checked:
    """Compare what is the same in every line, such as the version, with what flow and calendar say.

    :param period: the run's period; None leaves its name in the file unchecked.
    """
    wanted = {name: source.constant for name, source in plan.columns.items() if source.constant is not None}
    if period is not None:
        named_by_period = [name for name in made.constants if name not in wanted]
        wanted |= {name: _name_of(plan, name, period) for name in named_by_period}
    said = {name: text for name, text in made.constants.items() if name in wanted}
    figure = Figure(
        name="in every line", value=", ".join(f"{name} {text}" for name, text in said.items()), source="cells"
    )
    problems = [
        f"The file says {name} {said.get(name, 'nothing')}, flow and calendar say {text}."
        for name, text in wanted.items()
        if said.get(name) != text
    ]
    return Checked((figure,) if said else (), tuple(problems))


def _name_of(plan: LoadPlan, column: str, period: Period) -> str:
    if column not in plan.crosswalks:
        return format_period(period, plan.time_format)
    hit = plan.crosswalks[column].lookup(period.key, period.end)
    return hit.member if hit else "nothing"


def check_outcome(load: LoadManifest) -> Checked:
    """Add up what Anaplan says became of the lines; where it tells no counts there is nothing to add up."""
    problems = [f"The outcome of its cells is unknown: {load.unknown}."] if load.unknown else []
    counts = {"loaded": load.loaded, "rejected": load.rejected, "ignored": load.ignored}
    if not load.counted:
        return Checked(tuple(unchecked(name, "Anaplan told no counts") for name in counts), tuple(problems))
    came = sum(counts.values())
    if came != load.sent:
        problems.append(
            f"{load.sent} lines were sent, {came} came to something: {load.loaded} loaded, {load.rejected} rejected, "
            f"{load.ignored} ignored."
        )
    source = "Anaplan's count" if load.task_id else "nothing was to be sent"
    sources = {"rejected": "Anaplan's failure dump"} if load.dump else {}
    figures = (Figure(name=name, value=str(count), source=sources.get(name, source)) for name, count in counts.items())
    return Checked(tuple(figures), tuple(problems))


def check_accepted(bench: Bench, plan: LoadPlan, load: LoadManifest) -> Checked:
    """Compare what counts as accepted since the load with what was prepared: only rejected cells may differ."""
    made = load.prepared
    if made.cells is None or not made.values or not made.complete:
        return Checked()
    accepted = bench.trail.accepted(cell_scope(plan, made.run.period))
    if accepted.version != load.accepted_version:
        return Checked((unchecked(ACCEPTED, "another run loads these cells just now"),))
    if accepted.file is None:
        return Checked((unchecked(ACCEPTED, "nothing was accepted so far"),))
    with engine(bench) as db:
        db.files(IN_CELLS.view, bench.stage.fetch(made.cells))
        cells.place_former(db, made.keys, bench.stage.fetch(accepted.file), [])
        found = cells_apart(db, made.keys, made.values, IN_ACCEPTED, IN_CELLS)
    figure = Figure(name=ACCEPTED, value=str(found.count), source="accepted cells")
    if found.count <= load.rejected or load.unknown:
        return Checked((figure,))
    problem = f"{found.count} accepted cells are not as they were prepared, but {load.rejected} were rejected: {found}."
    return Checked((figure,), (problem,))


def _strange_lines(db: Engine, made: PreparedManifest) -> Apart:
    """Return the lines that only one of file and cells has, as often as it has them more than the other."""
    kinds = {name: kind for name, kind in db.columns("touched").items() if name in made.columns}
    texts = [name for name, kind in kinds.items() if pa.types.is_string(kind)]
    amounts = [name for name, kind in kinds.items() if pa.types.is_decimal(kind)]
    of_file = [f"coalesce({quoted(name)}, '')" for name in texts]
    of_file += [f"coalesce(TRY_CAST({quoted(name)} AS {MONEY})::VARCHAR, {quoted(name)}, '')" for name in amounts]
    of_cells = [f"coalesce({quoted(name)}, '')" for name in texts]
    of_cells += [f"coalesce({quoted(name)}::VARCHAR, '')" for name in amounts]
    for at, (name, text) in enumerate(made.constants.items()):
        db.variable(f"constant_{at}", text)
        of_file.append(quoted(name))
        of_cells.append(f"getvariable('constant_{at}')")
    file, cells_sent = (
        f"SELECT [{', '.join(texts)}] AS line FROM {view}"
        for texts, view in ((of_file, "lines"), (of_cells, "touched"))
    )
    if _fingerprint(db, file) == _fingerprint(db, cells_sent):
        return Apart()
    found = db.rows(
        "SELECT line, words, count(*) OVER () FROM ("
        f"SELECT *, 'is in the file alone' AS words FROM ({file} EXCEPT ALL {cells_sent}) UNION ALL "
        f"SELECT *, 'is not in the file' AS words FROM ({cells_sent} EXCEPT ALL {file})) "
        f"ORDER BY line, words LIMIT {NAMED}"
    )
    return Apart(found[0][2] if found else 0, tuple(f"{' / '.join(line)} {words}" for line, words, _ in found))


def _fingerprint(db: Engine, lines: str) -> tuple[Any, ...]:
    """Return what is the same for the same lines in any order; costs no memory, however many there are."""
    return db.rows(f"SELECT count(*), sum(hash(line)::HUGEINT) FROM ({lines})")[0]
