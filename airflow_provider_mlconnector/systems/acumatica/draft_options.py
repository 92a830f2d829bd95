# SPDX-License-Identifier: Apache-2.0
"""What a flow says of Acumatica's journals alone, and how a line's dimensions become its subaccount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.systems.acumatica.capabilities import DEFAULT_SEGMENTS, RELEASE
from airflow_provider_mlconnector.systems.acumatica.journals import BRANCH
from airflow_provider_mlconnector.systems.acumatica.subaccounts import WHOLE, Segments
from airflow_provider_mlconnector.systems.drafting import Found
from airflow_provider_mlconnector.systems.option_texts import read_flag, read_segments

CHUNK = 500
"""Lines of one request, which is what the vendor advises for large documents."""


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """How journals are written.

    :param segments: value of a segment of the subaccounts, by its name, for lines that name none.
    :param release: release a journal once it is whole, which posts it; else that is left to a person.
    :param chunk: lines of one request.
    """

    segments: Mapping[str, str] = field(default_factory=dict)
    release: bool = False
    chunk: int = CHUNK


def read_options(told: Mapping[str, str]) -> DraftOptions:
    """Read the options of a flow: ``segments``, such as ``LOCATION 00, REGION 1``, and ``release``, true or false.

    :raises ConfigurationError: when one cannot be read.
    """
    segments = read_segments(told.get(DEFAULT_SEGMENTS, ""))
    return DraftOptions(
        {name.upper(): value for name, value in segments.items()}, release=read_flag(told, RELEASE, usual=False)
    )


@dataclass(frozen=True, slots=True)
class Coding:
    """Between the dimensions of lines and subaccounts, both ways.

    :param defaults: value of a segment, for lines that name none.
    """

    segments: Segments
    defaults: Mapping[str, str]

    def subaccount(self, line: JournalLine) -> str:
        """Return the subaccount of a line, without blanks at its end; "" when nothing names one."""
        named = line.dimension
        if WHOLE in named:
            return named[WHOLE].rstrip()
        values = {
            segment: named.get(segment.name, self.defaults.get(segment.name, "")) for segment in self.segments.all
        }
        return "".join(value.ljust(segment.end - segment.start) for segment, value in values.items()).rstrip()

    def problems(self, line: JournalLine) -> Iterator[Found]:
        """Yield why a line's dimensions make no subaccount."""
        named = line.dimension
        names = [segment.name for segment in self.segments.all]
        for strange in sorted(named.keys() - {*names, WHOLE, BRANCH}):
            told = ", ".join((WHOLE, *names, BRANCH))
            yield strange, f"a line has no such dimension or segment; it has {told}"
        if WHOLE in named:
            for name in (name for name in names if name in named):
                yield name, f"a line names either its whole {WHOLE} or segments of it, not both"
            return
        for segment in self.segments.all:
            value, room = named.get(segment.name, self.defaults.get(segment.name, "")), segment.end - segment.start
            if not value:
                yield segment.name, "the segment has no value, and the flow names none for lines without one"
            elif len(value) > room:
                yield value, f"segment {segment.name} of the subaccount has room for {room} characters"

    def dimensions(self, code: str) -> dict[str, str]:
        """Return what a subaccount says of the segments, or the whole of it where there are none."""
        if not self.segments.all:
            return {WHOLE: code}
        return {segment.name: segment.of(code) for segment in self.segments.all}
