# SPDX-License-Identifier: Apache-2.0
"""``$metadata``: which tables there are, with which columns, and which of them cannot be filtered."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from airflow_provider_mlconnector.sandbox.syspro.columns import TIME_STAMP
from airflow_provider_mlconnector.sandbox.syspro.site import Switches, TimeStamps
from airflow_provider_mlconnector.sandbox.syspro.tables import Table

_NAMESPACE = "SYSPRO"
_RESTRICTION = "Org.OData.Capabilities.V1.FilterRestrictions"


def metadata_document(tables: Iterable[Table], switches: Switches) -> str:
    """Return the document as CSDL 4.0."""
    shown = tuple(tables)
    types = "".join(_entity_type(table) for table in shown)
    refused = set(switches.unfilterable)
    if switches.time_stamps is TimeStamps.SHOWN:
        refused.add(TIME_STAMP)
    sets = "".join(_entity_set(table, refused) for table in shown)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{_NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}'
        f'<EntityContainer Name="Container">{sets}</EntityContainer></Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    )


def _entity_type(table: Table) -> str:
    keys = "".join(f"<PropertyRef Name={quoteattr(name)}/>" for name in table.key)
    properties = "".join(
        f"<Property Name={quoteattr(column.name)} Type={quoteattr(column.type)}/>" for column in table.columns
    )
    return f"<EntityType Name={quoteattr(table.name)}><Key>{keys}</Key>{properties}</EntityType>"


def _entity_set(table: Table, refused: set[str]) -> str:
    named = [column.name for column in table.columns if column.name in refused]
    paths = "".join(f"<PropertyPath>{name}</PropertyPath>" for name in named)
    record = f'<PropertyValue Property="NonFilterableProperties"><Collection>{paths}</Collection></PropertyValue>'
    note = f'<Annotation Term="{_RESTRICTION}"><Record>{record}</Record></Annotation>' if named else ""
    return f'<EntitySet Name={quoteattr(table.name)} EntityType="{_NAMESPACE}.{table.name}">{note}</EntitySet>'
