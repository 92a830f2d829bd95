# SPDX-License-Identifier: Apache-2.0
"""SOAP 1.1 as XmlSerializer reads and writes it: members in order, ``xsi:type`` for what extends, ``xsi:nil`` for null.

Objects are mappings by the names of the description; ``TYPE`` in one says that it is of an extended type.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from airflow_provider_mlconnector.sandbox.dynamics_gp.description import (
    BASE,
    GP,
    OPERATIONS,
    TYPES,
    Member,
    is_a,
    members_of,
    parameters_of,
    result_of,
)

TYPE = "#type"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES = {GP: "", BASE: "d:"}
_NIL = f"{{{_XSI}}}nil"
_XSI_TYPE = f"{{{_XSI}}}type"

Record = Mapping[str, Any]


class Fault(Exception):
    """A SOAP fault; ``errors`` are the sentences that the exception log keeps of a validation."""

    def __init__(self, text: str, *, errors: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.errors = tuple(errors)
        self.log_id = str(uuid.uuid4())

    def body(self) -> str:
        """Return the envelope, whose detail holds the id of the log's entry."""
        kind = "ValidationException" if self.errors else "SystemException"
        detail = f"<detail><{kind} xmlns={_quoted(GP)}>{self.log_id}</{kind}></detail>"
        fault = f"<faultcode>s:Client</faultcode><faultstring>{escape(self.text)}</faultstring>{detail}"
        return _envelope(f"<s:Fault>{fault}</s:Fault>")


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked: an operation, its parameter, the context, and the policy where it takes one."""

    operation: str
    parameter: Any
    context: dict[str, Any]
    policy: dict[str, Any]


def read_call(body: bytes) -> Call:
    """Read a request.

    :raises Fault: for what is no call of an operation, or not written as the description says.
    """
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except etree.XMLSyntaxError as error:
        raise Fault(f"The request is no XML: {error}") from error
    operation = root.find(f"{{{ENVELOPE}}}Body/*")
    name = "" if operation is None else etree.QName(operation).localname
    if operation is None or name not in OPERATIONS or etree.QName(operation).namespace != GP:
        raise Fault(f"The server does not recognize the operation '{name}'.")
    asked = parameters_of(name)
    found = _read_members(operation, asked)
    return Call(name, found.get(asked[0].name), found.get("context") or {}, found.get("policy") or {})


def answer(operation: str, value: Any) -> str:
    """Return the envelope of an answer; None gives an empty one."""
    result = result_of(operation)
    inner = "" if result is None or value is None else write(result, value)
    return _envelope(f"<{operation}Response xmlns={_quoted(GP)}>{inner}</{operation}Response>")


def write(member: Member, value: Any) -> str:
    """Return the element of a member, or of each of many."""
    if member.many:
        return "".join(_element(member, one) for one in value)
    return _element(member, value)


def _element(member: Member, value: Any) -> str:
    tag = _PREFIXES[member.space] + member.name
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if member.type not in TYPES:
        return f"<{tag}>{_text(value)}</{tag}>"
    own = value.get(TYPE, member.type) if isinstance(value, Mapping) else member.type
    attribute = "" if own == member.type else f' xsi:type="{own if ":" in own else f"tns:{own}"}"'
    return f"<{tag}{attribute}>{_members(own, value)}</{tag}>"


def _members(type_name: str, value: Any) -> str:
    members = members_of(type_name)
    if len(members) == 1 and members[0].many:
        return write(members[0], value)
    return "".join(
        write(member, value.get(member.name))
        for member in members
        if value.get(member.name) is not None or not member.optional
    )


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.replace(tzinfo=None).isoformat(timespec="milliseconds")
        case date():
            return f"{value}T00:00:00"
        case Decimal():
            return f"{value:f}"
        case _:
            return escape(str(value))


def _read_members(element: Any, members: Sequence[Member]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    given = list(element)
    for member in members:
        tag = f"{{{member.space}}}{member.name}"
        values = []
        while given and given[0].tag == tag:
            values.append(_read(given.pop(0), member))
        if not values and not member.optional:
            raise Fault(f"The element '{member.name}' of '{etree.QName(element).localname}' is missing.")
        if values:
            found[member.name] = values if member.many else values[0]
    if given:
        raise Fault(f"The element '{given[0].tag}' was not expected here.")
    return found


def _read(element: Any, member: Member) -> Any:
    if element.get(_NIL) in ("true", "1"):
        return None
    if member.type not in TYPES:
        return element.text or ""
    name = _type_of(element, member)
    if TYPES[name].abstract:
        raise Fault(f"The specified type is abstract: name='{name}', namespace='{GP}', at {etree.QName(element)}.")
    members = members_of(name)
    read = _read_members(element, members)
    return read.get(members[0].name, []) if len(members) == 1 and members[0].many else {TYPE: name, **read}


def _type_of(element: Any, member: Member) -> str:
    given = element.get(_XSI_TYPE)
    if given is None:
        return member.type
    prefix, _, local = given.rpartition(":")
    space = element.nsmap.get(prefix or None)
    name = f"d:{local}" if space == BASE else local
    if name not in TYPES or not is_a(name, member.type):
        raise Fault(f"The specified type was not recognized: name='{local}', namespace='{space}'.")
    return name


def _quoted(space: str) -> str:
    return f'"{space}"'


def _envelope(body: str) -> str:
    spaces = f'xmlns:s="{ENVELOPE}" xmlns:xsi="{_XSI}" xmlns:tns="{GP}" xmlns:d="{BASE}"'
    return f'<?xml version="1.0" encoding="utf-8"?><s:Envelope {spaces}><s:Body>{body}</s:Body></s:Envelope>'
