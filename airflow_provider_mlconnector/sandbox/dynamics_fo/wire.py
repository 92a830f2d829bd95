# SPDX-License-Identifier: Apache-2.0
"""How the environment writes: noon dates, 1900 for none, "" for no text, and errors with the Infolog inside."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_mlconnector.sandbox.odata.rows import Row

ETAG = "@odata.etag"
"""The annotation that names the version of a record; rows that change carry theirs under this name."""

NO_TIME = datetime(1900, 1, 1, tzinfo=UTC)
NO_DATE = datetime(1900, 1, 1, 12, tzinfo=UTC)

NAMESPACE = "Microsoft.Dynamics.DataEntities"
_WRITING = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(eq=False)
class WireError(Exception):
    """An error answer; an empty message is an empty body."""

    status: int
    message: str = ""
    inner: str = ""
    inner_type: str = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataException"
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the answer's body."""
        return error_body(self.message, self.inner, self.inner_type)


def error_body(message: str, inner: str = "", inner_type: str = "") -> dict[str, Any]:
    """Return the body of an error answer; what is useful in it stands in the inner error."""
    error: dict[str, Any] = {"code": "", "message": message}
    if inner:
        error["innererror"] = {
            "message": inner,
            "type": inner_type,
            "stacktrace": "   at Microsoft.Dynamics.Ax.Xpp.PredefinedFunctions.runAsInvoke(Object[] parms)",
        }
    return {"error": error}


def bad_request(inner: str) -> WireError:
    """Return the error for a query that cannot be read."""
    return WireError(400, "An error has occurred.", inner)


def write_failed(entity: str, *messages: str) -> WireError:
    """Return the error for an entity that is refused, with what is wrong behind ``Infolog:``."""
    told = "".join(f"Warning: {message}; " for message in messages)
    inner = (
        f"Write failed for table row of type '{entity}Entity'. Infolog: {told}"
        f"Error: validateWrite failed on data source '{entity}Entity'."
    )
    return WireError(400, "An error has occurred.", inner, _WRITING)


def no_set(name: str) -> WireError:
    """Return the error for a set that is not there."""
    return WireError(404, f"Resource not found for the segment '{name}'.")


def bad_property(name: str, entity: str) -> WireError:
    """Return the error for a property that a type does not have."""
    return bad_request(f"Could not find a property named '{name}' on type '{NAMESPACE}.{entity}'.")


def noon(day: date | None) -> datetime:
    """Return a day as a moment, as dates are kept; 1900 for none."""
    return NO_DATE if day is None else datetime.combine(day, time(12), UTC)


def yes_no(value: object) -> str:
    """Return a switch as its enum writes it."""
    return "Yes" if value else "No"


def encode_rows(rows: Iterable[Row], names: Iterable[str]) -> bytes:
    """Return rows as JSON objects with these fields, separated by commas."""
    wanted = tuple(names)
    return b",".join(_encode(row, wanted) for row in rows)


def etag(version: int, record: int) -> str:
    """Return how the version of a record is named."""
    name = base64.b64encode(f"'{version},{record}'".encode()).decode()
    return f'W/"{name}"'


def _encode(row: Row, names: tuple[str, ...]) -> bytes:
    tag = row.get(ETAG) or etag(1, row.get("SourceKey") or abs(hash(row[next(iter(row))])) % 10**9)
    return _ENCODER.encode({ETAG: tag} | {name: _plain(row[name]) for name in names})


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case Decimal():
            whole = value.to_integral_value()
            return whole if whole == value else value.normalize()
        case _:
            return value
