# SPDX-License-Identifier: Apache-2.0
"""What a request may say of journals: the properties that can be written, their types and their lengths."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import LAYERS
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import WireError, bad_property, write_failed

Reader: TypeAlias = Callable[[Any], Any]

HEADER, LINE = "LedgerJournalHeader", "LedgerJournalLine"
"""Names of the entity types."""

_MOST = Decimal(10) ** 20


def _text(most: int) -> Reader:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("Edm.String")
        if len(value) > most:
            raise OverflowError(f"The value is too long: at most {most} characters are allowed")
        return value

    return read


def _number(value: Any) -> Decimal:
    if not isinstance(value, Decimal) or abs(value) >= _MOST:
        raise ValueError("Edm.Decimal")
    return value


def _day(value: Any) -> Any:
    """Read a date; of a moment the day counts."""
    try:
        return datetime.fromisoformat(value).date()
    except (TypeError, ValueError):
        raise ValueError("Edm.DateTimeOffset") from None


def _member(*members: str) -> Reader:
    def read(value: Any) -> Any:
        if value not in members:
            raise ValueError("an enum of Microsoft.Dynamics.DataEntities")
        return value

    return read


_ACCOUNT_TYPE = _member("Ledger", "Cust", "Vend", "Project", "FixedAssets", "Bank")

READERS: Mapping[str, Mapping[str, Reader]] = {
    HEADER: {
        "dataAreaId": _text(4),
        "JournalBatchNumber": _text(20),
        "JournalName": _text(10),
        "Description": _text(60),
        "IntegrationKey": _text(60),
        "PostingLayer": _member(*LAYERS),
    },
    LINE: {
        "dataAreaId": _text(4),
        "JournalBatchNumber": _text(20),
        "LineNumber": _number,
        "Voucher": _text(20),
        "TransDate": _day,
        "AccountType": _ACCOUNT_TYPE,
        "AccountDisplayValue": _text(500),
        "OffsetAccountType": _ACCOUNT_TYPE,
        "OffsetAccountDisplayValue": _text(500),
        "DebitAmount": _number,
        "CreditAmount": _number,
        "CurrencyCode": _text(3),
        "Text": _text(255),
        "Document": _text(20),
    },
}


def read_body(body: bytes, entity: str) -> dict[str, Any]:
    """Return what a request gives of a header or a line; nulls are left out.

    :raises WireError: 400 for what is no JSON object, for properties that cannot be written, and for other types.
    """
    try:
        given = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise WireError(400, "The request body is not a valid JSON object.")
    return {name: _value(entity, name, value) for name, value in given.items() if value is not None}


def _value(entity: str, name: str, value: Any) -> Any:
    if name not in READERS[entity]:
        raise bad_property(name, entity)
    try:
        return READERS[entity][name](value)
    except OverflowError as error:
        raise write_failed(entity, f"Field '{name}': {error}") from error
    except ValueError as error:
        raise WireError(400, f"Cannot convert the value of '{name}' to type '{error}'.") from error
