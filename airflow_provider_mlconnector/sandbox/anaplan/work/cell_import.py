# SPDX-License-Identifier: Apache-2.0
"""Import into a module: rows become cells; cells that the file does not name stay, unless the import clears its target.

Members are matched by code, then by name. A row that names an unknown member, or one whose cells are sums, is rejected;
a row of which some values are no numbers loads the others with a warning. A blank value leaves its cell alone, and a
row without any value is ignored. Where two rows name one cell, the later one holds, or their sum when the import adds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.anaplan import ids
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import ZERO, CellKey, Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import (
    CellTarget,
    Dimension,
    ImportSettings,
    Module,
)
from airflow_provider_mlconnector.sandbox.anaplan.model.members import MemberList
from airflow_provider_mlconnector.sandbox.anaplan.work.numbers import parse_number
from airflow_provider_mlconnector.sandbox.anaplan.work.results import Finding, Loaded, Reject, Severity, Tally
from airflow_provider_mlconnector.sandbox.anaplan.work.source import Rows, Source, SourceError


def load_cells(
    target: CellTarget,
    settings: ImportSettings,
    source: Source,
    contents: Contents,
    chosen: Mapping[str, str],
    decimal_separator: str,
) -> Loaded:
    """Return what a file makes of a module's cells.

    :param chosen: member by dimension or list name, as asked for when the task was started; it stands for a column.
    :raises SourceError: when the file cannot be imported at all.
    """
    module = target.module
    fixed = _chosen_members(module, contents, chosen)
    missing = [label for label in settings.asks_for if label not in fixed]
    if missing:
        raise SourceError("missingFields", f"Import incomplete - nothing was chosen for {', '.join(missing)}")
    source.require([column for column in module.header if column not in fixed])
    loader = _Loader(module, contents, fixed, decimal_separator, adds=settings.adds)
    for rows in source.parts():
        loader.take(rows)
    if settings.clears_target:
        contents = contents.without_cells(module, loader.reach(settings.clears_all_items_of))
    held = contents.cells[module.id]
    changes = loader.changes
    if settings.adds:
        changes = {key: held.get(key, ZERO) + value for key, value in changes.items()}
    return Loaded(contents.with_cells(module, changes), loader.tally, source.header, loader.rejects)


def _chosen_members(module: Module, contents: Contents, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the member id by column for what was chosen at the start."""
    fixed: dict[str, str] = {}
    for entity_type, name in chosen.items():
        for dimension in module.dimensions:
            members = contents.lists[dimension.list_id]
            if entity_type not in (dimension.label, members.name, members.id):
                continue
            member = members.find(name)
            if member is None:
                raise SourceError("failedToLocateEntity", f'Entity not found: {entity_type} "{name}"')
            fixed[dimension.label] = member.id
    return fixed


@dataclass(slots=True)
class _Loader:
    module: Module
    contents: Contents
    fixed: Mapping[str, str]
    decimal_separator: str
    adds: bool
    changes: dict[CellKey, Decimal] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    rejects: list[Reject] = field(default_factory=list)
    _known: dict[tuple[str, str], str | Finding] = field(default_factory=dict)

    def take(self, rows: Rows) -> None:
        """Load a part of the file."""
        for bad in rows.malformed:
            self.tally.failed += 1
            finding = Finding("columnSeparatorExpected", "Column separator expected")
            self.rejects.append(Reject(bad.line, Severity.ERROR, bad.values, (finding,)))
        asked = [dimension for dimension in self.module.dimensions if dimension.label not in self.fixed]
        columns = rows.columns([dim.label for dim in asked] + [item.name for item in self.module.line_items])
        for index, texts in enumerate(zip(*columns, strict=True)):
            members, values = texts[: len(asked)], texts[len(asked) :]
            if not any(values):
                self.tally.ignored += 1
                continue
            findings, loaded = self._load_row(asked, members, values)
            if not findings:
                self.tally.updated += 1
                continue
            self._count_bad(loaded)
            severity = Severity.WARNING if loaded else Severity.ERROR
            self.rejects.append(Reject(rows.lines[index], severity, rows.row(index), tuple(findings)))

    def reach(self, wholly: Collection[str]) -> list[frozenset[str] | None]:
        """Return by dimension the members that the file named, or None for those that are cleared wholly."""
        named: dict[str, set[str]] = {dim.label: set() for dim in self.module.dimensions}
        for (label, _), member in self._known.items():
            if isinstance(member, str):
                named[label].add(member)
        for label, member_id in self.fixed.items():
            named[label].add(member_id)
        return [None if label in wholly and found else frozenset(found) for label, found in named.items()]

    def _count_bad(self, loaded: bool) -> None:
        if loaded:
            self.tally.warned_updated += 1
        else:
            self.tally.failed += 1

    def _load_row(
        self, asked: list[Dimension], members: tuple[str, ...], values: tuple[str, ...]
    ) -> tuple[list[Finding], bool]:
        """Set the cells of a row; return what was wrong with it, and whether any cell was set."""
        found = [self._member(dimension, text) for dimension, text in zip(asked, members, strict=True)]
        findings = [member for member in found if isinstance(member, Finding)]
        numbers: dict[str, Decimal] = {}
        for item, text in zip(self.module.line_items, values, strict=True):
            number = parse_number(text.strip(), self.decimal_separator) if text else None
            if number is not None:
                numbers[item.id] = number
            elif text:
                findings.append(Finding("moduleImportNumberFormat", f'Invalid number: {item.name} "{text}"'))
        if any(isinstance(member, Finding) for member in found):
            return findings, False
        key = self._key(asked, [member for member in found if isinstance(member, str)])
        for item_id, number in numbers.items():
            cell = (item_id, *key)
            self.changes[cell] = self.changes.get(cell, ZERO) + number if self.adds else number
        return findings, bool(numbers)

    def _key(self, asked: list[Dimension], found: list[str]) -> CellKey:
        by_label = {dim.label: member for dim, member in zip(asked, found, strict=True)} | dict(self.fixed)
        return tuple(by_label[dimension.label] for dimension in self.module.dimensions)

    def _member(self, dimension: Dimension, text: str) -> str | Finding:
        """Return the id of the member that a text names, or what is wrong with it."""
        known = self._known.get((dimension.label, text))
        if known is None:
            known = _look_up(self.contents.lists[dimension.list_id], dimension, text.strip())
            self._known[dimension.label, text] = known
        return known


def _look_up(members: MemberList, dimension: Dimension, text: str) -> str | Finding:
    member = members.find(text)
    if member is not None and not members.is_parent(member):
        return member.id
    if member is not None:
        return Finding(
            "moduleImportInvalidListIdentifier", f'Cell is calculated: "{text}" is a parent in {members.name}'
        )
    if dimension.list_id == ids.TIME_DIMENSION:
        return Finding("moduleImportInvalidTimeEntityIdentifier", f'Item not found in calendar: "{text}"')
    return Finding("moduleImportInvalidListIdentifier", f'Item not found in list {members.name}: "{text}"')
