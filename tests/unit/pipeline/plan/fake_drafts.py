# SPDX-License-Identifier: Apache-2.0
"""A ledger in memory that takes drafts the hard way: header first, then lines, then each line's dimensions.

Every request of a step can be told to go wrong, by its number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from airflow_provider_mlconnector.errors import BadRequestError, LostAnswerError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.systems.drafting import Draft, DraftState, Problem, Step
from tests.clocks import StandingClock


class Killed(BaseException):
    """The worker is gone."""


class Mishap(StrEnum):
    """What goes wrong with one request."""

    KILLED_BEFORE = "the worker dies before it sends"
    KILLED_AFTER = "the worker dies after the ledger did it"
    KILLED_AND_LATE = "the worker dies, and the ledger does it 30 seconds later"
    LOST = "the answer is lost, and the ledger did it"
    LOST_IN_VAIN = "the answer is lost, and the ledger never does it"
    LOST_AND_LATE = "the answer is lost, and the ledger does it 30 seconds later"
    REFUSED = "the ledger refuses it"


@dataclass
class HeldLine:
    """A line as the ledger has it."""

    line: JournalLine
    dimensions: dict[str, str] = field(default_factory=dict)


@dataclass
class Books:
    """What the ledger holds, and what is still on its way to it."""

    clock: StandingClock
    headers: list[str] = field(default_factory=list)
    lines: list[tuple[str, HeldLine]] = field(default_factory=list)
    posted: set[str] = field(default_factory=set)
    pending: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    requests: int = 0
    mishaps: dict[int, Mishap] = field(default_factory=dict)

    def settle_pending(self) -> None:
        """Let happen what is due by now."""
        due = [act for at, act in self.pending if at <= self.clock.monotonic()]
        self.pending = [(at, act) for at, act in self.pending if at > self.clock.monotonic()]
        for act in due:
            act()

    def request(self, act: Callable[[], None]) -> None:
        """Send one request that changes something."""
        self.requests += 1
        mishap = self.mishaps.get(self.requests)
        if mishap is Mishap.KILLED_BEFORE:
            raise Killed
        if mishap is Mishap.REFUSED:
            raise BadRequestError("The ledger does not want it.")
        if mishap in (Mishap.LOST_AND_LATE, Mishap.KILLED_AND_LATE):
            self.pending.append((self.clock.monotonic() + 30, act))
        elif mishap is not Mishap.LOST_IN_VAIN:
            act()
        if mishap in (Mishap.KILLED_AFTER, Mishap.KILLED_AND_LATE):
            raise Killed
        if mishap is not None:
            self.clock.sleep(5)
            raise LostAnswerError("No answer came.")


class FakeDrafts:
    """Writes drafts into such books."""

    settle = 60.0
    effect = "writes drafts; it posts nothing"

    def __init__(self, books: Books, problems: Sequence[Problem] = ()) -> None:
        self.books = books
        self._problems = list(problems)

    def problems(self, journals: Sequence[Journal]) -> list[Problem]:
        return self._problems

    def find(self, journal: Journal) -> Draft:
        held = self._held(journal)
        if journal.key not in self.books.headers:
            return Draft(DraftState.MISSING)
        state = DraftState.POSTED if journal.key in self.books.posted else DraftState.DRAFT
        lines = tuple(
            JournalLine(
                number=place,
                account=one.line.account,
                dimensions=tuple(sorted(one.dimensions.items())),
                amount=one.line.amount,
            )
            for place, one in enumerate(held, start=1)
        )
        return Draft(state, lines, f"N-{journal.key}")

    def steps(self, journal: Journal) -> list[Step]:
        books, held = self.books, self._held(journal)
        if journal.key not in books.headers:
            if not journal.lines:
                return []
            return [self._step(f"add header {journal.key}", lambda: books.headers.append(journal.key))]
        wanted = {line.number: line for line in journal.lines}
        surplus = [one for place, one in enumerate(held) if self._misfit(one, held[:place], wanted)]
        steps = [
            self._step(f"remove line {one.line.number} of {journal.key}", partial(self._remove, one)) for one in surplus
        ]
        there = {one.line.number for one in held if one not in surplus}
        steps += [
            self._step(f"add line {line.number} of {journal.key}", partial(self._add, journal.key, line))
            for line in journal.lines
            if line.number not in there
        ]
        steps += [
            self._step(
                f"set {code} of line {one.line.number} of {journal.key}", partial(one.dimensions.update, {code: value})
            )
            for one in held
            if one not in surplus
            for code, value in wanted[one.line.number].dimensions
            if one.dimensions.get(code) != value
        ]
        if not journal.lines and not held:
            steps.append(self._step(f"remove header {journal.key}", lambda: books.headers.remove(journal.key)))
        return steps

    def close(self) -> None:
        pass

    def _held(self, journal: Journal) -> list[HeldLine]:
        self.books.settle_pending()
        return [one for key, one in self.books.lines if key == journal.key]

    @staticmethod
    def _misfit(one: HeldLine, before: Sequence[HeldLine], wanted: dict[int, JournalLine]) -> bool:
        line = wanted.get(one.line.number)
        doubled = any(other.line.number == one.line.number for other in before)
        return doubled or line is None or (line.account, line.amount) != (one.line.account, one.line.amount)

    def _add(self, key: str, line: JournalLine) -> None:
        self.books.lines.append((key, HeldLine(line)))

    def _remove(self, one: HeldLine) -> None:
        self.books.lines = [(key, other) for key, other in self.books.lines if other is not one]

    def _step(self, sentence: str, act: Callable[[], None]) -> Step:
        return Step(sentence, partial(self.books.request, act))
