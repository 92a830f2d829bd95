# SPDX-License-Identifier: Apache-2.0
"""The dimensions of account entries as columns: from their JSON column, or from their display value.

A display value has the segments of the active format in its order, joined by a delimiter; a delimiter or backslash
within one has a backslash before it. Fewer segments than the format has leave the last ones blank. More of them, which
the format does not know, cannot be told: such a line's dimensions are unknown (null).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import CapabilityError, ConfigurationError, SchemaDriftError
from airflow_provider_mlconnector.systems.canonical import Column
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.connection import DimensionSource, DisplayFormat
from airflow_provider_mlconnector.systems.dynamics_fo.resources import (
    DIMENSION_FORMATS,
    DIMENSION_PARAMETERS,
    DIMENSIONS,
    DISPLAY_DIMENSIONS,
    JSON_DIMENSIONS,
    Resource,
)
from airflow_provider_mlconnector.systems.http.json_rows import Field

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = {
    **{"Hyphen": "-", "Period": ".", "Underscore": "_", "Bar": "|", "Tilde": "~"},
    **{"DoubleHyphen": "--", "DoublePeriod": "..", "DoubleUnderscore": "__", "DoubleBar": "||", "DoubleTilde": "~~"},
}
"""What is between segments, by the member of the environment's enum."""

Values = Mapping[str, str]
"""Value by name of the dimension in upper case."""

Reader = Callable[[str], Values | None]
"""Reads the dimensions that a text holds; None where it cannot be read."""


class Dimensions:
    """Flattens the dimensions of lines; which column they come from is decided once.

    :param lines: the set that the lines come from.
    :param codes: dimensions in the flow's words; upper and lower case are the same.
    """

    def __init__(self, api: FinanceOperationsApi, lines: Resource, codes: Sequence[str]) -> None:
        self._codes = tuple(codes)
        self._source = _source(api, lines) if codes else None

    @property
    def field(self) -> Field | None:
        """The field that is read; None when no dimension is asked for."""
        return self._source[0] if self._source else None

    def columns(self, rows: pa.RecordBatch) -> dict[str, Column]:
        """Return one column per code: "" where a row has no value, null where its dimensions cannot be read."""
        import pyarrow as pa

        if self._source is None:
            return {}
        field, of_text = self._source
        texts: Column = rows[field.name].dictionary_encode()
        read = [of_text(str(text)) for text in texts.dictionary.to_pylist()]
        columns = {}
        for code in self._codes:
            found = [None if values is None else values.get(code.upper(), "") for values in read]
            columns[code] = pa.array(found, pa.string()).take(texts.indices)
        return columns


def check_dimensions(api: FinanceOperationsApi, codes: Sequence[str]) -> None:
    """Refuse a dimension that the environment does not have.

    :raises CapabilityError: with those that there are.
    """
    known = [str(row["DimensionName"]) for row in api.rows(DIMENSIONS, [])]
    strange = [code for code in codes if code.upper() not in {name.upper() for name in known}]
    if strange:
        raise CapabilityError(
            f"The environment has no dimension {', '.join(strange)}; it has {', '.join(sorted(known)) or 'none'}.",
            hint="Write the dimension's name as General ledger, Financial dimensions shows it.",
        )


def split(text: str, delimiter: str) -> list[str]:
    """Return the segments of a display value, backslashes resolved."""
    segments, current, at = [], "", 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            current, at = current + text[at + 1], at + 2
        elif text.startswith(delimiter, at):
            segments.append(current)
            current, at = "", at + len(delimiter)
        else:
            current, at = current + text[at], at + 1
    return [*segments, current]


def join(segments: Iterable[str], delimiter: str) -> str:
    """Return a display value: a backslash before each backslash and each character of the delimiter in a segment."""
    special = re.compile("[" + re.escape(delimiter[0]) + r"\\]")
    return delimiter.join(special.sub(lambda match: "\\" + match[0], segment) for segment in segments)


def _source(api: FinanceOperationsApi, lines: Resource) -> tuple[Field, Reader]:
    """Return the field to read and how; asked of the environment where the connection leaves it open."""
    wanted = api.connection.dimensions
    if wanted is DimensionSource.JSON or (wanted is DimensionSource.AUTO and has_json(api, lines)):
        return JSON_DIMENSIONS, _of_json
    display = api.connection.display_format or active_format(api)
    names = [name.upper() for name in display.segments]

    def of_display(text: str) -> Values | None:
        segments = split(text, display.delimiter)
        return None if len(segments) > len(names) else dict(zip(names, segments, strict=False))

    return DISPLAY_DIMENSIONS, of_display


def has_json(api: FinanceOperationsApi, lines: Resource) -> bool:
    """Say whether lines carry their dimensions as JSON, as the first one shows."""
    try:
        return bool(api.first_row(lines, JSON_DIMENSIONS.name))
    except SchemaDriftError:
        return False


def active_format(api: FinanceOperationsApi) -> DisplayFormat:
    """Ask the environment how it writes ledger accounts.

    :raises ConfigurationError: when no format for ledger accounts is active, or the delimiter is unknown.
    """
    (parameters,) = api.rows(DIMENSION_PARAMETERS, [])[:1] or ({"DimensionSegmentDelimiter": ""},)
    delimiter = DELIMITERS.get(parameters["DimensionSegmentDelimiter"], "")
    formats = [
        row["FinancialDimensionFormat"]
        for row in api.rows(DIMENSION_FORMATS, [])
        if row["IsActive"] == "Yes" and "ledger" in row["DimensionFormatType"].lower()
    ]
    if not delimiter or len(formats) != 1:
        raise ConfigurationError(
            "The environment has no single active format of ledger dimensions, or its delimiter is unknown.",
            hint="Activate one under Financial dimension configuration for integrating applications, "
            "or enter segments and delimiter in the connection.",
        )
    return DisplayFormat(tuple(split(formats[0], delimiter)), delimiter)


def _of_json(text: str) -> Values | None:
    """Read ``[{"MAINACCOUNT":"110110","COSTCENTER":"022"}]``, or the same with single quotes; "" has no dimension."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return None
    groups = found if isinstance(found, list) else [found]
    if not all(isinstance(group, dict) for group in groups):
        return None
    return {str(name).upper(): str(value or "") for group in groups for name, value in group.items()}
