# SPDX-License-Identifier: Apache-2.0
"""What a request may say of journals: the properties that can be written, their types and their lengths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from airflow_provider_mlconnector.sandbox.business_central.wire import WireError

Values: TypeAlias = Mapping[str, Any]
"""What a request gives, by property."""

Reader: TypeAlias = Callable[[Any], Any]

_CENT = Decimal("0.01")
_MOST = Decimal(10) ** 16
_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def text(most: int) -> Reader:
    """Return the reader of a text of at most so many characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("Edm.String")
        if len(value) > most:
            message = (
                f"The length of the string is {len(value)}, but it must be less than or equal to {most} characters. "
                f"Value: {value}"
            )
            raise WireError(400, "Application_StringExceededLength", message)
        return value

    return read


def code(most: int) -> Reader:
    """Return the reader of a code: a text that is kept in capitals."""
    read = text(most)
    return lambda value: read(value).strip().upper()


def whole(value: Any) -> int:
    """Read a whole number."""
    if not isinstance(value, Decimal) or value != int(value):
        raise ValueError("Edm.Int32")
    return int(value)


def money(value: Any) -> Decimal:
    """Read an amount, rounded to cents."""
    if not isinstance(value, Decimal) or abs(value) >= _MOST:
        raise ValueError("Edm.Decimal")
    return value.quantize(_CENT, ROUND_HALF_UP)


def day(value: Any) -> date:
    """Read a date."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Edm.Date") from None


def enum(value: Any) -> str:
    """Read a member of an enum, encoded or as people write it."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), text(50)(value))


def guid(value: Any) -> str:
    """Read an id."""
    return str(text(36)(value)).lower()


BATCH: Mapping[str, Reader] = {
    "code": code(10),
    "displayName": text(100),
    "templateDisplayName": code(10),
    "balancingAccountId": guid,
}
LINE: Mapping[str, Reader] = {
    "journalId": guid,
    "journalDisplayName": text(100),
    "lineNumber": whole,
    "accountType": enum,
    "accountId": guid,
    "accountNumber": code(20),
    "postingDate": day,
    "documentNumber": code(20),
    "externalDocumentNumber": code(35),
    "amount": money,
    "description": text(100),
    "comment": text(250),
    "taxCode": code(20),
    "balanceAccountType": enum,
    "balancingAccountId": guid,
    "balancingAccountNumber": code(20),
}
SET_LINE: Mapping[str, Reader] = {"id": guid, "code": code(20), "valueId": guid, "valueCode": code(20)}


def read_body(body: bytes, entity: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """Return what a request gives; nulls are left out.

    :raises WireError: 400 for what is no JSON object, for properties that cannot be written, and for other types.
    """
    try:
        given = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise WireError(400, "BadRequest", "The request body is not a valid JSON object.")
    values = {}
    for name, value in given.items():
        if name not in readers:
            message = f"The property '{name}' does not exist on type 'Microsoft.NAV.{entity}', or is read-only."
            raise WireError(400, "BadRequest", message)
        try:
            if value is not None:
                values[name] = readers[name](value)
        except ValueError as error:
            message = f"Cannot convert the value of '{name}' to type '{error}'."
            raise WireError(400, "BadRequest", message) from error
    return values
