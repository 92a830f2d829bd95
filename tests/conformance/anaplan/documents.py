# SPDX-License-Identifier: Apache-2.0
"""Exchanges checked against an OpenAPI document by openapi-core, and which of its operations they met."""

import re
from copy import deepcopy

import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError

IDS = re.compile(r"(?<=/)([0-9A-Fa-f]{32}|\d+)(?=/|$)")
METHODS = ("get", "post", "put", "delete")


def closed(node, is_schema=True):
    """Return a document whose objects allow no other fields than they name, so that an invented one shows."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: closed(value, key != "properties" or not is_schema) for key, value in node.items() if key != "example"}
    if is_schema and isinstance(made.get("properties"), dict) and made.get("type", "object") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _text(value, **parameters):
    """Return a body of text; openapi-core leaves CSV as bytes."""
    return value.decode()


class Document:
    """An OpenAPI document, served under ``base_url``; ``amend`` corrects what is wrong with it."""

    def __init__(self, raw, base_url, amend):
        raw = deepcopy(raw)
        amend(raw)
        self.operations = {
            (method.upper(), path) for path, item in raw["paths"].items() for method in METHODS if method in item
        }
        self._base_url = base_url
        self._patterns = [
            (method, path, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "/?"))
            for method, path in sorted(self.operations, key=lambda operation: operation[1].count("{"))
        ]
        served = closed(raw)
        served["servers"] = [{"url": base_url}]
        self._checker = OpenAPI.from_dict(served, config=Config(extra_media_type_deserializers={"text/csv": _text}))

    def template(self, request):
        """Return method and path of a request with its ids left out."""
        place = request.url.removeprefix(self._base_url).partition("?")[0]
        return f"{request.method} {IDS.sub('{id}', place)}"

    def operation(self, request):
        """Return method and path of the operation that a request met, or None."""
        place = request.url.removeprefix(self._base_url).partition("?")[0]
        for method, path, pattern in self._patterns:
            if method == request.method and pattern.fullmatch(place):
                return method, path
        return None

    def problems(self, response):
        """Return what is wrong with an exchange: with its request, then with its answer."""
        request = RequestsOpenAPIRequest(response.request)
        checks = (
            lambda: self._checker.validate_request(request),
            lambda: self._checker.validate_response(request, RequestsOpenAPIResponse(response)),
        )
        found = []
        for check in checks:
            try:
                check()
            except OpenAPIError as error:
                causes = [str(cause).splitlines()[0] for cause in getattr(error.__cause__, "schema_errors", ())]
                found.append("; ".join(causes) or f"{type(error).__name__}: {error}")
        return found


class Recorder(requests.Session):
    """A session that keeps every exchange."""

    def __init__(self):
        super().__init__()
        self.exchanges = []

    def send(self, request, **more):
        response = super().send(request, **more)
        self.exchanges.append(response)
        return response
