# SPDX-License-Identifier: Apache-2.0
"""As much of Anaplan as these tests need: tokens, files with chunks, and answers that a test lays down."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_mlconnector.systems.anaplan.access import Access
from airflow_provider_mlconnector.systems.anaplan.auth import BasicLogin, Login, fingerprint
from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
from airflow_provider_mlconnector.systems.anaplan.definitions import ModelRef
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalTokenStore
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.ports import TokenStore
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.unit.systems.http.scripted_server import FakeClock, Reply, Request, Server, as_json, serving

WORKSPACE, MODEL = "a" * 32, "B" * 32
REF = ModelRef(WORKSPACE, MODEL, "Finance", "FP&A Hub")
ROOT = f"/2/0/workspaces/{WORKSPACE}/models/{MODEL}"
FILE = "113000000001"
IMPORT = "112000000001"
TASKS = f"/imports/{IMPORT}/tasks"
TASK = TaskRef(workspace_id=WORKSPACE, model_id=MODEL, kind=ActionKind.IMPORT, action_id=IMPORT, task_id="T1")
DETAILS = f"/2/0/models/{MODEL}"
LIFE = 2100

Answer = Reply | Callable[[Request], Reply]


def listing(key: str, rows: list[Any], *, offset: int = 0, total: int | None = None) -> Reply:
    """Wrap rows as Anaplan does: an empty collection has no key."""
    paging = {"currentPageSize": len(rows), "totalSize": len(rows) if total is None else total, "offset": offset}
    body = {"meta": {"schema": "x", "paging": paging}, "status": {"code": 200, "message": "Success"}}
    return as_json({**body, key: rows} if rows else body)


def envelope(key: str, value: Any) -> Reply:
    return as_json({"meta": {"schema": "x"}, "status": {"code": 200, "message": "Success"}, key: value})


def error(status: int, message: str = "", **headers: str) -> Reply:
    return as_json({"status": {"code": status, "message": message}, "path": "/2/0/x"}, status, **headers)


class NoBudget:
    def take(self, key: str) -> float:
        return 0.0

    def pause(self, key: str, seconds: float) -> None:
        pass


@dataclass
class FakeAnaplan:
    """``answers`` come first, by method and a pattern for the whole path; a list is given out one by one."""

    clock: FakeClock
    answers: list[tuple[str, str, list[Answer]]] = field(default_factory=list)
    chunks: dict[str, bytes] = field(default_factory=dict)
    whole: bytes | None = None
    announced: list[int] = field(default_factory=list)
    completed: int = 0
    logins: int = 0
    refreshes: int = 0
    tokens: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, method: str, pattern: str, *answers: Answer) -> None:
        self.answers.append((method, pattern, list(answers)))

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            if request.path.startswith("/token"):
                return self._auth(request)
            answer = self._laid_down(request)
        if answer is None:
            answer = self._files
        return answer(request) if callable(answer) else answer

    def content(self) -> bytes:
        return b"".join(self.chunks[number] for number in sorted(self.chunks, key=int))

    def _laid_down(self, request: Request) -> Answer | None:
        for method, pattern, answers in self.answers:
            if method == request.method and re.fullmatch(pattern, request.path.removeprefix(ROOT)) and answers:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return None

    def _auth(self, request: Request) -> Reply:
        if request.path.endswith("authenticate"):
            self.logins += 1
            self.tokens.add(f"token-{self.logins}")
            return self._token(f"token-{self.logins}", 201)
        value = request.headers["authorization"].partition(" ")[2]
        if value not in self.tokens:
            return as_json({"status": "FAILURE_BAD_CREDENTIAL", "statusMessage": "Invalid token"}, 401)
        self.refreshes += 1
        return self._token(value, 200)

    def _token(self, value: str, status: int) -> Reply:
        ends = int((self.clock.now().timestamp() + LIFE) * 1000)
        return as_json({"status": "SUCCESS", "tokenInfo": {"tokenValue": value, "expiresAt": ends}}, status)

    def _files(self, request: Request) -> Reply:
        path = request.path.removeprefix(f"{ROOT}/files/{FILE}")
        chunk = re.fullmatch(r"/chunks/(\d+)", path)
        with self._lock:
            if request.method == "PUT" and chunk:
                self.chunks[chunk[1]] = request.content
                return Reply(204)
            if request.method == "PUT" and not path:
                self.whole = request.content
                return Reply(204)
            if request.method == "POST" and path == "/complete":
                self.completed += 1
                return envelope("file", {"id": FILE, "name": "f.csv"})
            if request.method == "POST" and not path:
                self.announced.append(request.json["chunkCount"])
                return envelope("file", {"id": FILE, "name": "f.csv", "chunkCount": request.json["chunkCount"]})
            if request.method == "GET" and path == "/chunks":
                return listing("chunks", [{"id": number, "name": f"Chunk {number}"} for number in self.chunks])
        return error(404, "Not Found")


@dataclass
class Setting:
    anaplan: FakeAnaplan
    server: Server
    client: AnaplanClient
    model: AnaplanModel
    clock: FakeClock


def hosts_of(server: Server) -> Hosts:
    return Hosts(f"{server.url}/2/0", server.url, server.url)


@contextmanager
def anaplan(*, read_timeout: float = 300.0, **options: Any) -> Iterator[Setting]:
    clock = FakeClock()
    fake = FakeAnaplan(clock)
    with serving(fake) as server:
        made = {"tokens": LocalTokenStore(clock), "budget": NoBudget(), **options}
        transport = Transport(clock=clock, read_timeout=read_timeout)
        client = AnaplanClient(hosts_of(server), BasicLogin("jane@example.com", "s3cret"), transport, **made)
        try:
            yield Setting(fake, server, client, client.model(REF), clock)
        finally:
            client.close()


def access(server: Server, login: Login, clock: FakeClock, tokens: TokenStore | None = None) -> Access:
    service = LoginService(hosts_of(server), Transport(clock=clock))
    return Access(login, service, tokens or LocalTokenStore(clock), fingerprint(hosts_of(server), login))
