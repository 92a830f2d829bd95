# SPDX-License-Identifier: Apache-2.0
"""What each kind of action does to the contents of a model."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from airflow_provider_mlconnector.sandbox.anaplan.ids import VERSIONS_DIMENSION
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import (
    Action,
    CellTarget,
    DeleteAction,
    ExportAction,
    FileFormat,
    ImportAction,
    ListExport,
    ListTarget,
    ProcessAction,
    View,
)
from airflow_provider_mlconnector.sandbox.anaplan.model.files import Content, FileStore
from airflow_provider_mlconnector.sandbox.anaplan.model.members import Member
from airflow_provider_mlconnector.sandbox.anaplan.model.tables import Row, Table, list_table
from airflow_provider_mlconnector.sandbox.anaplan.switches import MissingChunks, Switches
from airflow_provider_mlconnector.sandbox.anaplan.work.cell_import import load_cells
from airflow_provider_mlconnector.sandbox.anaplan.work.list_import import load_list
from airflow_provider_mlconnector.sandbox.anaplan.work.record_import import load_records
from airflow_provider_mlconnector.sandbox.anaplan.work.results import (
    Detail,
    Loaded,
    Result,
    failure,
    import_details,
    write_dump,
)
from airflow_provider_mlconnector.sandbox.anaplan.work.source import Source, SourceError
from airflow_provider_mlconnector.sandbox.clock import VirtualClock


@dataclass(frozen=True, slots=True)
class Order:
    """Who runs an action, and the members chosen at its start."""

    user_id: str
    chosen: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Performed:
    """What an action came to: new contents, its result, and output files by their id."""

    contents: Contents
    result: Result
    outputs: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Performer:
    """Carries actions out."""

    files: FileStore
    folder: Path
    clock: VirtualClock
    switches: Switches

    def perform(self, action: Action, order: Order, contents: Contents) -> Performed:
        """Return what an action makes of the contents; they are not changed themselves."""
        began = self.clock.now()
        match action:
            case ImportAction():
                done = self._import(action, order, contents)
            case ExportAction() | ListExport():
                done = self._export(action, contents)
            case DeleteAction():
                done = self._delete(action, contents)
            case ProcessAction():
                done = self._process(action, order, contents)
        return replace(done, result=self._timed(done.result, began))

    def _timed(self, result: Result, began: datetime) -> Result:
        return replace(result, started_at=began, seconds=(self.clock.now() - began).total_seconds())

    def _import(self, action: ImportAction, order: Order, contents: Contents) -> Performed:
        try:
            loaded = self._load(action, order, contents)
        except SourceError as error:
            return Performed(contents, failure(action.id, action.name, error.reason, error.message), {})
        dump: Path | None = None
        if loaded.rejects:
            dump = self.folder / f"dump-{uuid.uuid4().hex}.csv"
            write_dump(dump, loaded.header, loaded.rejects)
        target = action.target
        name = target.module.name if isinstance(target, CellTarget) else contents.lists[target.list_id].name
        details = import_details(loaded, name, is_list=not isinstance(target, CellTarget))
        result = Result(action.id, action.name, self._is_successful(loaded), details, dump)
        return Performed(loaded.contents, result, {})

    def _is_successful(self, loaded: Loaded) -> bool:
        tally = loaded.tally
        if not tally.failed:
            return True
        return self.switches.partial_is_successful and tally.successes + tally.warnings > 0

    def _load(self, action: ImportAction, order: Order, contents: Contents) -> Loaded:
        file = self.files.get(action.file_id)
        content = self.files.readable(action.file_id, order.user_id)
        if file is None or content is None:
            raise SourceError("uploadedFileNoLongerAvailable", "File expired - re-upload required")
        if content.has_gap and self.switches.missing_chunks is MissingChunks.FAIL:
            raise SourceError("importFailedGeneralError", "The file is not complete")
        source = Source(content.open, file.format)
        match action.target:
            case ListTarget() as target:
                return load_list(target, source, contents)
            case CellTarget() as target:
                return load_cells(
                    target, action.settings, source, contents, order.chosen, file.format.decimal_separator
                )
            case target:
                return load_records(target, action.header, source, contents, self.folder)

    def _export(self, action: ExportAction | ListExport, contents: Contents) -> Performed:
        whole = csv_text(self._rows(action, contents), FileFormat()).encode()
        size = self.switches.export_chunk_bytes
        parts = tuple(whole[at : at + size] for at in range(0, len(whole), size))
        result = Result(action.id, action.name, True, (Detail("exportSucceeded", "Export completed successfully"),))
        return Performed(contents, result, {action.id: parts})

    def _rows(self, action: ExportAction | ListExport, contents: Contents) -> Iterator[Row]:
        if isinstance(action, ListExport):
            return list_table(contents, contents.lists[action.list_id])
        view = View(action.id, action.name, action.module, is_saved=True)
        version = contents.lists[VERSIONS_DIMENSION].by_name(action.version)
        table = Table(contents, view, self.switches.members_shown)
        return table.multi_column(version.id if version else "")

    def _delete(self, action: DeleteAction, contents: Contents) -> Performed:
        members = contents.lists[action.list_id].copy()
        count = members.remove(_selected(action, contents, list(members)))
        text = f"{members.name}: {count} items deleted"
        detail = Detail("deleteFromSelectionSucceeded", text, 0, ("hierarchyName", members.name, "count", str(count)))
        result = Result(action.id, action.name, True, (detail,))
        return Performed(contents.with_list(members), result, {})

    def _process(self, action: ProcessAction, order: Order, contents: Contents) -> Performed:
        """Run the steps in order, each on what the one before left; a failed one does not stop the next."""
        nested: list[Result] = []
        outputs: dict[str, tuple[bytes, ...]] = {}
        for step in action.steps:
            done = self.perform(step, order, contents)
            contents = done.contents
            outputs |= done.outputs
            nested.append(done.result)
        # a process that loaded with rejects says "not successful" and nothing else: one has to look at its steps
        clean = all(result.successful and result.dump is None for result in nested)
        result = Result(action.id, action.name, clean, nested=tuple(nested), is_process=True)
        return Performed(contents, result, outputs)


def _selected(action: DeleteAction, contents: Contents, members: list[Member]) -> list[Member]:
    """Return the members that a delete action removes."""
    if action.unless is None:
        return members
    module, item = action.unless
    written: dict[str, bool] = {}
    for key, value in contents.cells[module.id].items():
        if key[0] == item.id:
            for member_id in key[1:]:
                written[member_id] = written.get(member_id, False) or bool(value)
    return [member for member in members if written.get(member.id) is False]


def csv_text(rows: Iterable[tuple[str, ...]], file_format: FileFormat) -> str:
    """Return rows as text in a file format."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=file_format.separator, quotechar=file_format.delimiter or None, lineterminator="\r\n"
    )
    writer.writerows(rows)
    return text.getvalue()


def input_size(action: Action, files: FileStore, user_id: str) -> int:
    """Return how many bytes an action reads."""
    contents: list[Content | None] = []
    match action:
        case ImportAction():
            contents = [files.readable(action.file_id, user_id)]
        case ProcessAction():
            steps = [step for step in action.steps if isinstance(step, ImportAction)]
            contents = [files.readable(step.file_id, user_id) for step in steps]
        case _:
            return 0
    return sum(content.size for content in contents if content is not None)
