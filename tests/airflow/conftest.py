# SPDX-License-Identifier: Apache-2.0
"""A hermetic Airflow: its own home, its own keys, set before anything imports airflow."""

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

_KEY = "8t7oLVDZAqXx6uvX0dUQXDSpIaJnzaBJ6Zr0nSvvtZ4="


def _make_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="mlconnector-airflow-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    os.environ.update(
        {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__FERNET_KEY": _KEY,
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        }
    )
    (home / "dags").mkdir()
    return home


HOME = _make_home()


# After the environment is set, and not before: these import airflow.
import json  # noqa: E402
from dataclasses import replace  # noqa: E402
from datetime import UTC, datetime, timedelta  # noqa: E402

import pytest  # noqa: E402
import requests  # noqa: E402
from airflow.sdk import Connection  # noqa: E402

SYSTEMS = ("anaplan", "business_central", "acumatica")
_MOMENT = 0.03


class FastClock:
    """Time that passes when somebody waits: here and in the sandbox alike."""

    def __init__(self, world):
        self._world = world
        self._skipped = timedelta()
        self.waits = []

    def now(self):
        return datetime.now(UTC) + self._skipped

    def monotonic(self):
        return self.now().timestamp()

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.skip(seconds)

    def skip(self, seconds):
        time.sleep(_MOMENT)  # the sandbox's own workers look at its clock that often
        self._skipped += timedelta(seconds=seconds)
        self._world.clock.advance(seconds)
        time.sleep(_MOMENT)


class Site:
    """A sandbox with connections to it, a trail of its own, and a clock that nobody waits for."""

    def __init__(self, sandbox, monkeypatch):
        self.url, self.info, self.world = sandbox.url, sandbox.info, sandbox.world
        self.clock = FastClock(sandbox.world)
        self._monkeypatch = monkeypatch

    def connect(self, conn_id, conn_type, *, login, password, host=None, **extra):
        """Define a connection, as an environment variable does."""
        connection = Connection(
            conn_id=conn_id,
            conn_type=conn_type,
            host=host or self.url,
            login=login,
            password=password,
            extra=json.dumps(extra),
        )
        self._monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", connection.as_json())

    def connect_anaplan(self, **more):
        anaplan = self.info["anaplan"]
        fields = {"login": anaplan["login"], "password": anaplan["password"], "region": "custom", **more}
        self.connect("anaplan_default", "anaplan", **fields)

    def connect_business_central(self, **more):
        ledger = self.info["business_central"]
        names = {name: ledger[name] for name in ("tenant", "environment", "company")}
        fields = {"login": ledger["client_id"], "password": ledger["client_secret"], **names, **more}
        self.connect("business_central_default", "business_central", **fields)

    def control(self, path, body=None, *, method="POST"):
        """Do what a person would do in Anaplan, or look."""
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def switch(self, **switches):
        self.control("anaplan/switches", switches)

    def starts(self):
        """Return how often each action was started."""
        return self.control("anaplan/tasks", method="GET")["starts"]

    def events(self, kind=None):
        """Return what the trail says of all runs, oldest first."""
        trail = self.trail
        rows = [event for run in reversed(trail.runs()) for event in trail.events(run.run_id)]
        return [event for event in rows if kind is None or event.kind == kind]

    @property
    def trail(self):
        from airflow_provider_mlconnector.hooks.trail import TrailHook

        return TrailHook().get_conn()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give a test a home of its own, without a trail."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def empty_trail(tmp_path_factory):
    """Make a trail with tables and nothing in them, to be copied."""
    from airflow_provider_mlconnector.trail.store import Trail

    path = tmp_path_factory.mktemp("trail") / "trail.db"
    trail = Trail(f"sqlite:///{path}")
    trail.upgrade()
    trail.close()
    return path


@pytest.fixture
def systems():
    """Name the systems that ``site`` serves; a module may serve others."""
    return SYSTEMS


@pytest.fixture
def site(home, empty_trail, monkeypatch, systems):
    """Serve Anaplan and a ledger, connected and set up."""
    from airflow_provider_mlconnector import bench
    from airflow_provider_mlconnector.sandbox.running import serve
    from airflow_provider_mlconnector.trail.leases import Leases

    (home / "mlconnector").mkdir()
    shutil.copy(empty_trail, home / "mlconnector" / "trail.db")
    with serve(systems) as sandbox:
        there = Site(sandbox, monkeypatch)
        monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", sandbox.url)
        there.connect_anaplan()
        if "business_central" in systems:
            there.connect_business_central()
        opened = bench.open_bench

        def open_bench():
            tools = opened()
            return replace(tools, clock=there.clock, leases=Leases(tools.trail.engine, there.clock))

        monkeypatch.setattr(bench, "open_bench", open_bench)
        yield there
