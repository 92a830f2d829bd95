# SPDX-License-Identifier: Apache-2.0
"""The dimensions of a journal line, as ``dimensionSetLines`` below it: a row for each, with the dimension's id."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, PROJECT
from airflow_provider_mlconnector.sandbox.business_central.dimension_sets import set_lines
from airflow_provider_mlconnector.sandbox.business_central.journal_bodies import Values
from airflow_provider_mlconnector.sandbox.business_central.journals import DraftLine, Journals
from airflow_provider_mlconnector.sandbox.business_central.tenant import record_id
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError, dialog, enum_name
from airflow_provider_mlconnector.sandbox.odata.rows import Row

PARENT_TYPE = enum_name("Journal Line")


def rows_below(journals: Journals, line: DraftLine) -> list[Row]:
    """Return the dimension set lines of a journal line.

    :raises WireError: 404 when a value was deleted.
    """
    codes = (line.dimensions.get(DEPARTMENT, ""), line.dimensions.get(PROJECT, ""))
    return [{**row, "parentType": PARENT_TYPE} for row in set_lines(journals.books, *codes, line.id)]


def add(journals: Journals, line: DraftLine, given: Values) -> str:
    """Give a line a dimension that it does not have, and return the dimension's id.

    :raises WireError: 400 when it has it already, be it by default, and for unknown dimensions and values.
    """
    code = _dimension(journals, given)
    if code in line.dimensions:
        raise dialog(
            "The dimension set line already exists. Check existing dimension set lines and the default dimension set "
            "lines on the parent."
        )
    line.dimensions[code] = _value(journals, code, given)
    journals.touch(line)
    return record_id("dimension", code)


def change(journals: Journals, line: DraftLine, key: str, given: Values) -> None:
    """Give a dimension of a line another value.

    :raises WireError: 404 when the line has no such dimension, 400 for unknown values, and for another dimension.
    """
    code = code_of(journals, line, key)
    if given.get("code", code) != code or given.get("id", key) != key:
        raise WireError(400, "BadRequest_InvalidOperation", "The dimension of a dimension set line cannot be changed.")
    line.dimensions[code] = _value(journals, code, given)
    journals.touch(line)


def remove(journals: Journals, line: DraftLine, key: str) -> None:
    """Take a dimension from a line.

    :raises WireError: 404 when the line has no such dimension.
    """
    del line.dimensions[code_of(journals, line, key)]
    journals.touch(line)


def code_of(journals: Journals, line: DraftLine, key: str) -> str:
    """Return the code of the dimension of a line that has this id.

    :raises WireError: 404 when the line has no such dimension.
    """
    for code in journals.books.dimensions:
        if record_id("dimension", code) == key and code in line.dimensions:
            return code
    raise WireError(404, "Internal_RecordNotFound", f"The line has no dimension with the id '{key}'.")


def _dimension(journals: Journals, given: Values) -> str:
    for code in journals.books.dimensions:
        if code == given.get("code") or record_id("dimension", code) == given.get("id"):
            return code
    name = "code" if "code" in given else "id"
    raise dialog(f'The "{name}" does not match to a Dimension.')


def _value(journals: Journals, dimension: str, given: Values) -> str:
    for value in journals.books.values(dimension):
        if value.code == given.get("valueCode") or record_id("value", dimension, value.code) == given.get("valueId"):
            return value.code
    name = "valueCode" if "valueCode" in given else "valueId"
    raise dialog(f'The "{name}" does not match to a Dimension Value.')
