# SPDX-License-Identifier: Apache-2.0
"""Criteria of the list operations: which values a restriction lets through. From and To are included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

Restriction = Mapping[str, Any]


def passes(restriction: Restriction | None, value: Any, read: Callable[[str], Any] = str) -> bool:
    """Say whether a value is let through; ``read`` makes values of the restriction's texts. Nothing passes as null."""
    if restriction is None:
        return True
    given = {name: text for name, text in restriction.items() if not name.startswith("#") and text is not None}
    items = given.pop("Items", None)
    if not given and not items:
        return True
    if value is None or (items and value not in [read(text) for text in items]):
        return False
    return all(_holds(name, value, read(text)) for name, text in given.items())


def _holds(name: str, value: Any, bound: Any) -> bool:
    match name:
        case "EqualValue":
            return bool(value == bound)
        case "NotEqualValue":
            return bool(value != bound)
        case "From":
            return bool(value >= bound)
        case "To":
            return bool(value <= bound)
        case "GreaterThan":
            return bool(value > bound)
        case "LessThan":
            return bool(value < bound)
        case _:
            return _is_like(str(value), str(bound))


def _is_like(value: str, pattern: str) -> bool:
    """Match with ``%`` at the ends, as the callers of a service use it."""
    wanted = pattern.strip("%")
    if pattern.startswith("%"):
        return wanted in value if pattern.endswith("%") else value.endswith(wanted)
    return value.startswith(wanted) if pattern.endswith("%") else value == wanted


def day(text: str) -> date:
    """Read the day of a moment."""
    return moment(text).date()


def moment(text: str) -> datetime:
    """Read a moment; the service takes what it is given for UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def bounds(restriction: Restriction | None) -> tuple[date, date]:
    """Return the first and the last day that a restriction of dates may let through."""
    given = restriction or {}
    first = given.get("EqualValue") or given.get("From") or given.get("GreaterThan")
    last = given.get("EqualValue") or given.get("To") or given.get("LessThan")
    return day(first) if first else date.min, day(last) if last else date.max
