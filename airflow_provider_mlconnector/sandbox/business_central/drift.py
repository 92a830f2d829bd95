# SPDX-License-Identifier: Apache-2.0
"""An update of the server that changed its columns: fields gone, new, or of another type."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.business_central.sources import Source
from airflow_provider_mlconnector.sandbox.business_central.wire import encode_rows
from airflow_provider_mlconnector.sandbox.odata.options import Options
from airflow_provider_mlconnector.sandbox.odata.paging import Page


@dataclass(frozen=True, slots=True)
class Drift:
    """Which fields changed, in every entity set that has them.

    :param dropped: are not there any more.
    :param added: are new, and hold a text.
    :param as_text: hold text instead of what they held.
    """

    dropped: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    as_text: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.dropped or self.added or self.as_text)


@dataclass(frozen=True, slots=True)
class DriftedSource:
    """An entity set after the update."""

    source: Source
    drift: Drift

    @property
    def entity(self) -> str:
        """Return the name of the type."""
        return self.source.entity

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of all properties that are there now."""
        left = tuple(name for name in self.source.fields if name not in self.drift.dropped)
        return left + self.drift.added

    @property
    def navigations(self) -> tuple[str, ...]:
        """Return what can be expanded."""
        return self.source.navigations

    @property
    def is_query(self) -> bool:
        """Say whether this is an API query."""
        return self.source.is_query

    def page(self, options: Options, page_size: int) -> Page[Any]:
        """Return a page of rows."""
        return self.source.page(options, page_size)

    def count(self, options: Options) -> int:
        """Return how many rows the filter lets through."""
        return self.source.count(options)

    def find(self, key: str) -> Any:
        """Return the row with this id as a frame of one; of none when there is none."""
        return self.source.find(key)

    def encode(self, frame: Any, options: Options) -> bytes | memoryview:
        """Return rows as JSON objects, separated by commas."""
        names = options.select or self.fields
        known = tuple(name for name in names if name not in self.drift.added)
        written = bytes(self.source.encode(frame, replace(options, select=known)))
        rows = json.loads(b"[" + written + b"]", parse_float=Decimal, parse_int=Decimal)
        added = {name: "new" for name in names if name in self.drift.added}
        return encode_rows(self._changed(row) | added for row in rows)

    def _changed(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: str(value) if name in self.drift.as_text else value for name, value in row.items()}


def after_update(source: Source, drift: Drift) -> Source:
    """Return an entity set as it is after an update, or as it was when nothing changed."""
    return DriftedSource(source, drift) if drift else source
