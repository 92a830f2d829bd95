# SPDX-License-Identifier: Apache-2.0
"""``$metadata``: which tables there are, with which columns, and which of them cannot be filtered."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_mlconnector.sandbox.odata.csdl import EntitySet, EntityType, document
from airflow_provider_mlconnector.sandbox.syspro.columns import TIME_STAMP
from airflow_provider_mlconnector.sandbox.syspro.site import Switches, TimeStamps
from airflow_provider_mlconnector.sandbox.syspro.tables import Table

_NAMESPACE = "SYSPRO"


def metadata_document(tables: Iterable[Table], switches: Switches) -> str:
    """Return the document as CSDL 4.0."""
    refused = set(switches.unfilterable)
    if switches.time_stamps is TimeStamps.SHOWN:
        refused.add(TIME_STAMP)
    return document(_NAMESPACE, (_entity_set(table, refused) for table in tables))


def _entity_set(table: Table, refused: set[str]) -> EntitySet:
    shown = {column.name: column.type for column in table.columns}
    kind = EntityType(table.name, table.key, shown, {})
    return EntitySet(table.name, kind, tuple(name for name in shown if name in refused))
