# SPDX-License-Identifier: Apache-2.0
"""The kinds of value that a field of JSON holds: how each is told, read exactly, and kept in Arrow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_provider_mlconnector.finance.datasets import MONEY_PRECISION, MONEY_SCALE

if TYPE_CHECKING:
    import pyarrow as pa


class Kind(StrEnum):
    """What a field holds; dates and times are JSON strings, ``OBJECTS`` is an array of objects."""

    TEXT = "text"
    MONEY = "number"
    INTEGER = "whole number"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "true or false"
    OBJECTS = "list"


def arrow_type(kind: Kind) -> pa.DataType:
    """Return the Arrow type of a plain kind. Money is ``decimal128(37, 6)``: the difference of two fits a dataset."""
    import pyarrow as pa

    types: dict[Kind, Callable[[], pa.DataType]] = {
        Kind.TEXT: pa.string,
        Kind.MONEY: lambda: pa.decimal128(MONEY_PRECISION - 1, MONEY_SCALE),
        Kind.INTEGER: pa.int64,
        Kind.DATE: pa.date32,
        Kind.TIME: lambda: pa.timestamp("us", tz="UTC"),
        Kind.BOOLEAN: pa.bool_,
    }
    return types[kind]()


def read_value(kind: Kind, value: Any) -> Any:
    """Return a JSON value as Python keeps it; numbers must have been decoded as int and Decimal.

    :raises TypeError: it is of another JSON type.
    :raises ValueError: it is of the right type and cannot be kept; ArithmeticError for an amount.
    """
    return _READERS[kind](value)


def fits(kind: Kind, value: Any) -> bool:
    """Say whether a JSON value is of the type that a kind is written in; null is of any."""
    if value is None:
        return True
    expected = _JSON_TYPES[kind]
    return isinstance(value, expected) and (kind is Kind.BOOLEAN or not isinstance(value, bool))


def json_type(value: Any) -> str:
    """Name the JSON type of a value."""
    names = ((bool, "true or false"), (int | Decimal, "a number"), (str, "text"), (list, "a list"))
    return next((name for kind, name in names if isinstance(value, kind)), "an object")


_KEPT = Context(prec=MONEY_PRECISION - 1, traps=[Inexact, InvalidOperation])
_QUANTUM = Decimal(1).scaleb(-MONEY_SCALE)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        _refuse()
    return str(value)


def _money(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        _refuse()
    return _KEPT.quantize(Decimal(value), _QUANTUM)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse()
    if not -(2**63) <= value < 2**63:
        raise ValueError("more than 64 bits")
    return int(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        _refuse()
    return bool(value)


def _date(value: Any) -> date:
    if len(_text(value)) != len("2026-10-31"):
        raise ValueError("no date")
    return date.fromisoformat(value)


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refuse() -> NoReturn:
    raise TypeError


_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.MONEY: _money,
    Kind.INTEGER: _integer,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.BOOLEAN: _boolean,
}
_JSON_TYPES: dict[Kind, Any] = {
    Kind.TEXT: str,
    Kind.MONEY: int | Decimal,
    Kind.INTEGER: int,
    Kind.DATE: str,
    Kind.TIME: str,
    Kind.BOOLEAN: bool,
    Kind.OBJECTS: list,
}
