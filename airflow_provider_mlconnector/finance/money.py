# SPDX-License-Identifier: Apache-2.0
"""Amounts as text and back, exactly and without a locale: a point for decimals, no thousands separators, no exponent.

An amount has at most 32 digits before the point and 6 after, as ``decimal128(38, 6)`` holds it; what has more is
refused, never rounded in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.datasets import MONEY_PRECISION, MONEY_SCALE

_TEXT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_QUANTUM = Decimal(1).scaleb(-MONEY_SCALE)
_LIMIT = Decimal(10) ** (MONEY_PRECISION - MONEY_SCALE)
_EXACT = Context(prec=1000)
"""Wide enough that nothing is rounded on the way, whatever the decimal context of the caller."""
ZERO = Decimal("0.000000")


def parse_money(text: str) -> Decimal:
    """Return the amount that a text says, such as ``-1234.5``.

    :raises DataError: when it is no number, or has more digits than an amount can hold.
    """
    stripped = text.strip()
    if _TEXT.fullmatch(stripped) is None:
        raise DataError(f"'{text[:60]}' is not an amount.", hint="Amounts have a point for decimals and nothing else.")
    return exact_money(Decimal(stripped), text)


def exact_money(amount: Decimal, text: str = "") -> Decimal:
    """Return an amount with six decimals.

    :param text: how it was written, for the message.
    :raises DataError: when that would lose digits, or it is not finite.
    """
    quantised = amount.quantize(_QUANTUM, context=_EXACT) if amount.is_finite() and amount.copy_abs() < _LIMIT else None
    if quantised is None or quantised != amount:
        raise DataError(f"'{text[:60] or amount}' does not fit an amount of 32 digits and 6 decimals.")
    return quantised


def format_money(amount: Decimal, places: int = 2) -> str:
    """Write an amount with at least so many decimals and no needless zeros beyond them; ``-0`` is ``0``.

    The text says exactly the amount: ``parse_money(format_money(a)) == a``.
    """
    digits = f"{amount.copy_abs() if amount == 0 else amount:f}"
    whole, _, decimals = digits.partition(".")
    decimals = decimals.rstrip("0").ljust(places, "0")
    return f"{whole}.{decimals}" if decimals else whole


def round_money(amount: Decimal, places: int) -> Decimal:
    """Round half away from zero, as ledgers do, to so many decimals."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_EXACT)


def part_of_money(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return so much of an amount as the part is of the whole, to the penny."""
    return round_money(_EXACT.divide(_EXACT.multiply(amount, part), whole), 2)


def add_money(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum: Python's own ``sum`` rounds to 28 digits."""
    total = ZERO
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total
