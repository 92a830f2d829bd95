# SPDX-License-Identifier: Apache-2.0
"""Lists: ``$filter`` as OData v3 has it, ``$select``, ``$expand``, ``$top`` and ``$skip``; no order is promised."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.acumatica.schema import EntityType
from airflow_provider_mlconnector.sandbox.acumatica.site import Order
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, Record, Shape
from airflow_provider_mlconnector.sandbox.acumatica.words import period_of
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.odata.filters import (
    Column,
    Columns,
    Comparison,
    FilterError,
    Mask,
    Node,
    TextTest,
    conjunction,
    evaluate,
    fields_of,
    parse_filter,
)

_BINDER = "Microsoft.Data.OData.ODataException"
_LITERALS = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<kind>datetimeoffset|date|guid)'(?P<value>[^']*)'"
    r"|substringof\(\s*(?P<part>'(?:[^']|'')*')\s*,\s*(?P<field>\w+)\s*\)|(?P<other>contains|toupper|tolower|datetime')",
)


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is asked for."""

    shape: Shape
    wanted: Node | None
    top: int | None
    skip: int

    def page(self, order: NDArray[Any], most: int) -> NDArray[Any]:
        """Return the part of an order that is asked for, at most so many if not 0; skipping comes first."""
        limits = [limit for limit in (self.top, most or None) if limit is not None]
        return order[self.skip :] if not limits else order[self.skip : self.skip + min(limits)]


def read_query(entity: EntityType, params: Mapping[str, str]) -> Query:
    """Read the query options of a list.

    :raises HttpError: 500 for a filter that the server cannot work with, 400 for numbers that are none.
    """
    try:
        top = int(params["$top"]) if "$top" in params else None
        skip = int(params.get("$skip", "0"))
    except ValueError:
        raise HttpError(400, message="The request is invalid.") from None
    return Query(read_shape(params), _filter(entity, params.get("$filter", "")), top, skip)


def read_shape(params: Mapping[str, str]) -> Shape:
    """Read which fields are asked for, what is to be expanded, and which fields the endpoint does not define."""
    return Shape(*(_paths(params.get(name, "")) for name in ("$select", "$expand", "$custom")))


def matching(wanted: Node | None, columns: Columns, length: int) -> Mask:
    """Return which records a filter lets through.

    :raises HttpError: 500 for types that do not go together, and for what cannot be filtered by.
    """
    if wanted is None or not length:
        return np.ones(length, np.bool_)
    try:
        return evaluate(wanted, columns)
    except FilterError as error:
        raise HttpError(500, str(error), _BINDER) from error
    except KeyError as error:
        raise HttpError(500, "The given key was not present in the dictionary.") from error


def ordered(order: Order, stamps: Column, keys: Column) -> NDArray[Any]:
    """Return the places of records in the order in which a list gives them."""
    if order is Order.ANY:
        return np.array(random.sample(range(len(stamps)), len(stamps)), np.int64)
    if order is Order.KEYS:
        return np.argsort(keys, kind="stable")
    return np.argsort(-stamps, kind="stable")


def column_of(records: Sequence[Record], entity: EntityType) -> Columns:
    """Return what gives a field's values of all records."""

    def column(name: str) -> Column:
        kind = entity.fields[name]
        values = [record.get(name) for record in records]
        if kind == "DateTime":
            return np.array([_moment(value) for value in values], "datetime64[us]")
        blank: Any = "" if kind == "String" else 0
        return np.array([blank if value is None else value for value in values], object)

    return column


def period_asked(books: Books, wanted: Node | None) -> Period | None:
    """Return the one period that a filter lets through; None where it is not of one."""
    for condition in conjunction(wanted):
        match condition:
            case Comparison("PostPeriod", "eq", str() as text):
                return period_of(books, text)
    return None


def description_asked(wanted: Node | None) -> str:
    """Return what every description that a filter lets through begins with."""
    for condition in conjunction(wanted):
        match condition:
            case Comparison("Description", "eq", str() as text) | TextTest("startswith", "Description", text):
                return text
    return ""


def _filter(entity: EntityType, text: str) -> Node | None:
    if not text:
        return None
    if "/" in _LITERALS.sub("", text):
        raise HttpError(500, "The path of the property is not a single value.", _BINDER)
    try:
        node = parse_filter(_LITERALS.sub(_translated, text))
    except FilterError as error:
        raise HttpError(500, str(error), _BINDER) from error
    for name in fields_of(node) - entity.fields.keys():
        raise HttpError(500, f"Could not find a property named '{name}' on type '{entity.name}'.", _BINDER)
    return node


def _translated(literal: re.Match[str]) -> str:
    """Return a literal or function of OData v3 in the grammar of v4."""
    if literal["text"]:
        return literal["text"]
    if literal["part"]:
        return f"contains({literal['field']},{literal['part']})"
    if literal["other"]:
        raise FilterError(f"'{literal['other']}' cannot be used in a filter.")
    value = literal["value"]
    return f"{value}Z" if re.fullmatch(r".*T[\d:.]+", value) else value


def _moment(value: datetime | date | None) -> np.datetime64:
    if value is None:
        return np.datetime64("NaT")
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _paths(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())
