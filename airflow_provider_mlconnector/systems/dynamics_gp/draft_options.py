# SPDX-License-Identifier: Apache-2.0
"""What a flow says of Dynamics GP's journal entries alone, and how a line's dimensions become its account number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.systems.drafting import Found
from airflow_provider_mlconnector.systems.dynamics_gp.capabilities import DEFAULT_SEGMENTS
from airflow_provider_mlconnector.systems.dynamics_gp.formats import AccountFormat
from airflow_provider_mlconnector.systems.option_texts import read_segments


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """How journal entries are written.

    :param segments: value of a segment of the account numbers, by its name, for lines that name none.
    """

    segments: Mapping[str, str] = field(default_factory=dict)


def read_options(told: Mapping[str, str]) -> DraftOptions:
    """Read the options of a flow: ``segments``, such as ``Department 000, Region 1``.

    :raises ConfigurationError: when one cannot be read.
    """
    return DraftOptions(read_segments(told.get(DEFAULT_SEGMENTS, "")))


@dataclass(frozen=True, slots=True)
class Coding:
    """Between accounts with their dimensions and account numbers, both ways.

    :param defaults: value of a segment, for lines that name none.
    """

    form: AccountFormat
    defaults: Mapping[str, str]

    def number(self, line: JournalLine) -> str:
        """Return the whole account number of a line; a segment that nothing names is left blank."""
        return self.form.separator.join(self._values(line).values())

    def problems(self, line: JournalLine) -> Iterator[Found]:
        """Yield why a line's account and dimensions make no account number."""
        names = self.form.dimensions
        for strange in sorted({code for code, _ in line.dimensions} - set(names)):
            yield strange, f"the account format has no such segment; besides the account it has {', '.join(names)}"
        for (name, value), room in zip(self._values(line).items(), self.form.lengths, strict=True):
            if not value:
                yield name, "the segment has no value, and the flow names none for lines without one"
            elif len(value) > room:
                yield value, f"segment {name} has room for {room} characters"
            elif self.form.separator in value:
                yield value, f"the value of segment {name} holds '{self.form.separator}', which joins segments"

    def as_journal_lines(self, journal: Journal, found: Sequence[tuple[str, Decimal, str]]) -> tuple[JournalLine, ...]:
        """Return the lines of an entry, in order, in the words of the journal where that means the same accounts.

        :param found: account number, amount and description of each line.
        """
        wanted: defaultdict[str, list[JournalLine]] = defaultdict(list)
        for line in journal.lines:
            wanted[self.number(line)].append(line)
        lines = []
        for place, (number, amount, description) in enumerate(found, start=1):
            words = wanted[number].pop(0) if wanted[number] else self._read(number)
            lines.append(
                JournalLine(
                    number=place,
                    account=words.account,
                    dimensions=words.dimensions,
                    amount=amount,
                    description=description,
                )
            )
        return tuple(lines)

    def _values(self, line: JournalLine) -> dict[str, str]:
        """Return the values of all segments, in order."""
        form, named = self.form, line.dimension
        return {
            name: line.account if place == form.main else named.get(name, self.defaults.get(name, ""))
            for place, name in enumerate(form.segments)
        }

    def _read(self, number: str) -> JournalLine:
        values = self.form.values(number) or {}
        dimensions = tuple(sorted((name, values[name]) for name in self.form.dimensions if values.get(name)))
        return JournalLine(number=0, account=self.form.account(number), dimensions=dimensions, amount=Decimal(0))
