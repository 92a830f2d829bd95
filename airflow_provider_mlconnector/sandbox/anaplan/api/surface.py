# SPDX-License-Identifier: Apache-2.0
"""The API as a table of operations, and the routes made of it.

Most reads exist with and without the workspace in the path; every path is taken with and without a slash at its end.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ROOT, ApiError, Call, json_response, not_found
from airflow_provider_mlconnector.sandbox.anaplan.api.gates import (
    Busy,
    check_place,
    check_state,
    take_from_budget,
    user_of,
    wait_for_model,
)
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.site import Site

Handler = Callable[[Call], Response | Awaitable[Response]]

_IN_WORKSPACE = f"{ROOT}/workspaces/{{workspace_id}}/models/{{model_id}}"
_DIRECT = f"{ROOT}/models/{{model_id}}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, or two forms of it.

    :param is_slow: the handler computes for long and runs in a thread.
    :param is_streamed: the handler reads the body itself.
    :param in_any_state: answers whatever state the model is in.
    :param is_open_to_outsiders: answers a user without access to the model.
    """

    method: str
    paths: tuple[str, ...]
    handler: Handler
    busy: Busy = Busy.ANSWERS
    is_slow: bool = False
    is_streamed: bool = False
    in_any_state: bool = False
    is_open_to_outsiders: bool = False


def on_tenant(method: str, path: str, handler: Handler) -> Operation:
    """Return an operation on the tenant, outside any model."""
    return Operation(method, (ROOT + path,), handler, in_any_state=True, is_open_to_outsiders=True)


def on_model(
    method: str,
    path: str,
    handler: Handler,
    busy: Busy = Busy.ANSWERS,
    *,
    direct: bool = True,
    is_slow: bool = False,
    is_streamed: bool = False,
    in_any_state: bool = False,
    is_open_to_outsiders: bool = False,
) -> Operation:
    """Return an operation on the model; ``direct`` when it exists without the workspace too."""
    paths = (_IN_WORKSPACE + path, _DIRECT + path) if direct else (_IN_WORKSPACE + path,)
    return Operation(
        method,
        paths,
        handler,
        busy,
        is_slow=is_slow,
        is_streamed=is_streamed,
        in_any_state=in_any_state,
        is_open_to_outsiders=is_open_to_outsiders,
    )


def routes(site: Site, operations: Iterable[Operation]) -> list[Route]:
    """Return a route for each path, and one that answers 404 for all others under the root."""
    by_path: dict[str, dict[str, Operation]] = {_IN_WORKSPACE: {}}
    for operation in operations:
        for path in operation.paths:
            by_path.setdefault(path, {})[operation.method] = operation
    made = []
    for path, by_method in by_path.items():
        resource = Resource(site, by_method)
        made += [Route(path, resource), Route(path + "/", resource)]
    return [*made, Route(ROOT + "/{rest:path}", Resource(site, None))]


class Resource:
    """ASGI application of one path; without operations by method it is a path that does not exist."""

    def __init__(self, site: Site, by_method: Mapping[str, Operation] | None) -> None:
        self._site = site
        self._by_method = by_method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ApiError as error:
            response = self._error(request, error)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        user = user_of(self._site, request)
        take_from_budget(self._site)
        if self._by_method is None:
            raise not_found()
        operation = self._by_method.get(request.method)
        if operation is None:
            raise ApiError(405)
        check_place(self._site, user, request.path_params, is_open_to_outsiders=operation.is_open_to_outsiders)
        if not operation.in_any_state:
            check_state(self._site)
        return await self._handle(operation, request, user)

    async def _handle(self, operation: Operation, request: Request, user: User) -> Response:
        body = b"" if operation.is_streamed else await request.body()
        await wait_for_model(self._site, operation.busy)
        call = Call(self._site, request, user, body)
        if operation.is_slow:
            answer = await run_in_threadpool(operation.handler, call)
        else:
            answer = operation.handler(call)
        return await answer if inspect.isawaitable(answer) else answer

    def _error(self, request: Request, error: ApiError) -> Response:
        moment = self._site.clock.now().astimezone(UTC)
        body = {
            "status": {"code": error.status, "message": error.message},
            "path": request.url.path,
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z",
        }
        return json_response(body, error.status, error.headers)
