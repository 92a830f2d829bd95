# SPDX-License-Identifier: Apache-2.0
"""Lines of an exported plan, read the other way round: which are meant, where they are posted, and what is wrong.

The rules are the close's own, inverted: constants choose lines instead of filling them, and a code book gives the code
of a member instead of the member of a code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX
from airflow_provider_mlconnector.finance.grouping import Place
from airflow_provider_mlconnector.finance.money import ZERO, parse_money
from airflow_provider_mlconnector.pipeline.draftplan import AMOUNT, PERIOD, VERSION, DraftPlan
from airflow_provider_mlconnector.pipeline.plan import Match
from airflow_provider_mlconnector.systems.anaplan.definitions import Members

ACCOUNT = "account"


class Unclear(Exception):
    """A line, or a part of it, that cannot be read; ``subject`` is the column or what stands in it."""

    def __init__(self, subject: str, sentence: str) -> None:
        super().__init__(sentence)
        self.subject = subject
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Rules:
    """Which lines a plan means.

    :param texts: by column, the text that a line must have.
    :param period: column that names the period, and the names that are meant.
    """

    texts: Mapping[str, str]
    period: str
    wanted: frozenset[str]

    @classmethod
    def of(cls, plan: DraftPlan, version: str, wanted: frozenset[str]) -> Rules:
        """Return the rules of a plan for one version and some periods, by the model's names."""
        texts = {name: source.constant for name, source in plan.columns.items() if source.constant is not None}
        texts |= dict.fromkeys(plan.from_source(VERSION), version)
        return cls(texts, next(iter(plan.from_source(PERIOD))), wanted)

    def leave_out(self, row: Mapping[str, str]) -> str:
        """Return why a line is not meant, as a phrase; "" when it is."""
        for column, text in self.texts.items():
            if row[column] != text:
                return f"{column} is not {text}"
        return "" if row[self.period] in self.wanted else "another period"


def amount_of(plan: DraftPlan, row: Mapping[str, str]) -> Decimal:
    """Return a line's amount; an empty one is 0.

    :raises Unclear: when it is no amount.
    """
    column = next(iter(plan.from_source(AMOUNT)))
    try:
        return parse_money(row[column]) if row[column].strip() else ZERO
    except DataError as error:
        raise Unclear(column, error.message) from error


@dataclass(frozen=True, slots=True)
class Mapper:
    """Turns the members of a line into the place where it is posted.

    :param members: of each list that the plan's columns name, by column.
    """

    plan: DraftPlan
    members: Mapping[str, Members]

    def place(self, row: Mapping[str, str], day: date) -> tuple[Place, list[Unclear]]:
        """Return where a line is posted on a day, and all that is unclear about it; then the place means nothing."""
        codes: dict[str, str] = {}
        unclear: list[Unclear] = []
        for column, source in self._columns():
            try:
                codes[source] = self._code(column, row[column], day)
            except Unclear as problem:
                unclear.append(problem)
        account = codes.pop(ACCOUNT, "")
        if not account and not unclear:
            unclear.append(Unclear(ACCOUNT, "is blank"))
        dimensions = ((name.removeprefix(DIMENSION_PREFIX), code) for name, code in codes.items() if code)
        return Place(account, tuple(sorted(dimensions))), unclear

    def _columns(self) -> Iterator[tuple[str, str]]:
        for column, source in self.plan.columns.items():
            if source.constant is None and (source.column == ACCOUNT or source.column.startswith(DIMENSION_PREFIX)):
                yield column, source.column

    def _code(self, column: str, text: str, day: date) -> str:
        member = self._member(column, text)
        inverse = self.plan.inverses.get(column)
        code = inverse.code(member, day) if inverse else member
        if code is None:
            raise Unclear(text, f"unmapped: {inverse.name if inverse else column} has no code for it on {day}")
        return code

    def _member(self, column: str, text: str) -> str:
        """Return a member as the code book calls it, be it exported by its code or by its name."""
        if column not in self.members or not text:
            return text
        of = self.plan.members[column]
        names, codes = self.members[column].by_code, self.members[column].by_name
        ours, theirs = (codes, names) if of.match is Match.NAME else (names, codes)
        if text in ours and theirs.get(text, text) != text:
            raise Unclear(text, f"is the code of one member of {of.list_name}, and the name of another")
        if text not in ours and not theirs.get(text):
            raise Unclear(text, f"unknown member: the list {of.list_name} has none of that name or code")
        return text if text in ours else theirs[text]
