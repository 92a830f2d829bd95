# SPDX-License-Identifier: Apache-2.0
"""A real Airflow in a folder: api-server, scheduler, triggerer and dag-processor on a free port.

It serves the demo and the end-to-end tests alike. Nothing outside the folder is touched.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from airflow_provider_mlconnector.demo.processes import Processes, free_port

COMPONENTS = {
    "api-server": ("api-server", "--workers", "1"),
    "scheduler": ("scheduler",),
    "triggerer": ("triggerer",),
    "dag-processor": ("dag-processor",),
}
USER, APPROVER = "admin", "ben"
"""Who does everything, and who approves what the first one asked for."""
_HEALTH_SECONDS = 120.0
_REQUEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StackOptions:
    """How to set a stack up.

    :param database_url: SQLAlchemy URL of Airflow's own database; "" is a SQLite file in the folder.
    :param connections: Airflow connections by id, in the form of ``airflow connections import``.
    :param config: further settings by section, such as ``{"mlconnector": {"allowed_hosts": "..."}}``.
    """

    dags: Path
    database_url: str = ""
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    config: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    users: str = f"{USER}:admin,{APPROVER}:user"
    parallelism: int = 4


class AirflowStack:
    """Start it, use its REST API, stop it; ``with`` does both ends."""

    def __init__(self, home: Path, options: StackOptions) -> None:
        self.home = home
        self.options = options
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.processes = Processes(home / "logs" / "components")
        self.env = self._environment()
        self._token = ""

    def __enter__(self) -> AirflowStack:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def prepare(self) -> None:
        """Create the database and the connections, then let the provider set up its own database and pools."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.cli("db", "migrate")
        if self.options.connections:
            file = self.home / "connections.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(self.options.connections))
            self.cli("connections", "import", str(file), "--overwrite")
            file.unlink()
        self.cli("mlconnector", "setup", "--flows", str(self.options.dags / "flows"))

    def start(self) -> None:
        """Start the four components and wait until all say that they are healthy."""
        for name in COMPONENTS:
            self.start_component(name)
        self.wait_healthy()

    def start_component(self, name: str) -> None:
        """Start one component (again)."""
        self.processes.start(name, [sys.executable, "-m", "airflow", *COMPONENTS[name]], self.env)

    def stop(self) -> None:
        """End everything that was started here."""
        self.processes.stop()

    def wait_healthy(self) -> None:
        """Wait for the health page to be all green.

        :raises RuntimeError: when a component ended, or the time is over; the text holds the end of its log.
        """
        deadline = time.monotonic() + _HEALTH_SECONDS
        while time.monotonic() < deadline:
            for name in self.processes.dead():
                raise RuntimeError(f"{name} ended:\n{self.processes.log(name)[-3000:]}")
            if self._healthy():
                return
            time.sleep(0.5)
        raise RuntimeError(f"Airflow was not healthy after {_HEALTH_SECONDS:.0f} s; see {self.home / 'logs'}")

    def cli(self, *arguments: str, check: bool = True) -> str:
        """Run an ``airflow`` command in this stack and return its output.

        :raises RuntimeError: when it fails and ``check`` is set.
        """
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments], env=self.env, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"airflow {' '.join(arguments)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def passwords(self) -> dict[str, str]:
        """Return the generated passwords by user."""
        file = self.home / "simple_auth_manager_passwords.json.generated"
        return dict(json.loads(file.read_text()))

    def api(self, method: str, path: str, body: object = None, *, token: str = "") -> Any:
        """Call the REST API and return the decoded answer.

        :raises requests.HTTPError: for any answer that is not a success.
        """
        answer = requests.request(
            method,
            f"{self.url}/api/v2{path}",
            json=body,
            headers={"Authorization": f"Bearer {token or self.token()}"},
            timeout=_REQUEST_SECONDS,
        )
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text[:500]}", response=answer)
        return answer.json() if answer.content else None

    def token(self) -> str:
        """Return an API token of the first user, fetched once."""
        if not self._token:
            self._token = self.login(USER)
        return self._token

    def login(self, user: str) -> str:
        """Return an API token of a user."""
        body = {"username": user, "password": self.passwords()[user]}
        answer = requests.post(f"{self.url}/auth/token", json=body, timeout=_REQUEST_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def _healthy(self) -> bool:
        try:
            answer = requests.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((answer.get(part) or {}).get("status") == "healthy" for part in parts)

    def _environment(self) -> dict[str, str]:
        """Build the environment of all components; port, base_url and execution_api_server_url have to agree."""
        options = self.options
        defaults = {
            "core": {
                "dags_folder": str(options.dags),
                "executor": "LocalExecutor",
                "load_examples": "False",
                "parallelism": str(options.parallelism),
                "fernet_key": Fernet.generate_key().decode(),
                "simple_auth_manager_users": options.users,
                "execution_api_server_url": f"{self.url}/execution/",
                "dags_are_paused_at_creation": "True",
            },
            "database": {"sql_alchemy_conn": options.database_url or f"sqlite:///{self.home / 'airflow.db'}"},
            "api": {"port": str(self.port), "host": "127.0.0.1", "base_url": self.url},
            "api_auth": {"jwt_secret": secrets.token_hex(48)},
            "dag_processor": {"refresh_interval": "5", "min_file_process_interval": "5"},
            "scheduler": {"scheduler_heartbeat_sec": "1"},
        }
        settings = {
            section: {**defaults.get(section, {}), **options.config.get(section, {})}
            for section in (*defaults, *options.config)
        }
        env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        env |= {
            f"AIRFLOW__{section.upper()}__{key.upper()}": value
            for section, values in settings.items()
            for key, value in values.items()
        }
        return env | {"AIRFLOW_HOME": str(self.home), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
