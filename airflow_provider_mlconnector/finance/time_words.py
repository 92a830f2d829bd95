# SPDX-License-Identifier: Apache-2.0
"""Times of day and spans of time as people write them in a flow: ``06:30``, ``15m``, ``1h30m``, ``PT15M``."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SHORT = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


def parse_clock(value: object) -> time:
    """Read a time of day, ``00:00`` to ``23:59``.

    :raises ValueError: when it is none.
    """
    if isinstance(value, time):
        return value
    match = _CLOCK.fullmatch(str(value))
    if match is None:
        raise ValueError(f"'{value}' is not a time of day; write it like 06:30")
    return time(int(match[1]), int(match[2]))


def parse_span(value: object) -> timedelta:
    """Read a span of whole minutes, hours and days, short (``1h30m``) or by ISO 8601 (``PT1H30M``).

    :raises ValueError: when it is none, or no time at all.
    """
    if isinstance(value, timedelta):
        return value
    match = _SHORT.fullmatch(str(value)) or _ISO.fullmatch(str(value))
    days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    span = timedelta(days=days, hours=hours, minutes=minutes)
    if not span:
        raise ValueError(f"'{value}' is not a span of time; write it like 15m, 6h or PT15M")
    return span


def format_span(span: timedelta) -> str:
    """Write a span of whole minutes as :func:`parse_span` reads it."""
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours}h" * (hours > 0) + f"{minutes}m" * (minutes > 0)


ClockTime = Annotated[
    time,
    BeforeValidator(parse_clock),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$", "examples": ["06:30"]}),
]
"""Field of a model: a time of day."""

Span = Annotated[
    timedelta,
    BeforeValidator(parse_span),
    PlainSerializer(format_span, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+d)?(\d+h)?(\d+m)?$|^P", "examples": ["15m", "6h"]}),
]
"""Field of a model: a span of time."""
