# SPDX-License-Identifier: Apache-2.0
"""What the model offers: imports, exports, processes and other actions. These answer even when the model is busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.anaplan import ids
from airflow_provider_mlconnector.sandbox.anaplan.api.calls import CSV, ApiError, Call, not_found, sorted_leniently
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import (
    ActionKind,
    DeleteAction,
    ExportAction,
    ImportAction,
    ListExport,
    Module,
    ProcessAction,
)
from airflow_provider_mlconnector.sandbox.anaplan.model.members import MemberList
from airflow_provider_mlconnector.sandbox.anaplan.model.tables import list_table

LAYOUT = "TABULAR_MULTI_COLUMN"


def _import(action: ImportAction) -> dict[str, Any]:
    return {
        "id": action.id,
        "name": action.name,
        "importDataSourceId": action.file_id,
        "importType": action.import_type,
    }


def _export(action: ExportAction | ListExport) -> dict[str, Any]:
    return {
        "id": action.id,
        "name": action.name,
        "exportType": LAYOUT,
        "exportFormat": CSV,
        "encoding": "UTF-8",
        "layout": LAYOUT,
    }


def imports(call: Call) -> Response:
    """List the imports."""
    found = [_import(action) for action in call.hub.definitions.imports]
    return call.listing("import", "imports", sorted_leniently(call, found))


def import_metadata(call: Call) -> Response:
    """Show an import's source: how its file is read and which header it maps."""
    action = call.hub.definitions.action(ActionKind.IMPORT, call.path("action_id"))
    if not isinstance(action, ImportAction):
        raise ApiError(call.switches.unknown_import_status)
    file = call.hub.files.get(action.file_id)
    if file is None:
        raise not_found()
    source = {
        "textEncoding": file.format.encoding,
        "columnSeparator": file.format.separator,
        "textDelimiter": file.format.delimiter,
        "headerRow": file.format.header_row,
        "firstDataRow": file.format.first_data_row,
        "decimalSeparator": file.format.decimal_separator,
        "headerNames": list(action.header),
        "columnCount": len(action.header),
    }
    metadata = {"name": action.name, "type": "FILE", "source": source}
    return call.success("importMetadata", importMetadata=metadata)


def exports(call: Call) -> Response:
    """List the exports."""
    found = [_export(action) for action in call.hub.definitions.exports]
    return call.listing("export", "exports", sorted_leniently(call, found))


def export_metadata(call: Call) -> Response:
    """Show an export's columns."""
    action = call.hub.definitions.action(ActionKind.EXPORT, call.path("action_id"))
    contents = call.hub.contents
    match action:
        case ExportAction():
            columns, rows = _module_columns(contents, action.module), len(contents.rows(action.module))
        case ListExport():
            members = contents.lists[action.list_id]
            columns, rows = _list_columns(contents, members), len(members)
        case _:
            raise not_found()
    metadata = {
        "columnCount": len(columns),
        "dataTypes": [column.kind for column in columns],
        "delimiter": '"',
        "encoding": "UTF-8",
        "exportFormat": CSV,
        "headerNames": [column.name for column in columns],
        "listNames": [column.list_name for column in columns],
        "rowCount": rows,
        "separator": ",",
        "layout": LAYOUT,
    }
    return call.success("exportMetadata", exportMetadata=metadata)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of an export; ``list_name`` is the list that its texts are members of."""

    name: str
    kind: str
    list_name: str = ""


def _module_columns(contents: Contents, module: Module) -> list[_Column]:
    dimensions = [
        _Column(
            dimension.label,
            "TIME_ENTITY" if dimension.list_id == ids.TIME_DIMENSION else "ENTITY",
            contents.lists[dimension.list_id].name,
        )
        for dimension in module.dimensions
    ]
    return [*dimensions, *(_Column(item.name, "NUMBER") for item in module.line_items)]


def _list_columns(contents: Contents, members: MemberList) -> list[_Column]:
    name, parent, *texts = next(list_table(contents, members))
    entities = [_Column(name, "ENTITY", members.name), _Column(parent, "ENTITY", members.name)]
    return [*entities, *(_Column(text, "TEXT") for text in texts)]


def actions(call: Call) -> Response:
    """List the actions that are neither import nor export nor process."""
    found = [_deletion(action) for action in call.hub.definitions.deletions]
    return call.listing("action", "actions", sorted_leniently(call, found))


def _deletion(action: DeleteAction) -> dict[str, Any]:
    return {"id": action.id, "name": action.name, "actionType": "DELETE_BY_SELECTION"}


def processes(call: Call) -> Response:
    """List the processes."""
    found: list[dict[str, Any]] = [{"id": action.id, "name": action.name} for action in call.hub.definitions.processes]
    return call.listing("process", "processes", sorted_leniently(call, found))


def process_metadata(call: Call) -> Response:
    """Show a process's steps."""
    action = call.hub.definitions.action(ActionKind.PROCESS, call.path("action_id"))
    if not isinstance(action, ProcessAction):
        raise not_found()
    steps = [_step(step, with_source=call.flag("showImportDataSource")) for step in action.steps]
    return call.success("process", processMetadata={"name": action.name, "actions": steps})


def _step(step: ImportAction | ExportAction | ListExport | DeleteAction, *, with_source: bool) -> dict[str, Any]:
    match step:
        case ImportAction():
            body = {**_import(step), "actionType": "IMPORT"}
            if with_source:
                body["importDataSource"] = {"importDataSourceId": step.file_id, "type": "FILE"}
            return body
        case ExportAction() | ListExport():
            return {**_export(step), "actionType": "EXPORT"}
        case DeleteAction():
            return _deletion(step)


OPERATIONS: tuple[Operation, ...] = (
    on_model("GET", "/imports", imports),
    on_model("GET", "/imports/{action_id}", import_metadata),
    on_model("GET", "/exports", exports),
    on_model("GET", "/exports/{action_id}", export_metadata),
    on_model("GET", "/actions", actions),
    on_model("GET", "/processes", processes),
    on_model("GET", "/processes/{action_id}", process_metadata),
)
