# SPDX-License-Identifier: Apache-2.0
"""``$metadata``: what an OData v4 service says of its sets, their keys, properties and enums, as CSDL 4.0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import quoteattr

_RESTRICTION = "Org.OData.Capabilities.V1.FilterRestrictions"


class Edm(StrEnum):
    """The primitive types that the servers here have."""

    TEXT = "Edm.String"
    GUID = "Edm.Guid"
    BOOLEAN = "Edm.Boolean"
    INT32 = "Edm.Int32"
    INT64 = "Edm.Int64"
    DECIMAL = "Edm.Decimal"
    DATE = "Edm.Date"
    TIME = "Edm.DateTimeOffset"
    BINARY = "Edm.Binary"


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of entities.

    :param properties: the type of each property, in order of the wire: a primitive one, or the name of an enum.
    :param navigations: the type of the entities behind each navigation, many of them.
    """

    name: str
    key: tuple[str, ...]
    properties: Mapping[str, str]
    navigations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A set of entities of one type; ``unfilterable`` are the properties that no filter may name."""

    name: str
    type: EntityType
    unfilterable: tuple[str, ...] = ()


def document(namespace: str, sets: Iterable[EntitySet], enums: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the document of a service; sets of one type name it alike.

    :param enums: the members of each enum, in order of their numbers.
    """
    shown, known = tuple(sets), enums or {}
    types = {one.type.name: one.type for one in shown}
    schema = [
        *(_enum_type(name, members) for name, members in known.items()),
        *(_entity_type(namespace, one, known) for one in types.values()),
        f'<EntityContainer Name="Container">{"".join(_entity_set(namespace, one) for one in shown)}</EntityContainer>',
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{namespace}" xmlns="http://docs.oasis-open.org/odata/ns/edm">{"".join(schema)}</Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    )


def _enum_type(name: str, members: Sequence[str]) -> str:
    listed = "".join(f'<Member Name={quoteattr(member)} Value="{number}"/>' for number, member in enumerate(members))
    return f"<EnumType Name={quoteattr(name)}>{listed}</EnumType>"


def _entity_type(namespace: str, one: EntityType, enums: Mapping[str, Sequence[str]]) -> str:
    keys = "".join(f"<PropertyRef Name={quoteattr(name)}/>" for name in one.key)
    properties = "".join(_property(namespace, *named, enums) for named in one.properties.items())
    navigations = "".join(
        f'<NavigationProperty Name={quoteattr(name)} Type="Collection({namespace}.{kind})"/>'
        for name, kind in one.navigations.items()
    )
    return f"<EntityType Name={quoteattr(one.name)}><Key>{keys}</Key>{properties}{navigations}</EntityType>"


def _property(namespace: str, name: str, kind: str, enums: Mapping[str, Sequence[str]]) -> str:
    scale = ' Scale="variable"' if kind == Edm.DECIMAL else ""
    full = f"{namespace}.{kind}" if kind in enums else kind
    return f"<Property Name={quoteattr(name)} Type={quoteattr(full)}{scale}/>"


def _entity_set(namespace: str, one: EntitySet) -> str:
    paths = "".join(f"<PropertyPath>{name}</PropertyPath>" for name in one.unfilterable)
    record = f'<PropertyValue Property="NonFilterableProperties"><Collection>{paths}</Collection></PropertyValue>'
    note = f'<Annotation Term="{_RESTRICTION}"><Record>{record}</Record></Annotation>' if paths else ""
    return f'<EntitySet Name={quoteattr(one.name)} EntityType="{namespace}.{one.type.name}">{note}</EntitySet>'
