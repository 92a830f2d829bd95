# SPDX-License-Identifier: Apache-2.0
"""The endpoint's own description (OpenAPI 3), made from the entities that are served."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_mlconnector.sandbox.acumatica.schema import ENTITIES, EntityType

_QUERY = ("select", "filter", "expand", "custom")
_VALUES: dict[str, dict[str, Any]] = {
    "String": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "Int": {"type": "integer", "format": "int32"},
    "Short": {"type": "integer", "format": "int32"},
    "Long": {"type": "integer", "format": "int64"},
    "Decimal": {"type": "number", "format": "double"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Guid": {"type": "string", "format": "uuid"},
}


def swagger(endpoint: str, version: str, contract: int, url: str) -> dict[str, Any]:
    """Return the description of an endpoint that is served under an address."""
    return {
        "openapi": "3.0.1",
        "info": {"title": f"{endpoint}/{version}", "version": str(contract)},
        "servers": [{"url": url}],
        "paths": {path: item for entity in ENTITIES.values() for path, item in _paths(entity).items()},
        "tags": [{"name": name, "description": entity.screen} for name, entity in sorted(ENTITIES.items())],
        "components": {"parameters": _parameters(), "responses": _responses(), "schemas": _schemas()},
    }


def _paths(entity: EntityType) -> dict[str, Any]:
    name = entity.name
    paths = {f"/{name}/{action}": {"post": _action(entity, action, action)} for action in entity.actions}
    custom = _action(entity, "CustomAction", f"{name}CustomAction") | {"parameters": [_parameter("actionName")]}
    paths[f"/{name}/{{actionName}}"] = {"post": custom}
    adhoc = _operation(entity, "GetAdHocSchema", ()) | {"responses": _with_body(name)}
    paths[f"/{name}/$adHocSchema"] = {"get": adhoc}
    for part, suffix in (("ids", "Keys"), ("id", "Id")):
        paths[f"/{name}/{{{part}}}"] = {
            "get": _operation(entity, f"GetBy{suffix}", (part, *_QUERY)) | {"responses": _with_body(name)},
            "delete": _operation(entity, f"DeleteBy{suffix}", (part,)) | {"responses": _failing("204")},
        }
    paths[f"/{name}/{{ids}}/files/{{filename}}"] = {
        "put": _operation(entity, "PutFile", ("ids", "filename")) | {"responses": _failing("204")}
    }
    writing = {"requestBody": _body(name, "entity"), "responses": _with_body(name)}
    paths[f"/{name}"] = {
        "get": _operation(entity, "GetList", (*_QUERY, "skip", "top")) | {"responses": _with_body(name, many=True)},
        "put": _operation(entity, "PutEntity", _QUERY) | writing,
        "patch": _operation(entity, "PatchEntity", _QUERY) | writing,
    }
    return paths


def _operation(entity: EntityType, operation: str, parameters: Iterable[str]) -> dict[str, Any]:
    return {
        "tags": [entity.name],
        "operationId": f"{entity.name}_{operation}",
        "parameters": [_parameter(name) for name in parameters],
    }


def _action(entity: EntityType, action: str, schema: str) -> dict[str, Any]:
    answers = {status: {"$ref": f"#/components/responses/InvokeAction_{status}"} for status in ("202", "204")}
    return {
        "tags": [entity.name],
        "operationId": f"{entity.name}_InvokeAction_{action}",
        "requestBody": _body(schema, "invocation"),
        "responses": answers | _failing(),
    }


def _parameter(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _body(schema: str, name: str) -> dict[str, Any]:
    content = {kind: {"schema": _schema(schema)} for kind in ("application/json", "text/json")}
    return {"content": content, "required": True, "x-bodyName": name}


def _with_body(name: str, *, many: bool = False) -> dict[str, Any]:
    schema = {"type": "array", "items": _schema(name)} if many else _schema(name)
    content = {kind: {"schema": schema} for kind in ("application/json", "text/json")}
    return {"200": {"description": "What was asked for.", "content": content}} | _failing()


def _failing(*done: str) -> dict[str, Any]:
    shared = {
        "401": "ContractBasedControllerBase_401",
        "409": "EntityController_409",
        "500": "ContractBasedControllerBase_500",
    }
    answers: dict[str, Any] = {
        status: {"$ref": f"#/components/responses/{response}"} for status, response in shared.items()
    }
    return answers | {status: {"description": "Done."} for status in done}


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameters() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    number = {"type": "integer", "format": "int32"}
    query = {name: {"name": f"${name}", "in": "query", "schema": text} for name in _QUERY}
    query |= {name: {"name": f"${name}", "in": "query", "schema": number} for name in ("skip", "top")}
    kinds = {"actionName": text, "ids": text, "filename": text, "id": {"type": "string", "format": "uuid"}}
    return query | {
        name: {"name": name, "in": "path", "required": True, "schema": schema} for name, schema in kinds.items()
    }


def _responses() -> dict[str, Any]:
    failed = {kind: {"schema": _schema("HttpError")} for kind in ("application/json", "text/json")}
    location = {"Location": {"schema": {"type": "string", "format": "uri"}}}
    busy = "A long operation is running for this screen in the current session. Please try again later."
    return {
        "ContractBasedControllerBase_401": {
            "description": "The user is not logged in to the system.",
            "content": failed,
        },
        "ContractBasedControllerBase_500": {"description": "Internal server error.", "content": failed},
        "EntityController_409": {"description": busy},
        "InvokeAction_202": {"description": "The operation is in progress.", "headers": location},
        "InvokeAction_204": {
            "description": "The operation that was initiated by the action is completed.",
            "headers": location,
        },
    }


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {"Entity": _entity_schema(), "HttpError": _error_schema(), "CustomField": _custom_field()}
    for kind, plain in _VALUES.items():
        value = {**plain, "nullable": True}
        schemas[f"{kind}Value"] = {
            "type": "object",
            "properties": {"value": value, "error": {"type": "string"}},
        }
    for entity in ENTITIES.values():
        _add_entity(schemas, entity)
        schemas[f"{entity.name}CustomAction"] = _action_schema(entity)
        schemas |= {action: _action_schema(entity) for action in entity.actions}
    return schemas


def _add_entity(schemas: dict[str, Any], entity: EntityType) -> None:
    properties: dict[str, Any] = {name: _schema(f"{kind}Value") for name, kind in entity.fields.items()}
    for name, inner in entity.details.items():
        properties[name] = {"type": "array", "items": _schema(inner.name)}
    properties |= {name: _schema(inner.name) for name, inner in entity.linked.items()}
    own = {"type": "object", "properties": dict(sorted(properties.items()))}
    schemas[entity.name] = {"allOf": [_schema("Entity"), own]}
    for inner in entity.nested.values():
        _add_entity(schemas, inner)


def _action_schema(entity: EntityType) -> dict[str, Any]:
    return {"required": ["entity"], "type": "object", "properties": {"entity": _schema(entity.name)}}


def _entity_schema() -> dict[str, Any]:
    custom = {"type": "object", "additionalProperties": _schema("CustomField")}
    properties = {
        "id": {"type": "string", "format": "uuid"},
        "rowNumber": {"type": "integer", "format": "int64"},
        "note": _schema("StringValue"),
        "custom": {"type": "object", "additionalProperties": custom},
        "error": {"type": "string"},
    }
    return {"type": "object", "properties": properties}


def _error_schema() -> dict[str, Any]:
    names = ("message", "exceptionMessage", "exceptionType", "stackTrace", "messageDetail")
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def _custom_field() -> dict[str, Any]:
    return {"required": ["type"], "type": "object", "properties": {"type": {"type": "string"}}}
