# SPDX-License-Identifier: Apache-2.0
"""Cells that people set to say something, such as that a plan may go: read out of a saved view, compared as text."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_mlconnector.errors import UnknownNameError
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel

Place = Mapping[str, str]
"""Which line of a view: by dimension, the member."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One line item of one or more lines of a view, and what it says when it is set.

    :param view: saved view, by name or id.
    :param places: the lines.
    :param item: the line item.
    :param value: the text of a set cell, in upper or lower case; Anaplan writes booleans ``true`` and ``false``.
    """

    view: str
    places: tuple[Place, ...]
    item: str
    value: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls(data["view"], tuple(map(dict, data["places"])), data["item"], data["value"])

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {**asdict(self), "places": [dict(place) for place in self.places]}

    def unset(self, model: AnaplanModel) -> str:
        """Return a sentence about the cells that say something else in the model, "" when none does.

        :raises UnknownNameError: when the view, a line of it, or the line item is not there; lists what is.
        :raises ModelBusyError: when the model cannot be read now.
        """
        view = model.resolve(Kind.VIEW, self.view)
        with tempfile.TemporaryDirectory() as folder:
            texts = self.texts(model.read_view(view.id, Path(folder, "view.csv")))
        others = [
            f"{', '.join(place.values())}: {text or 'nothing'}"
            for place, text in zip(self.places, texts, strict=True)
            if text.casefold() != self.value.strip().casefold()
        ]
        return f"{self.item} of {self.view} is not yet {self.value}: {'; '.join(others)}." if others else ""

    def texts(self, view: Path) -> list[str]:
        """Return what each of the cells says, out of a view as CSV.

        :raises UnknownNameError: when a line or the line item is not there, or more than one line is meant.
        """
        with view.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.DictReader(stream)
            self._see_columns(lines.fieldnames or ())
            dimensions = {name for place in self.places for name in place}
            rows = [{name: row[name] or "" for name in (*dimensions, self.item)} for row in lines]
        return [self._cell(place, rows) for place in self.places]

    def _see_columns(self, columns: Iterable[str]) -> None:
        shown = list(columns)
        for name in (*(name for place in self.places for name in place), self.item):
            if name not in shown:
                raise UnknownNameError(f"The view {self.view} has no column {name!r}.", candidates=shown)

    def _cell(self, place: Place, rows: Iterable[Mapping[str, str]]) -> str:
        found = list(rows)
        for dimension, member in place.items():
            members = {row[dimension] for row in found}
            found = [row for row in found if row[dimension] == member]
            if not found:
                line = ", ".join(place.values())
                raise UnknownNameError(
                    f"The view {self.view} has no line of {line}: {dimension} is never {member!r}.",
                    candidates=sorted(members),
                    hint="A view that hides empty lines cannot be waited on.",
                )
        if len(found) != 1:
            where = ", ".join(place.values()) or "the whole view"
            raise UnknownNameError(
                f"The view {self.view} has {len(found)} lines of {where}.", hint="Say which, by all its dimensions."
            )
        return found[0][self.item].strip()
