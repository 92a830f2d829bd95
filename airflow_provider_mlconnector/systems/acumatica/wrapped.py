# SPDX-License-Identifier: Apache-2.0
"""Records as contract 4 writes them: every field in an object of its own, and how they are read exactly.

Each entity is a struct of the fields that are read; the request selects just these. A field that is needed has no
default, so that an endpoint without it is an error and not an empty column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar, get_args

import msgspec

from airflow_provider_mlconnector.errors import ProtocolError, SchemaDriftError

T = TypeVar("T")


class Wrapped(msgspec.Struct, Generic[T], frozen=True):
    """A field; null is written as an object without a value."""

    value: T | None = None


Text = Wrapped[str]
Money = Wrapped[Decimal]
Whole = Wrapped[int]
Flag = Wrapped[bool]
Moment = Wrapped[datetime]

NOTHING: Any = Wrapped()
"""Default of a field that a record may lack."""


class Record(msgspec.Struct):
    """A record; ``id`` is its guid."""

    id: str


RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True)
class Entity(Generic[RecordT]):
    """An entity of the endpoint.

    :param keys: fields that a record is addressed by.
    :param details: fields that hold nested records, which have to be expanded.
    :param custom: fields that the endpoint does not define, which have to be asked for by view and name.
    """

    name: str
    record: type[RecordT]
    keys: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()

    def selected(self, without: frozenset[str] = frozenset()) -> list[str]:
        """Return the paths of all fields that are read, but for some."""
        return [path for path in _paths(self.record, self.details) if path not in without]

    def is_optional(self, path: str) -> bool:
        """Say whether a record may lack a field; nested records are always needed."""
        if path not in self.selected():
            return False
        record: Any = self.record
        *above, name = path.split("/")
        for part in above:
            record = _inner(record, part)
        return any(field.name == name and not field.required for field in msgspec.structs.fields(record))

    def read(self, body: bytes) -> list[RecordT]:
        """Read a list.

        :raises ProtocolError: for what is no whole JSON.
        :raises SchemaDriftError: for fields that are missing or of another type.
        """
        records: list[RecordT] = self._decoded(body, list[self.record])  # type: ignore[name-defined]  # a value here
        return records

    def read_one(self, body: bytes) -> RecordT:
        """Read a single record; raises as :meth:`read` does."""
        record: RecordT = self._decoded(body, self.record)
        return record

    def read_keys(self, body: bytes) -> list[tuple[str, ...]]:
        """Read the keys of a list; raises as :meth:`read` does."""
        rows = self._decoded(body, list[dict[str, Any]])
        try:
            return [tuple(str(row[name]["value"]) for name in self.keys) for row in rows]
        except (KeyError, TypeError):
            raise SchemaDriftError(f"{self.name} came without its keys {', '.join(self.keys)}.") from None

    def key_of(self, record: RecordT) -> tuple[str, ...]:
        """Return a record's keys."""
        return tuple(getattr(record, name).value for name in self.keys)

    def _decoded(self, body: bytes, kind: Any) -> Any:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as exc:
            raise SchemaDriftError(
                f"{self.name} is not as contract 4 has it: {exc}.",
                hint="Compare the endpoint's version in the connection with the one that the flow was made for.",
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise ProtocolError(f"An answer of {self.name} is broken: {exc}.", path=self.name) from None


def day(field: Wrapped[datetime]) -> date | None:
    """Return the day of a field that holds no time of day."""
    return field.value.date() if field.value else None


def stamp(field: Wrapped[datetime]) -> datetime | None:
    """Return a moment in UTC."""
    return field.value.astimezone(UTC) if field.value else None


def wrap(**fields: str) -> dict[str, dict[str, str]]:
    """Return texts as fields of a record to send; empty ones are left out."""
    return {name: {"value": value} for name, value in fields.items() if value}


def literal(value: str | datetime) -> str:
    """Return a value as a filter writes it."""
    if isinstance(value, datetime):
        return f"datetimeoffset'{value.astimezone(UTC).isoformat(timespec='milliseconds')}'"
    return "'" + value.replace("'", "''") + "'"


def _paths(record: Any, details: tuple[str, ...]) -> Iterator[str]:
    for field in msgspec.structs.fields(record):
        if field.name in details:
            yield from (f"{field.name}/{path}" for path in _paths(_inner(record, field.name), ()))
        elif field.name not in ("id", "custom"):
            yield field.name


def _inner(record: Any, name: str) -> Any:
    """Return the type of the records nested under a name."""
    kind = next(field.type for field in msgspec.structs.fields(record) if field.name == name)
    return next((inner for inner in get_args(kind) if inner is not type(None)), kind)
