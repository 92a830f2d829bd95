# SPDX-License-Identifier: Apache-2.0
"""Code books as files: CSV for people with a spreadsheet, YAML for people with an editor; the same columns in both."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.crosswalk import Crosswalk, MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.yaml_lines import read_yaml

COLUMNS = ("code", "member", "match", "until", "valid_from", "valid_to", "comment")
"""Columns that a file may have; ``code`` and ``member`` it must have."""

_NAMED = ", ".join(COLUMNS)


def load_crosswalk(path: Path) -> Crosswalk:
    """Read a code book from ``.csv`` or ``.yaml``.

    A CSV has a header of :data:`COLUMNS` in any order; YAML is a list of mappings with these keys. ``match`` is
    ``exact`` (also when empty), ``prefix``, ``range`` (from ``code`` to ``until``, both included) or ``default`` (no
    ``code``).
    An empty ``code`` with ``exact`` is the blank code. Dates are written ``2026-11-30``, both days included.

    :raises FlowError: with file and line, when the file is absent, malformed, or decides a code twice.
    """
    read = _csv_rows if path.suffix.lower() == ".csv" else _yaml_rows
    rules = [_rule(row, line, f"{path}:{line}") for line, row in read(path)]
    return crosswalk(path.name, rules, file=str(path))


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FlowError(f"the code book cannot be read: {error}.", where=str(path)) from error
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_names(header, {"code", "member"}, f"{path}:1")
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            if len(row) != len(header):
                raise FlowError(
                    f"{len(row)} fields under a header of {len(header)}.", where=f"{path}:{reader.line_num}"
                )
            yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise FlowError(f"this is not CSV: {error}.", where=f"{path}:{reader.line_num}") from error


def _yaml_rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    document = read_yaml(path)
    if not isinstance(document.value, list):
        raise FlowError(f"a code book is a list of mappings with the keys {_NAMED}.", where=f"{path}:1")
    for index, item in enumerate(document.value):
        where = document.where((index,))
        if not isinstance(item, dict):
            raise FlowError(f"a line of a code book is a mapping with the keys {_NAMED}.", where=where)
        _check_names(list(item), {"member"} if item.get("match") == MatchKind.DEFAULT else {"code", "member"}, where)
        yield document.lines[(index,)], {key: "" if value is None else str(value) for key, value in item.items()}


def _check_names(names: list[str], needed: set[str], where: str) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise FlowError(f"unknown column '{unknown[0]}'; allowed are {_NAMED}.", where=where)
    if len(set(names)) != len(names):
        raise FlowError("a column stands twice.", where=where)
    missing = needed - set(names)
    if missing:
        raise FlowError(f"the column '{min(missing)}' is missing; allowed are {_NAMED}.", where=where)


def _rule(row: Mapping[str, str], line: int, where: str) -> Rule:
    cell = {name: row.get(name, "").strip() for name in COLUMNS}
    try:
        kind = MatchKind(cell["match"] or MatchKind.EXACT)
    except ValueError:
        known = ", ".join(MatchKind)
        raise FlowError(f"unknown match '{cell['match']}'; allowed are {known}.", where=where) from None
    rule = Rule(
        kind=kind,
        code=cell["code"],
        member=cell["member"],
        until=cell["until"],
        valid_from=_day(cell["valid_from"], where),
        valid_to=_day(cell["valid_to"], where),
        comment=cell["comment"],
        line=line,
    )
    problem = _problem(rule)
    if problem:
        raise FlowError(problem, where=where)
    return rule


def _day(text: str, where: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise FlowError(f"'{text}' is not a day; write it like 2026-11-30.", where=where) from None


def _problem(rule: Rule) -> str:
    """Return what is wrong with a rule, or ""."""
    if not rule.member:
        return "the member is missing."
    if rule.valid_from and rule.valid_to and rule.valid_from > rule.valid_to:
        return f"valid_from {rule.valid_from} is after valid_to {rule.valid_to}."
    if rule.until and rule.kind is not MatchKind.RANGE:
        return f"'until' belongs to a range, not to match '{rule.kind}'."
    match rule.kind:
        case MatchKind.PREFIX if not rule.code:
            return "a prefix is missing; for every other code use match 'default'."
        case MatchKind.DEFAULT if rule.code:
            return f"the default has no code, but '{rule.code}' stands there."
        case MatchKind.RANGE if len(rule.code) != len(rule.until) or not rule.code:
            return f"a range needs 'code' and 'until' of one length, not '{rule.code}' and '{rule.until}'."
        case MatchKind.RANGE if rule.code > rule.until:
            return f"the range from '{rule.code}' to '{rule.until}' is empty."
    return ""
