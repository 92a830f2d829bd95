# SPDX-License-Identifier: Apache-2.0
"""Import into a list: rows become members, matched by code, in the order of the file.

A parent must be known when its row is read. A blank parent puts the member at the top; an import without that column
leaves it where it is. A key that comes twice in the source fails the import as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import ListTarget
from airflow_provider_mlconnector.sandbox.anaplan.model.members import Member, MemberError, MemberList
from airflow_provider_mlconnector.sandbox.anaplan.work.results import Finding, Loaded, Reject, Severity, Tally
from airflow_provider_mlconnector.sandbox.anaplan.work.source import Rows, Source, SourceError


def load_list(target: ListTarget, source: Source, contents: Contents) -> Loaded:
    """Return what a file makes of a list.

    :raises SourceError: when the file cannot be imported at all.
    """
    source.require(target.columns)
    loader = _Loader(contents.lists[target.list_id].copy(), target)
    for rows in source.parts():
        loader.take(rows)
    return Loaded(contents.with_list(loader.members), loader.tally, source.header, loader.rejects)


@dataclass(slots=True)
class _Loader:
    members: MemberList
    target: ListTarget
    tally: Tally = field(default_factory=Tally)
    rejects: list[Reject] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    rejected_codes: set[str] = field(default_factory=set)

    def take(self, rows: Rows) -> None:
        """Load a part of the file."""
        for bad in rows.malformed:
            self._reject(bad.line, bad.values, Finding("columnSeparatorExpected", "Column separator expected"))
        for index, cells in enumerate(zip(*rows.columns(self.target.columns), strict=True)):
            texts = {column: text.strip() for column, text in zip(self.target.columns, cells, strict=True)}
            code = texts["Code"]
            if not any(texts.values()):
                self.tally.ignored += 1
                continue
            try:
                self._load(texts)
            except MemberError as error:
                self.rejected_codes.add(code)
                self._reject(rows.lines[index], rows.row(index), Finding(error.reason, str(error)))

    def _load(self, texts: Mapping[str, str]) -> None:
        code, name = texts["Code"], texts["Name"]
        if not code:
            raise MemberError("hierarchyImportEmptyKey", "Error parsing key - no values")
        if code in self.seen:
            raise SourceError("hierarchyImportDuplicateSourceKey", f"Duplicate properties in source data: {code}")
        self.seen.add(code)
        if not name:
            raise MemberError("hierarchyImportInvalidName", 'Invalid name: ""')
        properties = {column: texts[column] for column in self.target.properties}
        known = self.members.by_code(code)
        parent = self._parent(texts["Parent"]) if self.target.parent else self._parent_of(known)
        if known is None:
            self.members.add(name, code, parent, properties=properties)
        else:
            self.members.change(known, name=name, code=code, parent=parent, properties=properties)
            self.tally.renamed += self.members.called(known) != name
        self.tally.loaded(created=known is None)

    def _parent(self, text: str) -> Member | None:
        parent = self.members.find(text) if text else None
        if text and parent is None:
            if text in self.rejected_codes:
                raise MemberError("hierarchyImportFailedDependency", f'Has dependency on rejected row: "{text}"')
            raise MemberError("hierarchyImportInvalidParent", f'Invalid parent: "{text}"')
        return parent

    def _parent_of(self, member: Member | None) -> Member | None:
        return self.members.by_id(member.parent_id) if member is not None and member.parent_id else None

    def _reject(self, line: int, values: tuple[str, ...], finding: Finding) -> None:
        self.tally.failed += 1
        self.rejects.append(Reject(line, Severity.ERROR, values, (finding,)))
