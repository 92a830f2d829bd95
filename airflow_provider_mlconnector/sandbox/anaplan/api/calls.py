# SPDX-License-Identifier: Apache-2.0
"""One request to the Integration API and the shapes of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.anaplan.hub import Hub
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import Role, User
from airflow_provider_mlconnector.sandbox.anaplan.site import Site
from airflow_provider_mlconnector.sandbox.anaplan.switches import EmptyCollection, Switches

ROOT = "/2/0"
JSON = "application/json"
CSV = "text/csv"
OCTETS = "application/octet-stream"
_FUTURE = {"futureField": {"since": "3/0", "values": [1, None]}}


class ApiError(Exception):
    """The request is answered with an error."""

    def __init__(self, status: int, message: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message or _MESSAGES[status]
        self.headers = dict(headers or {})


_MESSAGES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    415: "Unsupported Media Type",
    422: "Model Archived",
    423: "Model Locked",
    424: "Model Offline",
    425: "Model Deployed",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


def not_found() -> ApiError:
    """Return the error for what is not there, or not for this user."""
    return ApiError(404)


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(body), status, headers, media_type=JSON)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in; ``body`` is empty for a streamed upload."""

    site: Site
    request: Request
    user: User
    body: bytes

    @property
    def hub(self) -> Hub:
        """Return the model."""
        return self.site.hub

    @property
    def switches(self) -> Switches:
        """Return the switches as they are set now."""
        return self.site.switches

    @property
    def root_url(self) -> str:
        """Return the API's root as the client reaches it."""
        return f"{self.request.url.scheme}://{self.request.url.netloc}{ROOT}"

    @property
    def is_admin(self) -> bool:
        """Say whether the user administers the workspace."""
        return self.user.role is Role.ADMIN

    def require_admin(self) -> None:
        """Check that the user administers the workspace."""
        if not self.is_admin:
            raise ApiError(403)

    def path(self, name: str) -> str:
        """Return an id from the path."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """Return a query parameter."""
        return self.request.query_params.get(name, default)

    def flag(self, name: str) -> bool:
        """Say whether a query parameter is true."""
        return self.query(name).lower() == "true"

    def accepts(self, media_type: str) -> bool:
        """Say whether the client asks for this media type."""
        return media_type in self.request.headers.get("accept", "")

    def json(self) -> Any:
        """Return the body."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise ApiError(400, "Malformed JSON request") from error

    def json_object(self) -> dict[str, Any]:
        """Return the body, an object; an empty body is an empty one."""
        body = self.json() if self.body.strip() else {}
        if not isinstance(body, dict):
            raise ApiError(400, "Malformed JSON request")
        return body

    def success(self, kind: str, **content: Any) -> Response:
        """Return the envelope around the content; ``kind`` names its schema."""
        return json_response(self._envelope(kind, {}, content))

    def listing(self, kind: str, key: str, items: Sequence[Mapping[str, Any]], *, whole: bool = False) -> Response:
        """Return a page of a collection, as ``limit`` and ``offset`` say; ``whole`` for no limit but the client's."""
        offset, limit = self._number("offset", 0, least=0), self._number("limit", 0, least=1)
        size = len(items) if whole and not limit else min(limit or self.switches.page_size, self.switches.page_size)
        page = [self._with_future(item) for item in items[offset : offset + size]]
        paging: dict[str, Any] = {"currentPageSize": len(page), "totalSize": len(items), "offset": offset}
        if offset + size < len(items):
            paging["next"] = self._page_url(offset + size, size)
        if offset:
            paging["previous"] = self._page_url(max(0, offset - size), size)
        drops_key = not page and self.switches.empty_collections is EmptyCollection.OMIT
        return json_response(self._envelope(kind, {"paging": paging}, {} if drops_key else {key: page}))

    def _envelope(self, kind: str, meta: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        model = self.request.path_params.get("model_id")
        schema = f"{self.root_url}/models/{model}/objects/{kind}" if model else f"{self.root_url}/objects/{kind}"
        body = {"meta": {**meta, "schema": schema}, "status": {"code": 200, "message": "Success"}, **content}
        return dict(self._with_future(body))

    def _with_future(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**item, **_FUTURE} if self.switches.extra_fields else item

    def _number(self, name: str, default: int, *, least: int) -> int:
        text = self.query(name)
        if not text:
            return default
        if not text.isdecimal() or int(text) < least:
            raise ApiError(400, f"Invalid value for '{name}'")
        return int(text)

    def _page_url(self, offset: int, limit: int) -> str:
        return str(self.request.url.include_query_params(limit=limit, offset=offset))


def sorted_strictly(call: Call, items: list[dict[str, Any]], fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """Sort a tenant's collection: each field needs its prefix and has to be one of those that can be sorted by.

    :param fields: key of the item by the name of the field.
    """
    for term in reversed([term for term in call.query("sort").split(",") if term]):
        if term[0] not in "+-":
            raise ApiError(400, f"Bad sort order format: {term}")
        if term[1:] not in fields:
            raise ApiError(400, f"Failed to parse sort parameter: {term}")
        items = sorted(items, key=partial(_text_of, fields[term[1:]]), reverse=term[0] == "-")
    return items


def sorted_leniently(call: Call, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort a model's collection: the prefix is optional and unknown fields are ignored."""
    term = call.query("sort").strip()
    return sorted(items, key=partial(_text_of, term.lstrip("+-")), reverse=term.startswith("-"))


def _text_of(key: str, item: Mapping[str, Any]) -> str:
    return str(item.get(key, ""))
