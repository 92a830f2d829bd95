# SPDX-License-Identifier: Apache-2.0
"""A model's lists and views by their names, as the pipeline asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mlconnector.systems.anaplan.definitions import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_mlconnector.systems.anaplan.definitions import Members
    from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel


class ModelReading:
    """Reads lists and views; a name may be an id, too."""

    def __init__(self, model: AnaplanModel) -> None:
        self._model = model

    def members(self, list_name: str) -> Members:
        """Return the members of a list.

        :raises UnknownNameError: when there is no such list.
        """
        return self._model.members(self._model.resolve(Kind.LIST, list_name).id)

    def view_cells(self, view_name: str, target: Path) -> Path:
        """Write a saved view as CSV.

        :raises UnknownNameError: when there is no such view.
        """
        return self._model.read_view(self._model.resolve(Kind.VIEW, view_name).id, target)
