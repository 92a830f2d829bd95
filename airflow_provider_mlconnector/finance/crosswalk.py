# SPDX-License-Identifier: Apache-2.0
"""Code books: what an ERP calls a thing, and which member of the model it is.

A crosswalk is plain data: rules in the order in which they are tried, exact codes first, then prefixes from the
longest, then ranges, then the default; the first rule that covers code and day decides. Two exact rules, two ranges,
two equal prefixes or two defaults never hold for one code on one day, so the order of lines in a file means nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import groupby, pairwise

from airflow_provider_mlconnector.errors import FlowError


class MatchKind(StrEnum):
    """How a rule recognises a code; the order of the members is the order in which rules are tried."""

    EXACT = "exact"
    PREFIX = "prefix"
    RANGE = "range"
    DEFAULT = "default"


_RANK = {kind: rank for rank, kind in enumerate(MatchKind)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a code book.

    :param code: the code, the prefix, or the first code of a range; ``""`` with ``EXACT`` is the blank code.
    :param until: last code of a range, itself included; codes of another length than the bounds are outside.
    :param valid_from: first day on which the rule holds; None: always did.
    :param valid_to: last day on which the rule holds; None: for ever.
    :param line: line in the file, for messages and the trail.
    """

    kind: MatchKind
    code: str
    member: str
    until: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    comment: str = ""
    line: int = 0

    def covers(self, code: str, day: date) -> bool:
        """Say whether the rule decides this code on this day."""
        return self._holds_on(day) and self._recognises(code)

    def _holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def _recognises(self, code: str) -> bool:
        match self.kind:
            case MatchKind.EXACT:
                return code == self.code
            case MatchKind.PREFIX:
                return code.startswith(self.code)
            case MatchKind.RANGE:
                return len(code) == len(self.code) and self.code <= code <= self.until
            case MatchKind.DEFAULT:
                return True

    def holds_with(self, other: Rule) -> bool:
        """Say whether both rules hold on some day."""
        begin = max(self.valid_from or date.min, other.valid_from or date.min)
        return begin <= min(self.valid_to or date.max, other.valid_to or date.max)

    def meets(self, other: Rule) -> bool:
        """Say whether another rule of the same kind could decide a code that this one decides, on some day."""
        if not self.holds_with(other):
            return False
        if self.kind is MatchKind.RANGE:
            same_length = len(self.code) == len(other.code)
            return same_length and max(self.code, other.code) <= min(self.until, other.until)
        return self.code == other.code

    def __str__(self) -> str:
        described = {
            MatchKind.EXACT: f"code '{self.code}'",
            MatchKind.PREFIX: f"prefix '{self.code}'",
            MatchKind.RANGE: f"range '{self.code}' to '{self.until}'",
            MatchKind.DEFAULT: "default",
        }[self.kind]
        return f"{described} is '{self.member}' (line {self.line})"


@dataclass(frozen=True, slots=True)
class Hit:
    """The member that a code maps to, and the rule that decided it."""

    member: str
    rule: Rule


@dataclass(frozen=True)
class Crosswalk:
    """A code book; ``rules`` are in the order in which they are tried. Build it with :func:`crosswalk`.

    :param name: file name, for messages and the trail.
    """

    name: str
    rules: tuple[Rule, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of what the rules mean; comments and line numbers do not count."""
        meaning = [
            [rule.kind, rule.code, rule.until, rule.member, str(rule.valid_from or ""), str(rule.valid_to or "")]
            for rule in self.rules
        ]
        return hashlib.sha256(json.dumps(sorted(meaning)).encode()).hexdigest()

    @cached_property
    def members(self) -> frozenset[str]:
        """Every member that a code can map to."""
        return frozenset(rule.member for rule in self.rules)

    @cached_property
    def _exact(self) -> dict[str, tuple[Rule, ...]]:
        exact = sorted((r for r in self.rules if r.kind is MatchKind.EXACT), key=lambda rule: rule.code)
        return {code: tuple(group) for code, group in groupby(exact, key=lambda rule: rule.code)}

    @cached_property
    def _others(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.kind is not MatchKind.EXACT)

    def lookup(self, code: str | None, day: date) -> Hit | None:
        """Return the member of a code on a day, or None when no rule covers it; no code at all is the blank code."""
        code = code or ""
        candidates = (*self._exact.get(code, ()), *self._others)
        return next((Hit(rule.member, rule) for rule in candidates if rule.covers(code, day)), None)


def crosswalk(name: str, rules: Iterable[Rule], *, file: str = "") -> Crosswalk:
    """Put rules into the order in which they are tried.

    :param file: path of the code book, for messages; its name unless given.
    :raises FlowError: when two rules of one kind cover the same code on the same day; names file and both lines.
    """
    ordered = sorted(rules, key=_precedence)
    for kind, group in groupby(ordered, key=lambda rule: rule.kind):
        _refuse_overlap(file or name, kind, tuple(group))
    return Crosswalk(name, tuple(ordered))


def _precedence(rule: Rule) -> tuple[int, int, str, date]:
    return (_RANK[rule.kind], -len(rule.code), rule.code, rule.valid_from or date.min)


def _refuse_overlap(file: str, kind: MatchKind, rules: Sequence[Rule]) -> None:
    """Compare neighbours; ranges of one length are compared with all that follow, since a long one can span several."""
    pairs: Iterable[tuple[Rule, Rule]] = pairwise(rules)
    if kind is MatchKind.RANGE:
        pairs = ((rule, other) for at, rule in enumerate(rules) for other in rules[at + 1 :])
    for rule, other in pairs:
        if rule.meets(other):
            raise FlowError(
                f"{other} meets {rule}: both decide the same codes on the same days.",
                where=f"{file}:{max(rule.line, other.line)}",
                hint="Remove one of them, or give them valid_from and valid_to that do not overlap.",
            )
