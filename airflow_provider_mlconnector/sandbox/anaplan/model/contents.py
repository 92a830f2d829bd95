# SPDX-License-Identifier: Apache-2.0
"""What a model holds. Contents are replaced as a whole, so that readers see one state and a rollback costs nothing."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import LineItem, Module
from airflow_provider_mlconnector.sandbox.anaplan.model.members import Member, MemberList
from airflow_provider_mlconnector.sandbox.anaplan.model.records import Records

CellKey = tuple[str, ...]
"""Id of the line item, then the ids of the members in the order of the module's dimensions."""

Cells = Mapping[CellKey, Decimal]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Contents:
    """Lists by list id, cells by module id (one that was never written is not there), records by list id."""

    lists: Mapping[str, MemberList]
    cells: Mapping[str, Cells]
    records: Mapping[str, Records]

    def list_named(self, name: str) -> MemberList | None:
        """Return a list by its name."""
        return next((members for members in self.lists.values() if members.name == name), None)

    def with_list(self, members: MemberList) -> Contents:
        """Return contents with one list replaced; cells of members that it lacks are gone."""
        before = self.lists[members.id]
        gone = {member.id for member in before if members.by_id(member.id) is None}
        cells = self.cells
        if gone:
            cells = {
                module_id: {key: value for key, value in held.items() if gone.isdisjoint(key)}
                for module_id, held in self.cells.items()
            }
        return replace(self, lists={**self.lists, members.id: members}, cells=cells)

    def with_cells(self, module: Module, changes: Cells) -> Contents:
        """Return contents with some cells of a module set."""
        return replace(self, cells={**self.cells, module.id: {**self.cells[module.id], **changes}})

    def without_cells(self, module: Module, reach: Sequence[frozenset[str] | None]) -> Contents:
        """Return contents without the cells whose members are all within reach.

        :param reach: for each dimension of the module the ids of members, or None for all of them.
        """
        kept = {
            key: value
            for key, value in self.cells[module.id].items()
            if any(ids is not None and member not in ids for member, ids in zip(key[1:], reach, strict=True))
        }
        return replace(self, cells={**self.cells, module.id: kept})

    def with_records(self, list_id: str, records: Records) -> Contents:
        """Return contents with the records of a flat list replaced."""
        return replace(self, records={**self.records, list_id: records})

    def members(self, module: Module, key: CellKey) -> list[Member]:
        """Return the members that a cell's key names."""
        found = []
        for dimension, member_id in zip(module.dimensions, key[1:], strict=True):
            member = self.lists[dimension.list_id].by_id(member_id)
            if member is None:
                raise KeyError(member_id)
            found.append(member)
        return found

    def rows(self, module: Module, version: str = "") -> dict[CellKey, dict[str, Decimal]]:
        """Return the cells as rows: values by line item for each combination of members, in the order of writing."""
        names = {item.id: item.name for item in module.line_items}
        rows: dict[CellKey, dict[str, Decimal]] = {}
        for key, value in self.cells[module.id].items():
            if not version or version in key:
                rows.setdefault(key[1:], {})[names[key[0]]] = value
        return rows

    def sum_over(self, module: Module, item: LineItem, groups: Sequence[Sequence[str]]) -> Decimal:
        """Return the sum of the cells that one leaf id of each group names, a group for each dimension."""
        held = self.cells[module.id]
        return sum((held.get((item.id, *key), ZERO) for key in itertools.product(*groups)), ZERO)
