# SPDX-License-Identifier: Apache-2.0
"""The second step: the book becomes cells, and the cells that have to be sent become an import file.

Nothing is added to what was sent before: every cell is computed anew from all lines of the period, and compared with
what Anaplan last accepted. The file names the version of the accepted cells that it was computed against; the load
checks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import cached_property

import msgspec
import pyarrow.parquet as pq
from msgspec.structs import replace

from airflow_provider_mlconnector.finance.datasets import PERIOD_DATASETS
from airflow_provider_mlconnector.finance.money import format_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline import quarantine
from airflow_provider_mlconnector.pipeline.book import lay_out
from airflow_provider_mlconnector.pipeline.context import Bench, ModelReader
from airflow_provider_mlconnector.pipeline.destination import accepted_at, destination
from airflow_provider_mlconnector.pipeline.engine import Engine, engine
from airflow_provider_mlconnector.pipeline.layout import Layout, cell_scope
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest, PreparedManifest, Tally
from airflow_provider_mlconnector.pipeline.mapping import known, member_tables
from airflow_provider_mlconnector.pipeline.modelview import place_model
from airflow_provider_mlconnector.pipeline.outgoing import Choice, Outbox, Outgoing, prefix, sum_of_cells
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Match, ReadMode, Unmapped
from airflow_provider_mlconnector.pipeline.recipe import Recipe, plan_digest, stage_recipe
from airflow_provider_mlconnector.pipeline.rows import place_mapped
from airflow_provider_mlconnector.pipeline.stage import scratch_file
from airflow_provider_mlconnector.pipeline.tally import tally
from airflow_provider_mlconnector.systems.anaplan.definitions import Members
from airflow_provider_mlconnector.trail.records import Accepted, BookScope, EventKind, RunRef, StagedFile

NOTE = "mlconnector"
"""Key of the note in the footer of a cells file."""

Chosen = Callable[[Engine, Layout], None]
"""Places the addresses of the cells that a replay sends as ``chosen``."""


class Note(msgspec.Struct, frozen=True):
    """What a cells file says of its making: by that it is recognised as still valid.

    :param members: digest of the lists that the rows were checked against; "" when they were not.
    """

    plan: str
    book_version: int
    tally: Tally
    keys: tuple[str, ...]
    values: tuple[str, ...]
    constants: dict[str, str]
    members: str = ""


def book_of(plan: LoadPlan, period_key: str) -> BookScope:
    """Return whose records a plan loads."""
    period = period_key if plan.dataset in PERIOD_DATASETS else ""
    return BookScope(flow=plan.flow, company=plan.company, dataset=plan.dataset, period=period)


def prepare(
    bench: Bench, plan: LoadPlan, batch: BatchManifest, period: Period, model: ModelReader | None
) -> PreparedManifest:
    """Compute all cells of a plan and write the file of those that have to be sent.

    :param model: reads members and the check view; None leaves both unchecked.
    :raises RowsRefusedError: when rows do not map and the flow says fail.
    """
    preparation = Preparation(bench, plan, batch.run, period, model)
    unchanged = preparation.unchanged(batch)
    if unchanged is not None:
        return unchanged
    choice = Choice.ALL if batch.run.mode == ReadMode.WHOLE else Choice.CHANGED
    return preparation.make(choice, batch.batch_id, cursor=batch.cursor)


class Preparation:
    """Prepares one plan for one run."""

    def __init__(self, bench: Bench, plan: LoadPlan, run: RunRef, period: Period, model: ModelReader | None) -> None:
        self._bench = bench
        self._plan = plan
        self._run = run
        self._period = period
        self._model = model
        self._scope = cell_scope(plan, run.period)
        self._digest = plan_digest(plan)

    def unchanged(self, batch: BatchManifest) -> PreparedManifest | None:
        """Return the manifest of a load that has nothing to send, if that can be told without looking at rows.

        So it is when nothing was read, and the accepted cells are those of today's book by today's plan and today's
        lists of the model, none of them rejected, unknown or held back. A member that somebody deleted took its cells
        with it.
        """
        accepted = self._bench.trail.accepted(self._scope)
        if batch.file is not None or self._run.mode == ReadMode.WHOLE or accepted.file is None or accepted.in_flight:
            return None
        footer = pq.read_metadata(self._bench.stage.fetch(accepted.file))
        text = (footer.metadata or {}).get(NOTE.encode())
        note = msgspec.json.decode(text, type=Note) if text else None
        state = self._bench.trail.book(book_of(self._plan, self._run.period))
        if note is None or (note.plan, note.book_version) != (self._digest, state.version):
            return None
        if note.tally.rows_quarantined or note.members != self._members_digest():
            return None
        self._bench.trail.record(self._run.run_id, EventKind.UNCHANGED, {"import": self._plan.import_name})
        with engine(self._bench) as db:
            same = Outgoing(accepted.file, footer.num_rows, sum_of_cells(db, self._bench.stage.fetch(accepted.file)))
        return replace(self._manifest(batch.batch_id, accepted, note, same), cursor=batch.cursor)

    def make(
        self, choice: Choice, batch_id: str, *, cursor: datetime | None = None, chosen: Chosen | None = None
    ) -> PreparedManifest:
        """Compute the cells, write the files and record it.

        :param cursor: up to where the batch had read.
        :param chosen: for ``Choice.CHOSEN``, places the addresses of the cells to send.
        """
        plan, bench = self._plan, self._bench
        accepted = bench.trail.accepted(self._scope)
        state = bench.trail.book(book_of(plan, self._run.period))
        where = prefix(plan, self._run.run_id, self._scope.period)
        members = self._members
        with engine(bench) as db, ExitStack() as stack:
            lay_out(db, bench.stage, state)
            layout = place_mapped(bench, db, plan, self._period, members, stack)
            counted = tally(db, layout, transformed=bool(plan.transform))
            held_back = self._hold_back(db, layout, counted, where)
            if chosen is not None:
                chosen(db, layout)
            beyond = choice is Choice.ALL and self._place_model(db, layout, members)
            here = destination(plan, layout.constants)
            accepted = accepted_at(bench.stage, accepted, here)
            lists = member_tables(layout, members)
            outbox = Outbox(bench, db, plan, layout, accepted, where, beyond=beyond, lists=lists)
            note = Note(
                self._digest,
                state.version,
                counted,
                layout.keys,
                layout.values,
                layout.constants,
                self._members_digest(),
            )
            outgoing = outbox.write(choice, {NOTE: msgspec.json.encode(note).decode(), **here})
        manifest = replace(
            self._manifest(batch_id, accepted, note, outgoing),
            quarantine=held_back,
            complete=chosen is None,
            cursor=cursor,
        )
        self._record(manifest, choice)
        return manifest

    def _manifest(self, batch_id: str, accepted: Accepted, note: Note, outgoing: Outgoing) -> PreparedManifest:
        measured = bool(note.tally.sum_book)
        return PreparedManifest(
            run=self._run,
            dataset=self._plan.dataset,
            import_name=self._plan.import_name,
            batch_id=batch_id,
            book_version=note.book_version,
            against=accepted.version,
            former=accepted.file,
            cells_now=outgoing.cells_now,
            cells_sent=outgoing.sent,
            cells_zeroed=outgoing.zeroed,
            sum_cells=format_money(outgoing.sum_cells) if measured else "",
            file=outgoing.file,
            touched=outgoing.touched,
            cells=outgoing.cells,
            quarantine=None,
            columns=tuple(self._plan.columns),
            keys=note.keys,
            values=note.values,
            constants=note.constants,
            until=self._period.end,
            **msgspec.structs.asdict(note.tally),
        )

    def _record(self, manifest: PreparedManifest, choice: Choice) -> None:
        """Put on the trail what was prepared, and by which plan and code books, for whoever asks later."""
        recipe = stage_recipe(self._bench, Recipe(self._plan, self._period), self._run)
        detail = {**manifest.to_json(), "choice": choice, "recipe": recipe}
        made = (manifest.file, manifest.touched, manifest.cells, manifest.quarantine, recipe)
        files = {file.key: file for file in made if file is not None}
        self._bench.trail.record(self._run.run_id, EventKind.PREPARED, detail, files=list(files.values()))
        self._bench.log.info(
            "%s %s: %d of %d cells to send",
            manifest.import_name,
            self._run.period,
            manifest.cells_sent,
            manifest.cells_now,
        )

    @cached_property
    def _members(self) -> dict[str, Members]:
        if self._model is None:
            return {}
        return {column: self._model.members(name) for column, name in self._plan.members.items()}

    def _members_digest(self) -> str:
        """Return a digest of what rows are checked against: of each list, by what the import recognises a member."""
        listed = [
            (column, sorted(known(held, self._plan.match.get(column, Match.CODE))))
            for column, held in sorted(self._members.items())
        ]
        return hashlib.sha256(msgspec.json.encode(listed)).hexdigest() if listed else ""

    def _hold_back(self, db: Engine, layout: Layout, counted: Tally, where: str) -> StagedFile | None:
        if not counted.rows_quarantined:
            return None
        key = f"{where}-quarantine.parquet"
        file = quarantine.keep(self._bench, db, self._plan, layout, self._run.run_id, key)
        if self._plan.unmapped is Unmapped.FAIL:
            raise quarantine.refuse(db, self._plan, counted.rows_quarantined)
        return file

    def _place_model(self, db: Engine, layout: Layout, members: Mapping[str, Members]) -> bool:
        """Read the check view, so that what the model holds beyond the book becomes 0."""
        if self._model is None or not self._plan.check or not layout.values:
            return False
        with scratch_file(self._bench.stage, ".csv") as target:
            view = self._model.view_cells(self._plan.check, target)
            place_model(db, self._plan, layout, members, view)
        return True
