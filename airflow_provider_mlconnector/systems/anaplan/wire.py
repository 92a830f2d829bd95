# SPDX-License-Identifier: Apache-2.0
"""Anaplan's dialect of HTTP: envelopes, pages, and what its status codes mean for a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    LostAnswerError,
    MlconnectorError,
    ModelBusyError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RemoteError,
    ServerError,
)
from airflow_provider_mlconnector.systems.http.failures import error_of_status, said_by
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import Timeout

if TYPE_CHECKING:
    import requests

PAGE_SIZE = 5000  # Anaplan's largest; it may give smaller pages than asked for

BUSY = {409: "busy", 423: "locked", 424: "offline"}
UNAVAILABLE = {422: ("archived", "Unarchive it in Anaplan."), 425: ("deployed", "Its structure cannot change.")}
NOT_OFFERED = frozenset({404, 405, 501})  # a server that lacks this call altogether
MOVED = 410  # Anaplan: repeat the request and it is routed to where the model is now

HINTS: dict[type[MlconnectorError], str] = {
    AuthenticationError: "Check the login in the connection; passwords expire, SSO users need to be Exception Users.",
    PermissionDeniedError: "The user's role in the model does not allow it.",
    NotFoundError: "It does not exist, or the user has no role in the model.",
}


def classify(response: requests.Response) -> MlconnectorError:
    """Turn an answer of the Integration API into an error.

    409, 423 and 424 mean that the model can be waited for; 422 and 425 that it cannot.
    """
    status, path = response.status_code, urlsplit(response.url).path
    said = said_by(response)[1]
    if status in BUSY:
        state = BUSY[status]
        return ModelBusyError(f"The model is {state}: {_answered(path, status, said)}", state=state)
    if status in UNAVAILABLE:
        state, hint = UNAVAILABLE[status]
        return ModelUnavailableError(f"The model is {state}: {_answered(path, status, said)}", hint=hint)
    if status == MOVED:
        return ServerError(f"{path} has moved.", status=status, path=path)
    error = error_of_status(response)
    error.hint = error.hint or HINTS.get(type(error), "")
    return error


def _answered(path: str, status: int, said: str) -> str:
    return f"{path} was answered {status}{': ' + said if said else ''}."


def is_not_offered(error: RemoteError) -> bool:
    """Whether the server lacks a call that one can do without."""
    return error.status in NOT_OFFERED


def json_of(response: requests.Response) -> Mapping[str, Any]:
    """Return the JSON object of an answer.

    :raises ProtocolError: when it is none.
    """
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        path = urlsplit(response.url).path
        raise ProtocolError(f"{path} was answered with something else than a JSON object.", path=path)
    return body


def paging_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the paging part of an envelope; empty where there is none, so that the answer is no collection."""
    meta = body.get("meta")
    paging = meta.get("paging") if isinstance(meta, Mapping) else None
    return paging if isinstance(paging, Mapping) else {}


def rows_of(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the rows of a page; Anaplan leaves the key of an empty collection out."""
    rows = body.get(key)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def object_of(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key, or the body itself where a server leaves the envelope out."""
    inner = body.get(key)
    return inner if isinstance(inner, Mapping) else body


def pages(session: HttpSession, path: str, **options: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of a collection, counting by the sizes that the server really gives.

    :param options: further options of the request.
    """
    query = options.pop("params", {})
    offset = 0
    while True:
        params = {**query, "limit": PAGE_SIZE, "offset": offset}
        body = json_of(session.request("GET", path, params=params, **options))
        yield body
        size, total = (paging_of(body).get(key) for key in ("currentPageSize", "totalSize"))
        if not isinstance(size, int) or not isinstance(total, int) or size <= 0:
            return
        offset += size
        if offset >= total:
            return


def collection(session: HttpSession, path: str, key: str, **options: Any) -> list[Mapping[str, Any]]:
    """Return all rows of a collection."""
    return [row for body in pages(session, path, **options) for row in rows_of(body, key)]


class ModelApi:
    """The requests to one model, and what its silence means.

    Tasks, dumps and the definitions of actions answer always. Everything else hangs while something changes the model,
    so that a read time-out there means busy, not a broken network (Anaplan help, endpoints of a busy model).
    """

    def __init__(self, session: HttpSession, workspace_id: str, model_id: str, clock: Clock) -> None:
        self.session = session
        self.clock = clock
        self._short = f"models/{model_id}"
        self._root = f"workspaces/{workspace_id}/models/{model_id}"

    def path(self, *parts: str | int) -> str:
        """Return the path of something in the model."""
        return "/".join((self._root, *map(str, parts)))

    def about(self, params: Mapping[str, Any], timeout: Timeout) -> Mapping[str, Any]:
        """Return the model's own object: it has no workspace form."""
        return object_of(self.read(self._short, params=params, timeout=timeout), "model")

    def answer(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Ask what always answers; return the JSON object."""
        return json_of(self.session.request(method, path, **options))

    def listed(self, path: str, key: str | None = None) -> list[Mapping[str, Any]]:
        """Return a collection that always answers; its key is its name unless given."""
        return collection(self.session, self.path(path), key or path)

    def read(self, path: str, **options: Any) -> Mapping[str, Any]:
        """Return a JSON object that a busy model holds back."""
        return json_of(self.send("GET", path, **options))

    def pages(self, path: str) -> list[Mapping[str, Any]]:
        """Return the pages of a collection that a busy model holds back, as they came."""
        with silence_means_busy():
            return list(pages(self.session, self.path(path), repeat_timeouts=False))

    def rows(self, path: str, key: str | None = None) -> list[Mapping[str, Any]]:
        """Return a collection that a busy model holds back; its key is its name unless given."""
        return [row for page in self.pages(path) for row in rows_of(page, key or path)]

    def save(self, path: str, sink: BinaryIO) -> int:
        """Stream the body of an answer that a busy model holds back to a file; return its bytes."""
        with silence_means_busy():
            return self.session.download(path, sink, repeat_timeouts=False)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send what a busy model holds back; a POST among these may take effect twice without harm."""
        with silence_means_busy():
            return self.session.request(method, path, idempotent=True, repeat_timeouts=False, **options)


@contextmanager
def silence_means_busy() -> Iterator[None]:
    """Turn a read time-out into what it says about the model.

    :raises ModelBusyError: with the state ``hanging``.
    """
    try:
        yield
    except LostAnswerError as exc:
        raise ModelBusyError(f"The model holds its answers back: {exc.message}", state="hanging") from exc
