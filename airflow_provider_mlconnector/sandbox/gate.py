# SPDX-License-Identifier: Apache-2.0
"""The way every request takes into the sandbox: counted, then struck by a fault or let through.

Faults that break a connection need the connection itself, which ASGI does not hand out: :class:`TrackedProtocol` notes
the transport of each peer address, and the gate finds it by the address in the request's scope.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind, Hit
from airflow_provider_mlconnector.sandbox.state import World

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CONNECTION = "connection"
"""Key of a request's scope under which systems keep what they know of its connection, such as who logged in on it."""

LATE = "late"
"""Key of a request's scope that says that it was let in long before it is carried out, whoever logged off since."""

SLOW_PIECES = 10
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Connections:
    """Open connections by the client's address."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}
        self._memories: dict[tuple[str, int], dict[str, Any]] = {}

    def opened(self, transport: asyncio.Transport) -> tuple[str, int]:
        """Note a new connection and return the client's address."""
        host, port = transport.get_extra_info("peername")[:2]
        self._transports[host, port] = transport
        self._memories[host, port] = {}
        return host, port

    def closed(self, client: tuple[str, int]) -> None:
        """Forget a client's connection."""
        self._transports.pop(client, None)
        self._memories.pop(client, None)

    def of(self, scope: Scope) -> asyncio.Transport:
        """Return the connection that a request came by."""
        host, port = scope["client"]
        return self._transports[host, port]

    def memory(self, scope: Scope) -> dict[str, Any]:
        """Return what systems know of the connection that a request came by; it is forgotten with the connection."""
        host, port = scope["client"]
        return self._memories.get((host, port), {})

    def abort_all(self) -> None:
        """Drop every connection, whatever it is in the middle of."""
        for transport in list(self._transports.values()):
            transport.abort()


def tracked_protocol(connections: Connections) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol, telling ``connections`` of each connection."""

    class TrackedProtocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            self.peer = connections.opened(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self.peer)
            super().connection_lost(exc)

    return TrackedProtocol


HOSTS = {
    "login.microsoftonline.com": "/entra",
    "api.businesscentral.dynamics.com": "/business_central",
    "larkfield.operations.dynamics.com": "/dynamics_fo",
}
"""Vendors' own hosts whose paths are found below a prefix here; the paths of all other hosts stay as they are."""


def external_url(request: Request) -> str:
    """Return the URL, without its query, that the client asked for."""
    path = request.url.path.removeprefix(HOSTS.get(request.url.hostname or "", ""))
    return f"{request.url.scheme}://{request.url.netloc}{path}"


@dataclass(frozen=True, slots=True)
class Late:
    """A request whose client was left alone, and which is still to be carried out, at a moment of virtual time."""

    due: float
    scope: Scope
    body: bytes


