# SPDX-License-Identifier: Apache-2.0
"""Cells: reading the data of a view, writing single cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import CSV, JSON, ApiError, Call, json_response
from airflow_provider_mlconnector.sandbox.anaplan.api.gates import Busy
from airflow_provider_mlconnector.sandbox.anaplan.api.modules import module_of, table_of_view, view_of
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import CellKey, Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import FileFormat, Module
from airflow_provider_mlconnector.sandbox.anaplan.model.members import MemberList
from airflow_provider_mlconnector.sandbox.anaplan.model.tables import Grid, PageSelectorError, Row, Table
from airflow_provider_mlconnector.sandbox.anaplan.work.actions import csv_text
from airflow_provider_mlconnector.sandbox.anaplan.work.numbers import parse_number

MOST_CELLS_READ = 1_000_000
MOST_CELLS_WRITTEN = 100_000
MOST_BYTES_WRITTEN = 15_000_000


def view_data(call: Call) -> Response:
    """Return the cells of a view: CSV, or JSON with ``format=v1`` and the media type asked for."""
    table = table_of_view(call, view_of(call))
    if table.cell_count() > MOST_CELLS_READ:
        raise ApiError(400, "The view has more than 1000000 cells. Use a large read request.")
    export_type = call.query("exportType")
    if export_type.startswith("TABULAR"):
        rows = _limited(call, rows_of(table, export_type))
        return Response(csv_text(rows, FileFormat()), media_type=CSV)
    try:
        grid = table.grid(_selected_pages(call))
    except PageSelectorError as error:
        raise ApiError(400, f"Invalid page selector [{error}]") from error
    if call.query("format") == "v1" and call.accepts(JSON):
        rows_json = [{"rowCoordinates": labels, "cells": cells} for labels, cells in grid.rows]
        return json_response({"pages": grid.pages, "columnCoordinates": grid.columns, "rows": rows_json})
    return Response(csv_text(_limited(call, _grid_rows(grid)), FileFormat()), media_type=CSV)


def _selected_pages(call: Call) -> dict[str, str]:
    """Return the chosen member by dimension; given as repeated parameters, separated by commas, or both."""
    terms = [term for value in call.request.query_params.getlist("pages") for term in value.split(",") if term]
    return {dimension: member for dimension, _, member in (term.partition(":") for term in terms)}


def _limited(call: Call, rows: Iterator[Row]) -> Iterator[Row]:
    """Cut a table after ``maxRows`` rows of data."""
    limit = call.query("maxRows")
    return itertools.islice(rows, int(limit) + 1) if limit.isdecimal() else rows


def rows_of(table: Table, export_type: str) -> Iterator[Row]:
    """Go through a view in the layout of an export type."""
    match export_type:
        case "TABULAR_MULTI_COLUMN":
            return table.multi_column()
        case "TABULAR_SINGLE_COLUMN":
            return table.single_column()
        case "GRID_CURRENT_PAGE":
            return _grid_rows(table.grid({}))
        case _:
            raise ApiError(400, f"Invalid value for 'exportType': {export_type}")


def _grid_rows(grid: Grid) -> Iterator[Row]:
    """Go through a grid as lines: the pages, a line for each dimension on columns, then the rows."""
    if grid.pages:
        yield grid.pages
    width = len(grid.rows[0][0]) if grid.rows else 1
    for labels in zip(*grid.columns, strict=True):
        yield ("",) * width + labels
    for labels, cells in grid.rows:
        yield labels + cells


class _CellError(Exception):
    """A cell is refused; the text is the failure type."""


def write_cells(call: Call) -> Response:
    """Set single cells, for admins; a refused one does not keep the others from being set."""
    call.require_admin()
    module, wanted = module_of(call), _decoded_cells(call)
    failures: list[dict[str, Any]] = []
    changes: dict[CellKey, Decimal] = {}
    for index, cell in enumerate(wanted):
        try:
            key, value = _cell(call.hub.contents, module, cell)
            changes[key] = value
        except _CellError as error:
            kind, _, message = str(error).partition(": ")
            failures.append({"requestIndex": index, "failureType": kind, "failureMessageDetails": message})
    if changes:
        call.hub.edit(lambda contents: contents.with_cells(module, changes))
    return json_response({"numberOfCellsChanged": len(changes), "failures": failures})


def _decoded_cells(call: Call) -> list[dict[str, Any]]:
    """Return the cells of the body, with numbers as exact as they are written."""
    if len(call.body) > MOST_BYTES_WRITTEN:
        raise ApiError(400, "More than 15 MB")
    try:
        cells = msgspec.json.Decoder(list[dict[str, Any]], float_hook=str).decode(call.body)
    except msgspec.MsgspecError as error:
        raise ApiError(400, "Malformed JSON request") from error
    if len(cells) > MOST_CELLS_WRITTEN:
        raise ApiError(400, f"More than {MOST_CELLS_WRITTEN} cells")
    return cells


def _cell(contents: Contents, module: Module, cell: Mapping[str, Any]) -> tuple[CellKey, Decimal]:
    item = module.line_item(str(cell.get("lineItemId") or cell.get("lineItemName") or ""))
    if item is None:
        raise _CellError("cellIsInvalid: the line item does not exist")
    named = {}
    for part in cell.get("dimensions") or ():
        named[str(part.get("dimensionId") or part.get("dimensionName"))] = part
    key = [item.id]
    for dimension in module.dimensions:
        members = contents.lists[dimension.list_id]
        part = named.get(members.id) or named.get(members.name) or {}
        key.append(_cell_member(members, part))
    text = str(cell.get("value", "")).strip()
    value = item.value(text) if item.is_boolean else parse_number(text)
    if value is None:
        raise _CellError(f"cellIsInvalid: the value is no number: {cell.get('value')}")
    return tuple(key), value


def _cell_member(members: MemberList, part: Mapping[str, Any]) -> str:
    member = (
        members.by_id(str(part.get("itemId", "")))
        or members.by_code(str(part.get("itemCode", "")))
        or members.by_name(str(part.get("itemName", "")))
    )
    if member is None:
        raise _CellError(f"cellIsInvalid: the item of {members.name} does not exist")
    if members.is_parent(member):
        raise _CellError("cellIsCalculated: the cell is a calculated/aggregate cell and is not writeable")
    return member.id


OPERATIONS: tuple[Operation, ...] = (
    on_model("GET", "/views/{view_id}/data", view_data, Busy.HELD, is_slow=True),
    on_model("POST", "/modules/{module_id}/data", write_cells, Busy.HELD, is_slow=True),
)
