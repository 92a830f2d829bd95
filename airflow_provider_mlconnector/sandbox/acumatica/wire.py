# SPDX-License-Identifier: Apache-2.0
"""How contract 4 writes things: every scalar in an object of its own, an empty one for null, details if asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import msgspec

from airflow_provider_mlconnector.sandbox.acumatica.schema import EntityType

Record = Mapping[str, Any]
"""A record as Python values by field; ``id`` is its guid, nested records stand under the names of their details."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NULL: dict[str, Any] = {}
_EMPTY_NOTE = {"value": ""}
_JSON = "application/json; charset=utf-8"


class HttpError(Exception):
    """An answer that is not a success.

    :param said: the useful sentence; ``kind`` the exception's type, where the server tells of one.
    :param body: the whole body where it is no JSON of this form; then ``content_type`` says what it is.
    """

    def __init__(
        self,
        status: int,
        said: str = "",
        kind: str = "",
        *,
        message: str = "An error has occurred.",
        body: bytes | None = None,
        content_type: str = _JSON,
    ) -> None:
        super().__init__(said or message)
        self.status = status
        self.content_type = content_type
        self._body = body
        self._told: dict[str, Any] = {"message": message}
        if said:
            self._told |= {"exceptionMessage": said, "exceptionType": kind or "PX.Data.PXException", "stackTrace": ""}

    def content(self) -> bytes:
        """Return the body."""
        return self._body if self._body is not None else _ENCODER.encode(self._told)


@dataclass(frozen=True, slots=True)
class Shape:
    """What of each record is written.

    :param select: paths of fields, such as ``Module`` or ``Details/Account``; none for all.
    :param expand: details and linked records.
    :param custom: fields that the endpoint does not define, such as ``AccountRecords.ControlAccountModule``.
    """

    select: frozenset[str] = frozenset()
    expand: frozenset[str] = frozenset()
    custom: frozenset[str] = frozenset()

    def within(self, name: str) -> Shape:
        """Return the shape of the nested records of that name."""
        return Shape(_below(self.select, name), _below(self.expand, name))

    def fields(self, entity: EntityType) -> list[str]:
        """Return the fields to write, in order."""
        wanted = {path for path in self.select if "/" not in path}
        return sorted(wanted & entity.fields.keys() if wanted else entity.fields)


def encode(value: Any) -> bytes:
    """Return JSON; amounts are exact numbers."""
    return _ENCODER.encode(value)


def wrapped_list(entity: EntityType, records: Iterable[Record], shape: Shape) -> list[dict[str, Any]]:
    """Return records as a list writes them, numbered from 1."""
    return [wrapped(entity, record, shape, number) for number, record in enumerate(records, start=1)]


def wrapped(entity: EntityType, record: Record, shape: Shape, number: int = 1) -> dict[str, Any]:
    """Return one record."""
    made: dict[str, Any] = {"id": record["id"], "rowNumber": number, "note": _EMPTY_NOTE}
    for name in shape.fields(entity):
        value = record.get(name)
        made[name] = _NULL if value is None else {"value": _plain(value)}
    for name, inner in entity.details.items():
        if name in shape.expand:
            made[name] = wrapped_list(inner, record.get(name, ()), shape.within(name))
    for name, inner in entity.linked.items():
        if name in shape.expand and record.get(name) is not None:
            made[name] = wrapped(inner, record[name], shape.within(name))
    made["custom"] = _custom(record.get("custom", {}), shape.custom)
    return made


def _custom(known: Mapping[str, Mapping[str, tuple[str, Any]]], asked: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the custom fields that are asked for, by view; null has a type and no value."""
    made: dict[str, dict[str, Any]] = {}
    for view, fields in known.items():
        for name, (kind, value) in fields.items():
            if f"{view}.{name}" in asked:
                told = {"type": kind} | ({} if value is None else {"value": value})
                made.setdefault(view, {})[name] = told
    return made


def unwrapped(entity: EntityType, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a record that a client sent; details as lists.

    :raises HttpError: 400 for a field that is not wrapped.
    """
    values: dict[str, Any] = {name: body[name] for name in ("id", "delete") if name in body}
    for name in entity.fields.keys() & body.keys():
        if not isinstance(body[name], Mapping):
            raise HttpError(400, message="The request is invalid.")
        values[name] = body[name].get("value")
    for name in entity.details.keys() & body.keys():
        values[name] = [unwrapped(entity.details[name], row) for row in body[name]]
    return values


def stamp_text(moment: datetime) -> str:
    """Return a moment to the millisecond, without zeros at the end of its fraction."""
    text = moment.isoformat(timespec="milliseconds")
    whole, _, fraction = text.removesuffix("+00:00").partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}{'.' if fraction else ''}{fraction}+00:00"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp_text(value)
    if isinstance(value, date):
        return f"{datetime.combine(value, time()).isoformat()}+00:00"
    return value


def _below(paths: Collection[str], name: str) -> frozenset[str]:
    prefix = f"{name}/"
    return frozenset(path.removeprefix(prefix) for path in paths if path.startswith(prefix))
