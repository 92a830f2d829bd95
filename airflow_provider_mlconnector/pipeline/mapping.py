# SPDX-License-Identifier: Apache-2.0
"""From the ERP's codes to the model's members: what each row becomes in the file, or why it cannot be sent.

The code books decide code by code (there are few of them), the rows meet the decisions in a join. A row with a
problem is never sent: a blank or unmapped address, a member that its list does not have, an amount or a dimension that
is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from airflow_provider_mlconnector.errors import UnknownNameError
from airflow_provider_mlconnector.finance.crosswalk import Crosswalk
from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.layout import (
    DEPTH,
    MEASURE,
    PROBLEM,
    RECORD,
    FileColumn,
    Layout,
    Role,
)
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Match, Shape, Sign
from airflow_provider_mlconnector.pipeline.tables import TEXT, WHOLE, table
from airflow_provider_mlconnector.systems.anaplan.definitions import Members

MONEY = "DECIMAL(38, 6)"
FOLLOWS_NATURE = frozenset({"amount", "opening", "closing", "currency_amount"})
"""Columns with a sign of their own; debit and credit are sides, the same for every account."""


@dataclass(frozen=True, slots=True)
class _Mapped:
    """SQL of one file column: the joins it needs, its value, and its problems (each null when there is none)."""

    joins: tuple[str, ...]
    value: str
    problems: tuple[str, ...]


def known(members: Members, match: Match) -> Mapping[str, str]:
    """Return what an import recognises a member by."""
    return members.by_name if match is Match.NAME else members.by_code


def member_tables(layout: Layout, members: Collection[str]) -> dict[str, str]:
    """Return by column of the address the table of its list's members, which :func:`map_rows` places.

    :param members: columns whose lists were read.
    """
    columns = enumerate(layout.sources)
    return {column.name: _list(at) for at, column in columns if column.name in members and column.role is Role.KEY}


def _list(at: int) -> str:
    return f"list_{at}"


def crosswalk_of(plan: LoadPlan, layout: Layout, column: FileColumn) -> Crosswalk | None:
    """Return the code book of a column; a parent is mapped as the members themselves are."""
    own = plan.crosswalks.get(column.name)
    if own is not None or column.name != layout.parent:
        return own
    codes = (plan.crosswalks.get(other.name) for other in layout.sources if other.source in ("account", "code"))
    return next((found for found in codes if found is not None), None)


def map_rows(
    db: Engine,
    plan: LoadPlan,
    layout: Layout,
    period: Period,
    members: Mapping[str, Members],
    types: Mapping[str, pa.DataType],
) -> None:
    """Name what becomes of ``rows`` in the file ``mapped``: record id, file columns, measure, depth and problem.

    :param members: by file column, the list that its values must be members of.
    :param types: columns of ``rows``.
    :raises UnknownNameError: when a constant is no member.
    """
    _check_constants(plan, layout, members)
    mapper = _Mapper(db, plan, layout, period, members, dated="posting_date" in types)
    columns = {column.name: mapper.column(at, column) for at, column in enumerate(layout.sources)}
    record = "r.record_id" if "record_id" in types else "NULL"
    measure = f"CAST(r.{quoted(layout.measure)} AS {MONEY})" if layout.measure else f"CAST(0 AS {MONEY})"
    selected = [f"{record} AS {quoted(RECORD)}"]
    selected += [f"{mapped.value} AS {quoted(name)}" for name, mapped in columns.items()]
    selected += [f"{measure} AS {quoted(MEASURE)}", *mapper.depth()]
    parts = (*columns.values(), mapper.row())
    problems = [problem for part in parts for problem in part.problems]
    told = f"nullif(concat_ws('; ', {', '.join(problems)}), '')" if problems else "CAST(NULL AS VARCHAR)"
    joins = " ".join(join for part in parts for join in part.joins)
    db.view("mapped", f"SELECT {', '.join(selected)}, {told} AS {quoted(PROBLEM)} FROM rows r {joins}")


def _check_constants(plan: LoadPlan, layout: Layout, members: Mapping[str, Members]) -> None:
    for name, text in layout.constants.items():
        if name in members:
            listed = known(members[name], plan.match.get(name, Match.CODE))
            if text not in listed:
                raise UnknownNameError(
                    f"The list {plan.members[name]} has no member {text!r}, which {plan.import_name} sends as {name}.",
                    candidates=tuple(listed),
                )


@dataclass(slots=True)
class _Mapper:
    """Builds the SQL of one plan's columns; puts what it joins with into the engine.

    :param dated: rows have a posting date, by which code books are asked; the period's end otherwise.
    """

    db: Engine
    plan: LoadPlan
    layout: Layout
    period: Period
    members: Mapping[str, Members]
    dated: bool

    def row(self) -> _Mapped:
        """Return what concerns the row as a whole: the nature of its account, the place of its member."""
        joins, problems = [], []
        if self.plan.sign is Sign.NATURAL:
            self._say("no_nature", " is not in the book of accounts, whose categories decide its sign")
            joins.append("LEFT JOIN natures n ON n.account = r.account")
            problems.append("CASE WHEN n.turned IS NULL THEN 'account ' || r.account || getvariable('no_nature') END")
        if self.layout.parent:
            joins.append("LEFT JOIN placed p ON p.record_id = r.record_id")
            problems.append("p.problem")
        return _Mapped(tuple(joins), "", tuple(problems))

    def depth(self) -> list[str]:
        return [f"p.depth AS {quoted(DEPTH)}"] if self.layout.parent else []

    def column(self, at: int, column: FileColumn) -> _Mapped:
        """Return the SQL of one file column."""
        if column.role is Role.VALUE:
            return self._amount(at, column)
        crosswalk = crosswalk_of(self.plan, self.layout, column)
        raw = f"r.{quoted(column.source)}"
        text = f"coalesce(CAST({raw} AS VARCHAR), '')"
        if crosswalk is None and column.name not in self.members and column.role is Role.ATTRIBUTE:
            return _Mapped((), raw, self._if_read(at, column, ()))
        joins, problems = [], []
        if crosswalk is not None:
            self._decide(at, column, crosswalk, text)
            joins.append(
                f"LEFT JOIN walk_{at} w{at} ON w{at}.code = {text} AND w{at}.part = {self._part(at, crosswalk)}"
            )
            problems.append(f"w{at}.problem")
            text = f"coalesce(w{at}.member, '')"
        if column.role is Role.KEY and column.source != "record_id":
            self._say(f"blank_{at}", f"{column.name} is blank")
            blank = f"w{at}.problem IS NULL AND " if crosswalk is not None else ""
            problems.append(f"CASE WHEN {blank}{text} = '' THEN getvariable('blank_{at}') END")
        if column.name in self.members:
            joins.append(self._listed(at, column, text))
            problems.append(
                f"CASE WHEN {text} <> '' AND m{at}.member IS NULL THEN getvariable('unknown_{at}') || {text} END"
            )
        return _Mapped(tuple(joins), text, self._if_read(at, column, problems))

    def _if_read(self, at: int, column: FileColumn, problems: Iterable[str]) -> tuple[str, ...]:
        """Return a column's problems; a dimension that could not be read is one of its own, in place of the others."""
        if not column.source.startswith(DIMENSION_PREFIX):
            return tuple(problems)
        self._say(f"unread_{at}", f"{column.name} is not known: the row's dimensions could not be read")
        read = f"r.{quoted(column.source)} IS NOT NULL"
        unread = f"CASE WHEN NOT {read} THEN getvariable('unread_{at}') END"
        return (unread, *(f"CASE WHEN {read} THEN {problem} END" for problem in problems))

    def _amount(self, at: int, column: FileColumn) -> _Mapped:
        value = f"CAST(r.{quoted(column.source)} AS {MONEY})"
        turns = self.plan.sign is Sign.NATURAL and column.source in FOLLOWS_NATURE
        shown = f"CASE WHEN n.turned THEN -{value} ELSE {value} END" if turns else value
        if self.plan.shape is Shape.RECORDS:
            return _Mapped((), shown, ())
        self._say(f"empty_{at}", f"{column.name} is not known")
        return _Mapped((), shown, (f"CASE WHEN {value} IS NULL THEN getvariable('empty_{at}') END",))

    def _say(self, name: str, sentence: str) -> None:
        self.db.variable(name, sentence)

    def _listed(self, at: int, column: FileColumn, text: str) -> str:
        """Return the join with the members of the column's list."""
        listed = known(self.members[column.name], self.plan.match.get(column.name, Match.CODE))
        self.db.table(_list(at), table({"member": TEXT}, ({"member": text} for text in listed)))
        self._say(f"unknown_{at}", f"unknown member: the list {self.plan.members[column.name]} has no {column.name} ")
        return f"LEFT JOIN {_list(at)} m{at} ON m{at}.member = {text}"

    def _part(self, at: int, crosswalk: Crosswalk) -> str:
        """Return the SQL of a row's part of the calendar: within one, all rules hold or do not hold."""
        days = _turning_days(crosswalk)
        if not days or not self.dated:
            return "0"
        self.db.variable(f"days_{at}", days)
        return f"len(list_filter(getvariable('days_{at}'), lambda day: day <= r.posting_date))"

    def _decide(self, at: int, column: FileColumn, crosswalk: Crosswalk, text: str) -> None:
        """Ask the code book about every code that occurs, and keep the answers as a table."""
        day = "min(r.posting_date)" if self.dated else "NULL"
        codes = self.db.stream(f"SELECT {text}, {self._part(at, crosswalk)}, {day} FROM rows r GROUP BY 1, 2")
        optional = column.name == self.layout.parent
        decided = [
            _decision(crosswalk, column.name, code, part, day or self.period.end, optional=optional)
            for batch in codes
            for code, part, day in zip(*(part.to_pylist() for part in batch.columns), strict=True)
        ]
        self.db.table(f"walk_{at}", table({"code": TEXT, "part": WHOLE, "member": TEXT, "problem": TEXT}, decided))


def _decision(
    crosswalk: Crosswalk, column: str, code: str, part: int, day: date, *, optional: bool
) -> dict[str, object]:
    if optional and not code:
        return {"code": code, "part": part, "member": "", "problem": None}
    hit = crosswalk.lookup(code, day)
    shown = f"'{code}'" if code else "the blank code"
    problem = None if hit else f"unmapped: {crosswalk.name} has no {column} for {shown} on {day}"
    return {"code": code, "part": part, "member": hit.member if hit else None, "problem": problem}


def _turning_days(crosswalk: Crosswalk) -> list[date]:
    """Return the days from which on another set of rules holds."""
    starts = {rule.valid_from for rule in crosswalk.rules if rule.valid_from}
    ends = {rule.valid_to + timedelta(days=1) for rule in crosswalk.rules if rule.valid_to and rule.valid_to < date.max}
    return sorted(starts | ends)
