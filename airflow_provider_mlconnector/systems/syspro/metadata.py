# SPDX-License-Identifier: Apache-2.0
"""What the service offers, by its ``$metadata``: tables, columns, and which of them can be filtered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ProtocolError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A table as it is offered: type by column, and the columns that no filter may name."""

    columns: Mapping[str, str]
    unfilterable: frozenset[str] = frozenset()

    def filters(self, *columns: str) -> bool:
        """Say whether these columns are there and can be filtered."""
        return all(name in self.columns and name not in self.unfilterable for name in columns)


def entity_sets(document: bytes) -> dict[str, EntitySet]:
    """Read the document.

    :raises ProtocolError: when it is none, or brings entities of its own.
    """
    from xml.etree import ElementTree

    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise ProtocolError("The service's $metadata defines entities of its own.", path="$metadata")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  # without a DOCTYPE there is nothing to expand
    except ElementTree.ParseError as exc:
        raise ProtocolError(f"The service's $metadata cannot be read: {exc}.", path="$metadata") from None
    types = {
        f"{schema.get('Namespace')}.{one.get('Name')}": {
            str(column.get("Name")): str(column.get("Type")) for column in one.iter(f"{_EDM}Property")
        }
        for schema in root.iter(f"{_EDM}Schema")
        for one in schema.iter(f"{_EDM}EntityType")
    }
    return {
        str(one.get("Name")): EntitySet(types.get(str(one.get("EntityType")), {}), frozenset(_unfilterable(one)))
        for one in root.iter(f"{_EDM}EntitySet")
    }


def _unfilterable(entity_set: Element) -> Iterator[str]:
    for value in entity_set.iter(f"{_EDM}PropertyValue"):
        if value.get("Property") == "NonFilterableProperties":
            yield from (path.text or "" for path in value.iter(f"{_EDM}PropertyPath"))
