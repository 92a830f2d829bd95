# SPDX-License-Identifier: Apache-2.0
"""Running the sandbox: in a thread for tests, or as the whole process."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from airflow_provider_mlconnector.sandbox.app import SYSTEMS, create_app, describe_all
from airflow_provider_mlconnector.sandbox.gate import App, Connections, tracked_protocol
from airflow_provider_mlconnector.sandbox.state import World
from airflow_provider_mlconnector.sandbox.tls import LOOPBACK, TlsFiles, write_certificates

START_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: where it is, how to log in to each system, and its world for tests in the same process.

    :param ca_file: what a client has to trust when it is served over TLS, else empty.
    """

    url: str
    info: dict[str, dict[str, Any]]
    world: World
    ca_file: str = ""


class SandboxServer(uvicorn.Server):
    """uvicorn, but it drops open connections when it is told to stop, so that it stops at once."""

    def __init__(self, app: App, connections: Connections, tls: TlsFiles | None = None) -> None:
        self.connections = connections
        self.scheme = "https" if tls else "http"
        config = uvicorn.Config(
            app,
            http=tracked_protocol(connections),
            ws="none",
            lifespan="off",
            log_level="critical",
            proxy_headers=False,
            server_header=False,
            date_header=False,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        super().__init__(config)

    def url_of(self, listener: socket.socket) -> str:
        """Return the base URL under which the server is reached by a listener."""
        return f"{self.scheme}://{LOOPBACK}:{listener.getsockname()[1]}"

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, drop every connection and whatever is still being answered; no second chances."""
        for server in self.servers:
            server.close()
        self.connections.abort_all()
        for task in self.server_state.tasks:
            task.cancel()


def sandbox_server(world: World, systems: Sequence[str], tls: TlsFiles | None = None) -> SandboxServer:
    """Return a server of these systems over one world."""
    connections = Connections()
    return SandboxServer(create_app(world, systems, connections), connections, tls)


def listen(port: int = 0) -> socket.socket:
    """Return a socket bound to a loopback port; 0 for a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    return listener


@contextmanager
def serve(
    systems: Sequence[str] = SYSTEMS,
    *,
    scale: float = 1.0,
    seed: int = 1,
    world: World | None = None,
    tls: bool = False,
) -> Iterator[Sandbox]:
    """Serve systems from a thread while the block runs, on a free loopback port."""
    world = world or World.create(seed=seed, scale=scale)
    with tempfile.TemporaryDirectory(prefix="sandbox-tls-") as folder:
        files = write_certificates(Path(folder)) if tls else None
        with in_thread(sandbox_server(world, systems, files)) as url:
            yield Sandbox(url, describe_all(world, systems, url), world, str(files.ca) if files else "")


@contextmanager
def in_thread(server: SandboxServer) -> Iterator[str]:
    """Run a server in a thread while the block runs, and yield its base URL."""
    listener = listen()
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    try:
        _await_start(server, thread)
        yield server.url_of(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _await_start(server: SandboxServer, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.005)
