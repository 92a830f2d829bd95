# SPDX-License-Identifier: Apache-2.0
"""The dimensions of an entry: as ``dimensionSetLines`` below it, and as the table of all dimension sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, PROJECT
from airflow_provider_mlconnector.sandbox.books.masterdata import SET_UP_AT
from airflow_provider_mlconnector.sandbox.business_central.entries import EntryFrame, Texts, dimension_set_id
from airflow_provider_mlconnector.sandbox.business_central.tenant import record_id
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError, encode_rows, enum_name
from airflow_provider_mlconnector.sandbox.odata.rows import Row

LINE_FIELDS = (
    "id",
    "code",
    "consolidationCode",
    "parentId",
    "parentType",
    "displayName",
    "valueId",
    "valueCode",
    "valueConsolidationCode",
    "valueDisplayName",
)

SET_FIELDS = (
    "id",
    "setId",
    "dimensionCode",
    "dimensionDisplayName",
    "dimensionValueCode",
    "dimensionValueDisplayName",
    "dimensionValueId",
    "lastModifiedDateTime",
)
PARENT_TYPE = enum_name("General Ledger Entry")

_PARENT = "@parent@"
_MOST_DIMENSIONS = 2


def set_lines(books: Books, department: str, project: str, parent_id: str) -> list[Row]:
    """Return the dimension set lines of an entry with these value codes; empty ones have none.

    :raises WireError: 404 when a value was deleted.
    """
    rows: list[Row] = []
    for dimension, code in ((DEPARTMENT, department), (PROJECT, project)):
        if not code:
            continue
        try:
            value = books.value(dimension, code)
        except KeyError as error:
            raise _deleted(dimension, code) from error
        cells = (record_id("dimension", dimension), dimension, "", parent_id, PARENT_TYPE, books.dimensions[dimension])
        value_cells = (record_id("value", dimension, code), code, "", value.name)
        rows.append(dict(zip(LINE_FIELDS, cells + value_cells, strict=True)))
    return rows


def expand_set_lines(frame: EntryFrame, select: Sequence[str] = ()) -> Texts:
    """Return the dimension set lines of many entries as JSON arrays.

    :raises WireError: 404 for all of them when one carries a value that was deleted.
    """
    if not len(frame):
        return pa.array([], pa.string())
    books, names = frame.books, tuple(select) or LINE_FIELDS
    departments, projects = books.departments.all, books.projects.all
    combinations = frame.rows["department"].astype(np.int64) * len(projects) + frame.rows["project"]
    present, place = np.unique(combinations, return_inverse=True)
    templates = []
    for combination in present:
        department, project = divmod(int(combination), len(projects))
        lines = set_lines(books, departments[department], projects[project], _PARENT)
        text = encode_rows({name: line[name] for name in names} for line in lines).decode()
        pieces = f"[{text}]".split(_PARENT)
        templates.append(pieces + [""] * (_MOST_DIMENSIONS + 1 - len(pieces)))
    parents = np.array([sum(1 for piece in template[1:] if piece) for template in templates])[place]
    columns = [pa.array(column).take(pa.array(place)) for column in zip(*templates, strict=True)]
    joined: list[Any] = [columns[0]]
    for number, column in enumerate(columns[1:], start=1):
        joined += [pc.if_else(pa.array(parents >= number), frame.guids, ""), column]
    return pc.binary_join_element_wise(*joined, "")


def set_entries(books: Books) -> Iterator[Row]:
    """Yield the rows of every dimension set that an entry may have; deleted values keep their codes here."""
    for department, department_code in enumerate(books.departments.all):
        for project, project_code in enumerate(books.projects.all):
            set_id = int(dimension_set_id(np.int64(department), project))
            for dimension, code in ((DEPARTMENT, department_code), (PROJECT, project_code)):
                if code:
                    yield _set_entry(books, set_id, dimension, code)


def _set_entry(books: Books, set_id: int, dimension: str, code: str) -> Row:
    known = {value.code: value.name for value in books.values(dimension)}
    value_number = 1 + [*books.departments.all, *books.projects.all].index(code)
    cells = (
        record_id("set entry", str(set_id), dimension),
        set_id,
        dimension,
        books.dimensions[dimension],
        code,
        known.get(code, ""),
        value_number,
        SET_UP_AT,
    )
    return dict(zip(SET_FIELDS, cells, strict=True))


def _deleted(dimension: str, code: str) -> WireError:
    message = (
        "The Dimension Value does not exist. "
        f"Identification fields and values: Dimension Code='{dimension}',Code='{code}'."
    )
    return WireError(404, "Internal_RecordNotFound", message)