@dataclass(frozen=True, slots=True)
class Gate:
    """ASGI middleware.

    :param systems: maps the first segment of a path to the system that answers it.
    :param late: requests still to be carried out: by the first one, of whatever kind, that arrives when they are due.
    """

    app: App
    world: World
    systems: Mapping[str, str]
    connections: Connections
    late: list[Late] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what belongs to no system (the control routes) passes untouched."""
        await self._catch_up()
        scope["path"] = HOSTS.get(_host(scope), "") + scope["path"]
        system = self.systems.get(scope["path"].split("/", 2)[1])
        if system is None:
            await self.app(scope, receive, send)
            return
        scope[CONNECTION] = self.connections.memory(scope)
        request = self.world.stats.arrive(system, scope["method"], scope["path"])

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                date = format_datetime(self.world.clock.now().replace(microsecond=0), usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        try:
            hit = self.world.faults.take(system, scope["method"], _target(scope))
            if hit is None:
                await self.app(scope, receive, counting_send)
            else:
                await self._strike(hit, scope, receive, counting_send)
        finally:
            self.world.stats.leave(request)

    async def _strike(self, hit: Hit, scope: Scope, receive: Receive, send: Send) -> None:
        fault = hit.fault
        body = await _read_body(receive)
        match fault.kind:
            case FaultKind.STATUS:
                await _answer(fault, send)
            case FaultKind.RESET:
                self._reset(scope)
                await _gone(receive)
            case FaultKind.LOST_ANSWER:
                await self.app(scope, _replay(body, receive), _swallow)
                self.connections.of(scope).abort()
                await _gone(receive)
            case FaultKind.LATE:
                self.late.append(Late(self.world.clock.timestamp() + fault.seconds, scope, body))
                self.connections.of(scope).abort()
                await _gone(receive)
            case FaultKind.DELAY | FaultKind.HANG:
                if await self._wait(hit, receive):
                    await self.app(scope, _replay(body, receive), send)
            case FaultKind.SLOW | FaultKind.HELD | FaultKind.TRUNCATE:
                await self._strike_answer(hit, scope, body, receive, send)

    async def _strike_answer(self, hit: Hit, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Let the system do its work, and then something happen to its answer."""
        start, content = await self._answer_of(scope, body, receive)
        match hit.fault.kind:
            case FaultKind.SLOW:
                await _send_slowly(start, content, hit.fault.seconds, send)
            case FaultKind.HELD:
                if await self._wait(hit, receive):
                    await send(start)
                    await send({"type": "http.response.body", "body": content})
            case FaultKind.TRUNCATE:
                await send(start)
                await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
                self.connections.of(scope).close()
                await _gone(receive)

    async def _catch_up(self) -> None:
        """Carry out the late requests that are due, in the order in which they arrived."""
        now = self.world.clock.timestamp()
        due = [late for late in self.late if late.due <= now]
        self.late[:] = [late for late in self.late if late.due > now]
        for late in due:
            await self.app({**late.scope, LATE: True}, _replay(late.body, _silence), _swallow)

    def _reset(self, scope: Scope) -> None:
        """Close the connection with RST instead of FIN."""
        transport = self.connections.of(scope)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()

    async def _wait(self, hit: Hit, receive: Receive) -> bool:
        """Wait as the fault says; False when the client went away meanwhile."""
        gone = asyncio.ensure_future(_gone(receive))
        deadline = asyncio.get_running_loop().time() + hit.fault.seconds
        try:
            while not gone.done() and self.world.faults.is_on(hit.fault_id):
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    break
                await asyncio.wait([gone], timeout=min(left, 0.02))
            return not gone.done()
        finally:
            gone.cancel()

    async def _answer_of(self, scope: Scope, body: bytes, receive: Receive) -> tuple[Message, bytes]:
        """Let the system answer, and return the answer's start and its whole body."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, _replay(body, receive), keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


def _host(scope: Scope) -> str:
    hosts = (value for name, value in scope["headers"] if name == b"host")
    return next(hosts, b"").decode("latin-1").partition(":")[0].lower()


def _target(scope: Scope) -> str:
    query = unquote(scope["query_string"].decode("latin-1").replace("+", " "))
    actions = (value.decode("latin-1").strip('"') for name, value in scope["headers"] if name == b"soapaction")
    operation = "".join(f"#{action.rpartition('/')[2]}" for action in actions)
    return f"{scope['path']}?{query}{operation}" if query else f"{scope['path']}{operation}"


async def _read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive that tells the body once more, then goes on as before."""
    told = False

    async def replayed() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _gone(receive: Receive) -> None:
    """Wait until the connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _silence() -> Message:
    """Say that the connection of a request is gone."""
    return {"type": "http.disconnect"}


async def _swallow(message: Message) -> None:
    """Send an answer nowhere."""


async def _answer(fault: Fault, send: Send) -> None:
    is_text = isinstance(fault.body, str)
    content = (fault.body if is_text else json.dumps(fault.body)).encode()
    headers = {"content-type": "text/plain" if is_text else "application/json"}
    headers |= {name.lower(): value for name, value in fault.headers.items()}
    headers["content-length"] = str(len(content))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": fault.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


async def _send_slowly(start: Message, content: bytes, seconds: float, send: Send) -> None:
    await send(start)
    step = max(1, -(-len(content) // SLOW_PIECES))
    for at in range(0, len(content), step):
        await asyncio.sleep(seconds / SLOW_PIECES)
        await send({"type": "http.response.body", "body": content[at : at + step], "more_body": True})
    await send({"type": "http.response.body", "body": b""})
