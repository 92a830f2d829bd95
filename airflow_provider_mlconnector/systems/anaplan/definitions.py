# SPDX-License-Identifier: Apache-2.0
"""What a model is made of, as far as a connector needs to know: things with an id and a name, and how to find one.

Fields that Anaplan leaves out read as empty; fields and values that it may add later are no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from airflow_provider_mlconnector.errors import UnknownNameError

HEX_ID = re.compile(r"[0-9a-fA-F]{32}")  # of a workspace (lowercase) or a model (uppercase)
FILE_ID_PREFIX = "113"


class Kind(StrEnum):
    """What can be looked up in a model by name or id; the value is the collection in the API's paths."""

    IMPORT = "imports"
    EXPORT = "exports"
    PROCESS = "processes"
    ACTION = "actions"
    FILE = "files"
    LIST = "lists"
    VIEW = "views"

    @property
    def noun(self) -> str:
        """The word for one of them."""
        return "process" if self is Kind.PROCESS else self.value.removesuffix("s")


@dataclass(frozen=True, slots=True)
class Named:
    """Anything with an id and a name; ids are text."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Workspace(Named):
    """A workspace that the user may see."""

    active: bool = True


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model's address; the workspace's id is lowercase, the model's uppercase. Names not asked for are the ids."""

    workspace_id: str
    model_id: str
    workspace_name: str
    model_name: str


@dataclass(frozen=True, slots=True)
class ModelInfo(Named):
    """What Anaplan says of a model.

    :param active_state: such as UNLOCKED, PRODUCTION (deployed), LOCKED, MAINTENANCE, ARCHIVED; new words may come.
    :param transaction_running: something changes the model just now; False where Anaplan does not tell.
    :param url: where a person opens the model.
    """

    workspace_id: str = ""
    workspace_name: str = ""
    active_state: str = ""
    transaction_running: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What the model does just now.

    :param step: ``Open``, ``Closed``, or a word for what is under way.
    :param progress: 0 to 1 while something is under way, -1 when idle.
    :param tooltip: who runs what, in Anaplan's words.
    """

    step: str
    progress: float = -1.0
    task_id: str = ""
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class Import(Named):
    """An import action; ``file_id`` is None when its source is not an uploaded file."""

    file_id: str | None = None
    type: str = ""


@dataclass(frozen=True, slots=True)
class Export(Named):
    """An export action; its output is a file with the export's own id."""

    type: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Process(Named):
    """A process: actions in a row."""


@dataclass(frozen=True, slots=True)
class Action(Named):
    """Any other action; ``type`` such as DELETE_BY_SELECTION."""

    type: str = ""


@dataclass(frozen=True, slots=True)
class File(Named):
    """A file object; ``chunk_count`` is 0 while it holds no content for this user."""

    chunk_count: int = 0


@dataclass(frozen=True, slots=True)
class List(Named):
    """A list (hierarchy)."""


@dataclass(frozen=True, slots=True)
class View(Named):
    """A view. A saved view's full name is ``Module.View``; a module's default view has the module's id and name."""

    module_id: str = ""


@dataclass(frozen=True, slots=True)
class ImportSource:
    """What an import expects of its file.

    :param file_id: the file to upload to, None when the import reads from a model.
    :param header: column names in order, None when Anaplan does not tell.
    :param header_row: line of the header, counted from 1; 0 means none.
    """

    file_id: str | None
    header: tuple[str, ...] | None
    separator: str = ","
    delimiter: str = '"'
    encoding: str = "UTF-8"
    header_row: int = 1
    first_data_row: int = 2


@dataclass(frozen=True, slots=True)
class ExportLayout:
    """What an export writes; ``data_types`` go with ``header``, ``rows`` is Anaplan's estimate."""

    header: tuple[str, ...]
    data_types: tuple[str, ...]
    separator: str = ","
    delimiter: str = '"'
    encoding: str = "UTF-8"
    format: str = "text/csv"
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Members:
    """The items of a list: name by code (items that have one) and code ("" for none) by name."""

    by_code: Mapping[str, str]
    by_name: Mapping[str, str]


Found = TypeVar("Found", bound=Named)


def find(noun: str, things: Sequence[Found], name_or_id: str, *, within: str) -> Found:
    """Return the one thing that is named exactly so, or has that id.

    :param noun: what is looked for, for the error.
    :param within: where, for the error.
    :raises UnknownNameError: when there is none, or more than one of that name; lists what there is.
    """
    by_id = [thing for thing in things if thing.id == name_or_id]
    if by_id:
        return by_id[0]
    named = [thing for thing in things if thing.name == name_or_id] or _saved_views(things, name_or_id)
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(thing.id for thing in named)
        raise UnknownNameError(
            f"{within} has {len(named)} {noun}s named {name_or_id!r} (ids {ids}).",
            candidates=[f"{thing.name} ({thing.id})" for thing in named],
            hint="Use the id.",
        )
    raise UnknownNameError(
        f"{within} has no {noun} named {name_or_id!r}, or the user may not see it.",
        candidates=[thing.name for thing in things],
        hint="Names are compared exactly, capitals and spaces included.",
    )


