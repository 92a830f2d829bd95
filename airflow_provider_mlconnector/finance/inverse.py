# SPDX-License-Identifier: Apache-2.0
"""A code book read backwards: which code a member of the model stands for.

Close and plan share one code book. Forward, many codes may come to one member; backwards there has to be exactly one
code, or nobody could say where a figure is to be posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.crosswalk import Crosswalk, MatchKind, Rule


@dataclass(frozen=True, slots=True)
class Inverse:
    """What each member stands for; build it with :func:`invert`.

    :param rules: of each member, those that decide it at one time or another; no two of them on the same day.
    """

    name: str
    rules: Mapping[str, tuple[Rule, ...]]

    def code(self, member: str, day: date) -> str | None:
        """Return the code of a member on a day; None when it stands for none. The blank code is ``""``."""
        return next((rule.code for rule in self.rules.get(member, ()) if rule.covers(rule.code, day)), None)


def invert(crosswalk: Crosswalk, *, file: str = "") -> Inverse:
    """Read a code book backwards.

    :param file: its path, for messages; its name unless given.
    :raises FlowError: with file and line, when an entry does not invert: a prefix, a range or a default stands for many
        codes, and so do two codes of one member on the same day.
    """
    where = file or crosswalk.name
    by_member: dict[str, tuple[Rule, ...]] = {}
    for rule in sorted(crosswalk.rules, key=lambda rule: rule.line):
        if rule.kind is not MatchKind.EXACT:
            raise _ambiguous(f"{rule} stands for more than one code", rule, where)
        for other in by_member.get(rule.member, ()):
            if rule.holds_with(other):
                raise _ambiguous(f"'{rule.member}' stands for both '{other.code}' and '{rule.code}'", rule, where)
        by_member[rule.member] = (*by_member.get(rule.member, ()), rule)
    return Inverse(crosswalk.name, by_member)


def _ambiguous(what: str, rule: Rule, file: str) -> FlowError:
    return FlowError(
        f"{what}, so that a plan cannot be posted back by it.",
        where=f"{file}:{rule.line}",
        hint="Give each member one code, or dates on which each code holds.",
    )
