# SPDX-License-Identifier: Apache-2.0
"""Views of a module as tables and grids of text, and lists as tables.

A default view has the first dimension on rows, Time on columns and the rest on pages, and sums up parents. A saved view
has every dimension on rows and the line items on columns, leaves only, and leaves out rows of zeros, unless its builder
set no such filter.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.anaplan import ids
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import Dimension, View
from airflow_provider_mlconnector.sandbox.anaplan.model.members import Member, MemberList
from airflow_provider_mlconnector.sandbox.anaplan.switches import Shown

Row = tuple[str, ...]


class PageSelectorError(Exception):
    """A page selector names no dimension on pages, or no member of it; the text is the dimension's id."""


@dataclass(frozen=True, slots=True)
class Place:
    """A member on an axis, with the ids of the leaves that it sums up."""

    id: str
    label: str
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """A dimension of a view, or its line items, with the members in order."""

    id: str
    name: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a view has its dimensions."""

    rows: tuple[Axis, ...]
    columns: tuple[Axis, ...]
    pages: tuple[Axis, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return all axes."""
        return (*self.rows, *self.columns, *self.pages)


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one page; ``rows`` are coordinates and cells."""

    pages: Row
    columns: tuple[Row, ...]
    rows: tuple[tuple[Row, Row], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A view of some contents."""

    contents: Contents
    view: View
    shown: Shown = Shown.NAMES

    def layout(self) -> Layout:
        """Return where the view has its dimensions, and their members."""
        first, *middle, time = (self._axis(dimension) for dimension in self.view.module.dimensions)
        items = tuple(Place(item.id, item.name, (item.id,)) for item in self.view.module.line_items)
        line_items = Axis(ids.LINE_ITEMS_DIMENSION, "Line items", items)
        if self.view.is_saved:
            return Layout((first, *middle, time), (line_items,), ())
        return Layout((first,), (time,), (*middle, line_items))

    def cell_count(self) -> int:
        """Return how many cells the view shows."""
        if self.view.is_saved and not self.view.shows_zeros:
            return len(self.contents.rows(self.view.module)) * len(self.view.module.line_items)
        return math.prod(len(axis.places) for axis in self.layout().axes)

    def multi_column(self, version_id: str = "") -> Iterator[Row]:
        """Go through the view as a table: header first, a column for each dimension and each line item."""
        yield self._dimension_names() + tuple(item.name for item in self.view.module.line_items)
        for coordinates, values in self._tuples(version_id):
            yield coordinates + self._texts(values)

    def single_column(self) -> Iterator[Row]:
        """Go through the view as a table with one value in a row."""
        yield (*self._dimension_names(), "Line items", "Value")
        for coordinates, values in self._tuples():
            for item, value in zip(self.view.module.line_items, values, strict=True):
                yield (*coordinates, item.name, item.text(value))

    def grid(self, selected: Mapping[str, str]) -> Grid:
        """Return one page of the view.

        :param selected: id of the member for each dimension on pages that shall not show its first.
        :raises PageSelectorError: when such a dimension is not on pages or has no such member.
        """
        layout = self.layout()
        pages = _selected(layout.pages, selected)
        columns = list(itertools.product(*(axis.places for axis in layout.columns)))
        if self.view.is_saved:
            rows = tuple((key, self._texts(values)) for key, values in self._tuples())
        else:
            rows = tuple(
                (tuple(place.label for place in row), tuple(self._cell(layout, (*row, *at, *pages)) for at in columns))
                for row in itertools.product(*(axis.places for axis in layout.rows))
            )
        labels = tuple(tuple(place.label for place in column) for column in columns)
        return Grid(tuple(page.label for page in pages), labels, rows)

    def _dimension_names(self) -> Row:
        dimensions = self.view.module.dimensions
        if self.view.is_saved:
            return tuple(dimension.label for dimension in dimensions)
        return tuple(self.contents.lists[dimension.list_id].name for dimension in dimensions)

    def _axis(self, dimension: Dimension) -> Axis:
        members = self.contents.lists[dimension.list_id]
        shown = members.leaves() if self.view.is_saved else list(members)
        places = (
            Place(member.id, self._label(members, member), tuple(leaf.id for leaf in members.leaves_under(member)))
            for member in shown
        )
        return Axis(members.id, members.name, tuple(places))

    def _label(self, members: MemberList, member: Member) -> str:
        match self.shown:
            case Shown.NAMES:
                return member.name
            case Shown.CODES:
                return member.label
            case Shown.DISPLAY_NAMES:
                return members.called(member)

    def _tuples(self, version_id: str = "") -> Iterator[tuple[Row, list[Decimal]]]:
        """Go through the rows of a table: labels of the members, values of the line items."""
        module = self.view.module
        if self.view.is_saved and not self.view.shows_zeros:
            for key, held in self.contents.rows(module, version_id).items():
                values = [held.get(item.name, Decimal(0)) for item in module.line_items]
                if any(values):
                    pairs = zip(module.dimensions, self.contents.members(module, ("", *key)), strict=True)
                    lists = self.contents.lists
                    yield tuple(self._label(lists[dim.list_id], member) for dim, member in pairs), values
            return
        axes = [self._axis(dimension) for dimension in module.dimensions]
        for places in itertools.product(*(axis.places for axis in axes)):
            groups = [place.leaves for place in places]
            values = [self.contents.sum_over(module, item, groups) for item in module.line_items]
            yield tuple(place.label for place in places), values

    def _cell(self, layout: Layout, places: Sequence[Place]) -> str:
        """Return the cell where these places, in the order of the layout's axes, meet."""
        by_axis = {axis.id: place for axis, place in zip(layout.axes, places, strict=True)}
        item = self.view.module.line_item(by_axis[ids.LINE_ITEMS_DIMENSION].id)
        groups = [by_axis[dimension.list_id].leaves for dimension in self.view.module.dimensions]
        return item.text(self.contents.sum_over(self.view.module, item, groups)) if item else ""

    def _texts(self, values: Sequence[Decimal]) -> Row:
        items = self.view.module.line_items
        return tuple(item.text(value) for item, value in zip(items, values, strict=True))


def _selected(axes: Sequence[Axis], selected: Mapping[str, str]) -> list[Place]:
    unknown = selected.keys() - {axis.id for axis in axes}
    if unknown:
        raise PageSelectorError(min(unknown))
    chosen = []
    for axis in axes:
        wanted = selected.get(axis.id)
        place = next((place for place in axis.places if wanted in (None, place.id)), None)
        if place is None and wanted is not None:
            raise PageSelectorError(axis.id)
        chosen.append(place or Place("", "", ()))
    return chosen


def list_table(contents: Contents, members: MemberList) -> Iterator[tuple[str, ...]]:
    """Go through a list as a table: its name, Parent, Code, then its properties."""
    yield (members.name, "Parent", "Code", *members.properties)
    for member in members:
        parent = members.by_id(member.parent_id or "")
        properties = [member.properties.get(name, "") for name in members.properties]
        yield (member.name, parent.name if parent else "", member.code, *properties)
    records = contents.records.get(members.id)
    for batch in records.batches() if records else ():
        for key, *properties in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield (key, "", key, *properties)