def _saved_views(things: Sequence[Found], name: str) -> list[Found]:
    """Return saved views of that name in any module: Anaplan puts the module and a full stop in front."""
    endings = (f".{name}", f".'{name}'")
    return [thing for thing in things if isinstance(thing, View) and thing.name.endswith(endings)]


def parse_workspace(raw: Mapping[str, Any]) -> Workspace:
    """Read a workspace."""
    return Workspace(_text(raw, "id").lower(), _text(raw, "name"), active=raw.get("active") is not False)


def parse_model(raw: Mapping[str, Any]) -> ModelInfo:
    """Read a model."""
    return ModelInfo(
        _text(raw, "id").upper(),
        _text(raw, "name"),
        workspace_id=_text(raw, "currentWorkspaceId").lower(),
        workspace_name=_text(raw, "currentWorkspaceName"),
        active_state=_text(raw, "activeState").upper(),
        transaction_running=raw.get("modelTransactionRunning") is True,
        url=_text(raw, "modelUrl"),
    )


def parse_model_status(raw: Mapping[str, Any]) -> ModelStatus:
    """Read a model's status, which comes without the usual envelope."""
    progress = raw.get("progress")
    return ModelStatus(
        step=_text(raw, "currentStep"),
        progress=float(progress) if isinstance(progress, (int, float)) else -1.0,
        task_id=_text(raw, "taskId"),
        tooltip=_text(raw, "tooltip"),
    )


def parse_import(raw: Mapping[str, Any]) -> Import:
    """Read an import of the list; its data source is a file when the id says so."""
    source = _text(raw, "importDataSourceId")
    file_id = source if source.startswith(FILE_ID_PREFIX) else None
    return Import(_text(raw, "id"), _text(raw, "name"), file_id=file_id, type=_text(raw, "importType"))


def parse_export(raw: Mapping[str, Any]) -> Export:
    """Read an export of the list."""
    return Export(
        _text(raw, "id"), _text(raw, "name"), type=_text(raw, "exportType"), format=_text(raw, "exportFormat")
    )


def parse_process(raw: Mapping[str, Any]) -> Process:
    """Read a process of the list."""
    return Process(_text(raw, "id"), _text(raw, "name"))


def parse_action(raw: Mapping[str, Any]) -> Action:
    """Read an action of the list."""
    return Action(_text(raw, "id"), _text(raw, "name"), type=_text(raw, "actionType"))


def parse_file(raw: Mapping[str, Any]) -> File:
    """Read a file of the list."""
    return File(_text(raw, "id"), _text(raw, "name"), chunk_count=_whole(raw, "chunkCount", 0))


def parse_list(raw: Mapping[str, Any]) -> List:
    """Read a list of the lists."""
    return List(_text(raw, "id"), _text(raw, "name"))


def parse_view(raw: Mapping[str, Any]) -> View:
    """Read a view of the list."""
    return View(_text(raw, "id"), _text(raw, "name"), module_id=_text(raw, "moduleId"))


def parse_import_source(raw: Mapping[str, Any], file_id: str | None) -> ImportSource:
    """Read the metadata of an import; a model as source has no ``source`` object."""
    source = raw.get("source")
    if not isinstance(source, Mapping):
        return ImportSource(file_id, None)
    names = source.get("headerNames")
    return ImportSource(
        file_id,
        tuple(str(name) for name in names) if isinstance(names, list) else None,
        separator=_text(source, "columnSeparator") or ",",
        delimiter=_text(source, "textDelimiter"),
        encoding=_text(source, "textEncoding") or "UTF-8",
        header_row=_whole(source, "headerRow", 1),
        first_data_row=_whole(source, "firstDataRow", 2),
    )


def parse_export_layout(raw: Mapping[str, Any]) -> ExportLayout:
    """Read the metadata of an export."""
    return ExportLayout(
        tuple(str(name) for name in raw.get("headerNames") or ()),
        tuple(str(kind) for kind in raw.get("dataTypes") or ()),
        separator=_text(raw, "separator") or ",",
        delimiter=_text(raw, "delimiter"),
        encoding=_text(raw, "encoding") or "UTF-8",
        format=_text(raw, "exportFormat"),
        rows=_whole(raw, "rowCount", 0),
    )


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return "" if value is None else str(value)


def _whole(raw: Mapping[str, Any], key: str, default: int) -> int:
    value = raw.get(key)
    return value if isinstance(value, int) else default
