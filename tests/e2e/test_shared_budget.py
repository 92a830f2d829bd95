# SPDX-License-Identifier: Apache-2.0
"""Many processes are one user of Anaplan: one login, one budget of requests, by the sandbox's own count.

In real time, for about a minute: the point of a sliding minute is that it passes. Both databases go through it at once.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from airflow_provider_mlconnector.demo.sandbox import connections, sandbox_process
from airflow_provider_mlconnector.trail.schema import vault
from airflow_provider_mlconnector.trail.store import Trail
from tests.sandbox_control import SandboxControl

ROOT = Path(__file__).parents[2]
DATABASES = ("sqlite", "postgres")
PER_MINUTE, RESERVE = 600, 60
PROCESSES, REQUESTS = 8, 700
LATECOMERS = 20
LOGIN, PING = "POST /token/authenticate", "GET /2/0/users/me"


@dataclass
class Deployment:
    """A tenant of Anaplan, and workers that share a trail."""

    sandbox: SandboxControl
    crowd: subprocess.Popen[str]
    trail_url: str

    def send(self, processes: int, requests: int) -> None:
        """Let processes make requests; ``answer`` waits for them."""
        self.crowd.stdin.write(f"{processes} {requests}\n")
        self.crowd.stdin.flush()

    def answer(self) -> list[dict]:
        """Return what each process tells."""
        line = self.crowd.stdout.readline()
        assert line, "the crowd broke off"
        return json.loads(line)

    def counted(self) -> dict:
        """Return the sandbox's own counts."""
        return self.sandbox.call("GET", "/stats")["anaplan"]

    def let_token_expire(self) -> None:
        """Put the end of the stored token's life into the past."""
        trail = Trail(self.trail_url)
        with trail.engine.begin() as connection:
            connection.execute(vault.update().values(expires_at=datetime.now(UTC) - timedelta(minutes=1)))
        trail.close()


@contextmanager
def crowd_process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.e2e.crowd"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as crowd:
        try:
            yield crowd
        finally:
            crowd.terminate()


def environment(home: Path, info: dict, trail_url: str) -> dict[str, str]:
    """Return what makes any process a worker of one deployment: keys, the connection, where the trail is."""
    kind, _, rest = trail_url.partition("://")
    trail = {"conn_type": "sqlite", "host": rest.removeprefix("/")}
    if kind != "sqlite":
        login, _, place = rest.partition("@")
        server, _, database = place.partition("/")
        trail = {
            "conn_type": "mlconnector_trail",
            **dict(zip(("login", "password"), login.split(":"), strict=True)),
            **dict(zip(("host", "port"), server.split(":"), strict=True)),
            "schema": database,
        }
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return plain | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS": info["url"],
        "AIRFLOW__MLCONNECTOR__REQUESTS_PER_MINUTE": str(PER_MINUTE),
        "AIRFLOW__MLCONNECTOR__RESERVE": str(RESERVE),
        "AIRFLOW_CONN_ANAPLAN_DEFAULT": json.dumps(connections(info)["anaplan_default"]),
        "AIRFLOW_CONN_MLCONNECTOR_TRAIL": json.dumps(trail),
    }


@pytest.fixture(scope="module")
def deployments(tmp_path_factory, postgres_server):
    home = tmp_path_factory.mktemp("crowds")
    urls = {"sqlite": f"sqlite:///{home / 'trail.db'}", "postgres": postgres_server.new_database()}
    with ExitStack() as stack:
        made = {}
        for database in DATABASES:
            trail = Trail(urls[database])
            trail.upgrade()
            trail.close()
            info = stack.enter_context(sandbox_process(["anaplan"]))
            sandbox = SandboxControl(info)
            sandbox.switches(rate_limit=PER_MINUTE)
            crowd = stack.enter_context(crowd_process(environment(home, info, urls[database])))
            made[database] = Deployment(sandbox, crowd, urls[database])
        yield made


@dataclass
class Seen:
    """What a crowd told, and what the sandbox counted meanwhile."""

    workers: list[dict]
    counted: dict

    @property
    def answered(self) -> int:
        return sum(worker["answered"] for worker in self.workers)


def seen(deployments: dict[str, Deployment], processes: int, requests: int) -> dict[str, Seen]:
    """Let a crowd work on each deployment, all at once."""
    for deployment in deployments.values():
        deployment.sandbox.call("DELETE", "/stats")
        deployment.send(processes, requests)
    return {database: Seen(one.answer(), one.counted()) for database, one in deployments.items()}


@pytest.fixture(scope="module")
def busy(deployments):
    """Eight processes, of which none has ever logged in, want more than a minute allows."""
    return seen(deployments, PROCESSES, REQUESTS)


@pytest.fixture(scope="module")
def late(deployments, busy):
    """Twenty processes come when the token in the vault is over."""
    for deployment in deployments.values():
        deployment.let_token_expire()
    return seen(deployments, LATECOMERS, LATECOMERS)


@pytest.fixture(scope="module")
def refused(deployments, late):
    """Twenty processes take a token from the vault that the server has ended before its time."""
    for deployment in deployments.values():
        deployment.sandbox.call("DELETE", "/anaplan/tokens")
    return seen(deployments, LATECOMERS, LATECOMERS)


@pytest.mark.parametrize("database", DATABASES)
def test_eight_processes_stay_within_the_minute_with_one_login_and_lose_no_request(busy, database):
    crowd = busy[database]
    assert [worker["refusals"] for worker in crowd.workers] == [[]] * PROCESSES
    assert crowd.answered == REQUESTS
    assert crowd.counted["by_path"] == {LOGIN: 1, PING: REQUESTS}
    assert crowd.counted["by_status"] == {"200": REQUESTS, "201": 1}
    assert crowd.counted["logins"] == sum(worker["logins"] for worker in crowd.workers) == 1
    assert PER_MINUTE - RESERVE <= crowd.counted["most_per_minute"] <= PER_MINUTE


@pytest.mark.parametrize("database", DATABASES)
def test_twenty_processes_with_an_expired_token_make_one_login(late, database):
    crowd = late[database]
    assert crowd.answered == LATECOMERS
    assert crowd.counted["by_path"] == {LOGIN: 1, PING: LATECOMERS}
    assert crowd.counted["logins"] == 1


@pytest.mark.parametrize("database", DATABASES)
def test_twenty_processes_with_a_refused_token_make_one_login(refused, database):
    crowd = refused[database]
    assert crowd.answered == LATECOMERS
    assert crowd.counted["by_path"][LOGIN] == 1
    assert crowd.counted["by_status"]["401"] >= 1
    assert crowd.counted["logins"] == 1
