# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server on loopback that answers as a test tells it, and a clock that does not wait."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.systems.http.transport import Transport


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def content(self) -> bytes:
        return gzip.decompress(self.body) if self.headers.get("content-type") == "application/x-gzip" else self.body


@dataclass(frozen=True)
class Reply:
    """``broken`` promises more bytes than it sends; ``silent`` reads the request and hangs up without an answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    silent: bool = False
    delay: threading.Event | None = None


def as_json(payload: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(payload).encode(), {"Content-Type": "application/json", **headers})


Script = Callable[[Request], Reply]


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up: tests make them do so."""


class Server:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *args: Any) -> None:
                pass

        self._http = _QuietServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def seen(self, method: str, ending: str = "") -> list[Request]:
        return [request for request in self.requests if request.method == method and request.path.endswith(ending)]

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(length)
        request = Request(handler.command, parts.path, parse_qs(parts.query), headers, body)
        with self._lock:
            self.requests.append(request)
        reply = self.script(request)
        if reply.delay:
            reply.delay.wait(5)
        if reply.silent:
            handler.close_connection = True
            return
        handler.send_response_only(reply.status)  # without a Date: the clock is a fake
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body) * (2 if reply.broken else 1)))
        handler.end_headers()
        handler.wfile.write(reply.body)
        handler.close_connection = reply.broken


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    server = Server(script)
    try:
        yield server
    finally:
        server.stop()


class FakeClock:
    """Sleeping moves it, nothing else; it remembers the waits."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._lock = threading.Lock()
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.waits.append(seconds)
            self._elapsed += seconds

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._elapsed += seconds


def in_turn(*replies: Reply) -> Script:
    """Answer with one reply after the other; the last one stays."""
    left = list(replies)
    lock = threading.Lock()

    def script(request: Request) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


NO_JITTER = RetryPolicy(uniform=lambda low, high: high)
SEEDED = RetryPolicy(uniform=random.Random(7).uniform)


def quick(clock: Clock | None = None, **options: Any) -> Transport:
    """Return a transport that waits without taking time, and always as long."""
    return Transport(clock=clock or FakeClock(), retry=NO_JITTER, **options)
