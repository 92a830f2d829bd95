# SPDX-License-Identifier: Apache-2.0
"""The file for the import: which cells are sent, written once as CSV and once as Parquet, line by line the same."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.pipeline import cells
from airflow_provider_mlconnector.pipeline.book import folder
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.layout import MEASURE, Layout
from airflow_provider_mlconnector.pipeline.modelview import STRANGERS, shows_strangers
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Send
from airflow_provider_mlconnector.pipeline.sinks import CsvSink, ParquetSink, pour
from airflow_provider_mlconnector.trail.records import Accepted, StagedFile


class Choice(StrEnum):
    """Which cells go into the file: those that differ, all, or those named in ``chosen``, changed or not."""

    CHANGED = "changed"
    ALL = "all"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What was written; the sum is of :data:`MEASURE` over all cells of the book."""

    cells: StagedFile
    cells_now: int
    sum_cells: Decimal
    file: StagedFile | None = None
    touched: StagedFile | None = None
    sent: int = 0
    zeroed: int = 0


class Outbox:
    """Writes the files of one prepared load; ``mapped`` has to be placed in the engine.

    :param beyond: ``model`` is placed: what it holds and the book does not becomes 0.
    :param lists: by column of the address, the table of the members that its list has.
    """

    def __init__(
        self,
        bench: Bench,
        db: Engine,
        plan: LoadPlan,
        layout: Layout,
        accepted: Accepted,
        prefix: str,
        *,
        beyond: bool,
        lists: Mapping[str, str],
    ) -> None:
        self._stage = bench.stage
        self._db = db
        self._plan = plan
        self._layout = layout
        self._accepted = accepted
        self._prefix = prefix
        self._beyond = beyond
        self._lists = lists
        self._grouped = bool(plan.group_by)

    def write(self, choice: Choice, note: Mapping[str, str]) -> Outgoing:
        """Write the cells, and the file of those that are chosen; no file when there is nothing to send.

        :param note: texts for the footer of the cells file.
        """
        reader = self._db.stream(cells.cells_sql(self._layout, grouped=self._grouped))
        first_load = self._accepted.file is None and not self._accepted.in_flight and not self._beyond
        with ParquetSink(self._stage, reader.schema) as now, CsvSink(self._stage, self._layout.csv) as lines:
            all_go = first_load and choice is not Choice.CHOSEN
            pour(reader, *([now, lines] if all_go else [now]))
            file = now.publish(f"{self._prefix}-cells.parquet", note)
            outgoing = Outgoing(file, now.rows, sum_of_cells(self._db, self._stage.fetch(file)))
            if not all_go:
                return self._write_chosen(choice, outgoing)
            if not now.rows:
                return outgoing
            return self._sent(outgoing, lines.publish(f"{self._prefix}.csv"), file, now.rows, zeroed=0)

    def _write_chosen(self, choice: Choice, outgoing: Outgoing) -> Outgoing:
        stage, layout = self._stage, self._layout
        accepted = stage.fetch(self._accepted.file) if self._accepted.file else None
        if self._beyond and shows_strangers(self._db, layout, "cells"):
            raise ConfigurationError(f"The view {self._plan.check} {STRANGERS}")
        cells.place_former(self._db, layout.keys, accepted, [stage.fetch(file) for file in self._accepted.in_flight])
        queries = self._queries(choice)
        if not queries:
            return outgoing
        schema = self._db.schema(queries[0])
        with ParquetSink(stage, schema) as touched, CsvSink(stage, layout.csv) as lines:
            pour(cells.streamed(self._db, *queries), touched, lines)
            if not touched.rows:
                return outgoing
            file, sent = lines.publish(f"{self._prefix}.csv"), touched.rows
            rows = touched.publish(f"{self._prefix}-touched.parquet")
        self._db.files("touched", stage.fetch(rows))
        zeroed = self._db.rows(f"SELECT count(*) FROM touched WHERE {quoted(cells.GONE)}")[0][0]
        return self._sent(outgoing, file, rows, sent, zeroed=zeroed)

    def _queries(self, choice: Choice) -> list[str]:
        """Return the queries whose rows make the file, one after the other.

        An import that clears its target may do so for the items of its file alone: zeros go into it, too.
        """
        layout, grouped = self._layout, self._grouped
        everything = cells.all_sql(layout, grouped=grouped)
        changed = cells.changed_sql(layout, grouped=grouped)
        gone = cells.gone_sql(self._db, layout, self._lists, beyond=self._beyond)
        if self._plan.send is Send.PERIOD:
            to_send = choice is not Choice.CHANGED or self._any(changed, gone)
            return [sql for sql in (everything, gone) if sql] if to_send else []
        if choice is Choice.CHOSEN:
            changed = cells.among_chosen(everything, layout)
            gone = gone and cells.among_chosen(gone, layout)
        first = everything if choice is Choice.ALL else changed
        return [first, gone] if gone else [first]

    def _any(self, *queries: str | None) -> bool:
        return any(self._db.rows(f"SELECT 1 FROM ({sql}) LIMIT 1") for sql in queries if sql)

    @staticmethod
    def _sent(outgoing: Outgoing, file: StagedFile, touched: StagedFile, sent: int, *, zeroed: int) -> Outgoing:
        return Outgoing(
            outgoing.cells, outgoing.cells_now, outgoing.sum_cells, file=file, touched=touched, sent=sent, zeroed=zeroed
        )


def sum_of_cells(db: Engine, path: Path) -> Decimal:
    """Name a cells file ``cells`` and add up its :data:`MEASURE`."""
    db.files("cells", path)
    return Decimal(db.rows(f"SELECT coalesce(sum({quoted(MEASURE)}), 0) FROM cells")[0][0])


def prefix(plan: LoadPlan, run_id: str, period: str) -> str:
    """Return where the files of one prepared load are staged; another call gives another place."""
    return f"{folder('prepared', plan.flow, plan.import_name, period)}/{run_id}-{secrets.token_hex(4)}"
