# SPDX-License-Identifier: Apache-2.0
"""The description as ``?wsdl`` gives it: SOAP 1.1, document/literal wrapped, with the installation's host in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from xml.sax.saxutils import quoteattr

from airflow_provider_mlconnector.sandbox.dynamics_gp.description import (
    BASE,
    ENUMS,
    GP,
    GUID,
    NAMESPACES,
    OPERATIONS,
    SECURITY,
    TYPES,
    ComplexType,
    Member,
    parameters_of,
    result_of,
)

_IMPORTS = {GP: (BASE, GUID, SECURITY), BASE: (SECURITY,), SECURITY: (BASE, GUID), GUID: ()}
_GUID = '<xs:simpleType name="guid"><xs:restriction base="xs:string"/></xs:simpleType>'
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"


def wsdl(address: str, operations: Collection[str] = tuple(OPERATIONS)) -> str:
    """Return the description of a service at an address."""
    spaces = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in NAMESPACES.items())
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n',
        f'<wsdl:definitions name="DynamicsGP" targetNamespace={quoteattr(GP)}{spaces} xmlns:soap="{_SOAP}"',
        ' xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">\n<wsdl:types>\n',
        *(_schema(space, operations) for space in _IMPORTS),
        "</wsdl:types>\n",
        *(_messages(operation) for operation in operations),
        '<wsdl:portType name="DynamicsGP">\n',
        *(_port(operation) for operation in operations),
        '</wsdl:portType>\n<wsdl:binding name="LegacyDynamicsGP" type="tns:DynamicsGP">\n',
        '<soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>\n',
        *(_binding(operation) for operation in operations),
        '</wsdl:binding>\n<wsdl:service name="DynamicsGP"><wsdl:port name="LegacyDynamicsGP"',
        f' binding="tns:LegacyDynamicsGP"><soap:address location={quoteattr(address)}/></wsdl:port></wsdl:service>\n',
        "</wsdl:definitions>\n",
    ]
    return "".join(parts)


def _schema(space: str, operations: Collection[str]) -> str:
    prefix = {uri: prefix for prefix, uri in NAMESPACES.items()}[space]
    body: list[str] = [f'<xs:import namespace="{other}"/>\n' for other in _IMPORTS[space]]
    if space == GUID:
        body.append(_GUID)
    body += [_complex_type(type_) for name, type_ in TYPES.items() if _prefix(name) == prefix]
    body += [_enum(name) for name in ENUMS if _prefix(name) == prefix]
    if space == GP:
        body += [element for operation in operations for element in _elements(operation)]
    return f'<xs:schema elementFormDefault="qualified" targetNamespace="{space}">\n{"".join(body)}</xs:schema>\n'


def _prefix(name: str) -> str:
    return name.rpartition(":")[0] or "tns"


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _reference(name: str) -> str:
    return name if ":" in name else f"tns:{name}"


def _complex_type(type_: ComplexType) -> str:
    abstract = ' abstract="true"' if type_.abstract else ""
    content = f"<xs:sequence>{''.join(_member(member) for member in type_.members)}</xs:sequence>"
    if type_.base:
        extension = f'<xs:extension base="{_reference(type_.base)}">{content}</xs:extension>'
        content = f"<xs:complexContent>{extension}</xs:complexContent>"
    return f'<xs:complexType name="{_local(type_.name)}"{abstract}>{content}</xs:complexType>\n'


def _member(member: Member) -> str:
    least = 0 if member.optional else 1
    most = "unbounded" if member.many else "1"
    nil = ' nillable="true"' if member.nillable or member.many else ""
    return (
        f'<xs:element minOccurs="{least}" maxOccurs="{most}" name="{member.name}"{nil}'
        f' type="{_reference(member.type)}"/>'
    )


def _enum(name: str) -> str:
    values = "".join(f'<xs:enumeration value="{value}"/>' for value in ENUMS[name])
    restriction = f'<xs:restriction base="xs:string">{values}</xs:restriction>'
    return f'<xs:simpleType name="{_local(name)}">{restriction}</xs:simpleType>\n'


def _elements(operation: str) -> Iterator[str]:
    result = result_of(operation)
    given = (result,) if result else ()
    for name, members in ((operation, parameters_of(operation)), (f"{operation}Response", given)):
        inner = "".join(_member(member) for member in members)
        yield (
            f'<xs:element name="{name}"><xs:complexType><xs:sequence>{inner}</xs:sequence></xs:complexType>'
            "</xs:element>\n"
        )


def _messages(operation: str) -> str:
    return "".join(
        f'<wsdl:message name="{operation}{way}"><wsdl:part name="parameters" element="tns:{operation}{suffix}"/>'
        "</wsdl:message>\n"
        for way, suffix in (("In", ""), ("Out", "Response"))
    )


def _port(operation: str) -> str:
    return (
        f'<wsdl:operation name="{operation}"><wsdl:input message="tns:{operation}In"/>'
        f'<wsdl:output message="tns:{operation}Out"/></wsdl:operation>\n'
    )


def _binding(operation: str) -> str:
    literal = '<soap:body use="literal"/>'
    return (
        f'<wsdl:operation name="{operation}"><soap:operation soapAction="{GP}/{operation}" style="document"/>'
        f"<wsdl:input>{literal}</wsdl:input><wsdl:output>{literal}</wsdl:output></wsdl:operation>\n"
    )
