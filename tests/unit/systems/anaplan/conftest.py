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
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.clocks import QuickClock
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


@pytest.fixture
def clock(sandbox):
    return QuickClock(sandbox.world)


@pytest.fixture
def info(sandbox):
    return SimpleNamespace(**sandbox.info["anaplan"])


@pytest.fixture
def hosts(info):
    return custom_hosts(info.api_url, info.auth_url, info.oauth_url)


@pytest.fixture
def make_client(hosts, info, clock):
    made = []

    def make(login=None, *, tokens=None, budget=None, **options):
        transport = Transport(**{"clock": clock} | options)
        tokens, budget = tokens or LocalTokenStore(clock), budget or LocalBudget(clock=clock)
        login = login or BasicLogin(info.login, info.password)
        made.append(AnaplanClient(hosts, login, transport, tokens=tokens, budget=budget))
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
