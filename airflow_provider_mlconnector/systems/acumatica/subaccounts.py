# SPDX-License-Identifier: Apache-2.0
"""Subaccounts: codes made of segments, written without anything between them.

The endpoint tells neither how long the segments are nor what they mean (forms CS202000 and CS203000), so the connection
says it: ``DEPARTMENT 3, REGION 2``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_provider_mlconnector.errors import ConfigurationError

WHOLE = "SUBACCOUNT"
"""Dimension that is the whole code."""

_SEGMENT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)[ :]\s*([1-9]\d?)\s*")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of each code: the characters from ``start`` to before ``end``."""

    name: str
    start: int
    end: int

    def of(self, code: str) -> str:
        """Return a code's value of this segment, without the blanks that fill it up."""
        return code[self.start : self.end].rstrip()


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of a tenant's subaccounts, in order."""

    all: tuple[Segment, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the dimensions that a subaccount tells."""
        return (WHOLE, *(segment.name for segment in self.all))

    def value(self, dimension: str, code: str) -> str:
        """Return what a subaccount says of a dimension.

        :raises KeyError: when it says nothing of it.
        """
        if dimension == WHOLE:
            return code
        for segment in self.all:
            if segment.name == dimension:
                return segment.of(code)
        raise KeyError(dimension)


def parse_segments(text: str) -> Segments:
    """Read names and lengths of segments.

    :raises ConfigurationError: when the text is not written like ``DEPARTMENT 3, REGION 2``.
    """
    found: list[Segment] = []
    for part in filter(str.strip, text.split(",")):
        match = _SEGMENT.fullmatch(part)
        if match is None or match[1].upper() in {WHOLE, *(segment.name for segment in found)}:
            raise ConfigurationError(
                f"'{part.strip()}' is no segment of a subaccount.",
                hint="Write each segment's name once, and its length: DEPARTMENT 3, REGION 2.",
            )
        start = found[-1].end if found else 0
        found.append(Segment(match[1].upper(), start, start + int(match[2])))
    return Segments(tuple(found))
