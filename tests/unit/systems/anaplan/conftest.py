# SPDX-License-Identifier: Apache-2.0
"""Clients of a sandbox that is served over real HTTP, and shares its clock with them; and of a scripted server."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
import requests

from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.anaplan.auth import BasicLogin
from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
from airflow_provider_mlconnector.systems.anaplan.hosts import custom_hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalBudget, LocalTokenStore
from tests.unit.systems.anaplan.fake_anaplan import anaplan
from tests.unit.systems.http.scripted_server import Reply


@pytest.fixture(scope="module")
def sandbox():
    with serve(["anaplan"], scale=0.2) as running:
        yield running


@pytest.fixture
def control(sandbox):
    def call(method, path, body=None, **params):
        answer = requests.request(method, f"{sandbox.url}/_sandbox{path}", json=body, params=params, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    yield call
    call("DELETE", "/faults")
    call("DELETE", "/anaplan/switches")
    call("POST", "/anaplan/model", {"state": "UNLOCKED"})


class SandboxClock:
    """The sandbox's own clock, so that waiting costs nothing and both sides agree on the time."""

    def __init__(self, clock):
        self._clock = clock

    def now(self):
        return self._clock.now()

    def monotonic(self):
        return self._clock.now().timestamp()

    def sleep(self, seconds):
        self._clock.advance(seconds)


@pytest.fixture
def clock(sandbox):
    return SandboxClock(sandbox.world.clock)


@pytest.fixture
def info(sandbox):
    return SimpleNamespace(**sandbox.info["anaplan"])


@pytest.fixture
def hosts(info):
    return custom_hosts(info.api_url, info.auth_url, info.oauth_url)


@pytest.fixture
def make_client(hosts, info, clock):
    made = []

    def make(login=None, **options):
        given = {"tokens": LocalTokenStore(clock), "budget": LocalBudget(clock=clock), "clock": clock, **options}
        made.append(AnaplanClient(hosts, login or BasicLogin(info.login, info.password), **given))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def model(client):
    return client.model(client.resolve_model("Finance", "FP&A Hub"))


@pytest.fixture
def at():
    """Return a model at a scripted server that is given up on after a short silence."""
    with anaplan(read_timeout=0.15) as setting:
        yield setting


@pytest.fixture
def held():
    """Return an answer that does not come before the test is over."""
    event = threading.Event()
    yield Reply(delay=event)
    event.set()
