# SPDX-License-Identifier: Apache-2.0
"""How Business Central writes: JSON with exact numbers, enums as XML names, stamps to the millisecond, errors."""

from __future__ import annotations

import re
import uuid
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_mlconnector.sandbox.odata.rows import Row

NEVER = datetime(1, 1, 1, tzinfo=UTC)
NO_DATE = date(1, 1, 1)
BLANK_GUID = "00000000-0000-0000-0000-000000000000"

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class WireError(Exception):
    """An error answer; ``headers`` come with it."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the answer's body; the correlation id stands in the message alone."""
        return error_body(self.code, f"{self.message}  CorrelationId:  {uuid.uuid4()}.")


def error_body(code: str, message: str) -> dict[str, Any]:
    """Return the body of an error answer."""
    return {"error": {"code": code, "message": message}}


def bad_property(name: str, entity: str) -> WireError:
    """Return the error for a property that a type does not have."""
    message = f"Could not find a property named '{name}' on type 'Microsoft.NAV.{entity}'."
    return WireError(400, "BadRequest_InvalidRequestUrl", message)


def dialog(message: str) -> WireError:
    """Return the error for whatever the application says no to with a sentence."""
    return WireError(400, "Application_DialogException", message)


def wrong_field(message: str) -> WireError:
    """Return the error for a record whose field does not hold what it has to."""
    return WireError(400, "Application_FieldValidationException", message)


def enum_name(caption: str) -> str:
    """Return an enum value as it is written: every character that no XML name may hold becomes ``_xHHHH_``."""
    return _NOT_IN_NAMES.sub(lambda match: f"_x{ord(match[0]):04X}_", caption or " ")


def stamp_text(moment: datetime | None) -> str:
    """Return a moment as it is written: UTC, at most milliseconds, without zeros at the end; year 1 for none."""
    moment = (moment or NEVER).astimezone(UTC)
    text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return text.rstrip("0").rstrip(".") + "Z" if "." in text and text.endswith("0") else text + "Z"


def number(amount: Decimal) -> Decimal:
    """Return an amount without zeros at the end, so that it is written ``1250.5`` and ``0``."""
    whole = amount.to_integral_value()
    return whole if whole == amount else amount.normalize()


def encode_row(row: Row) -> bytes:
    """Return a row as JSON."""
    return _ENCODER.encode({name: _plain(value) for name, value in row.items()})


def etag_of(row: Row) -> str:
    """Return the etag of a row, which changes with it."""
    return f'W/"JzIwOz{zlib.crc32(encode_row(row)):010d}OzAwOyc="'


def encode_rows(rows: Iterable[Row]) -> bytes:
    """Return rows as JSON, separated by commas."""
    return b",".join(map(encode_row, rows))


def encode_text(text: str) -> str:
    """Return a string as JSON."""
    return _ENCODER.encode(text).decode()


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return stamp_text(value)
        case Decimal():
            return number(value)
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value
