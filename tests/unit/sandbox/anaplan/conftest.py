# SPDX-License-Identifier: Apache-2.0
"""A sandbox of Anaplan alone, with quick tasks: one server for all tests, a new world for each."""

import pytest

from airflow_provider_mlconnector.sandbox.anaplan import site as site_module
from airflow_provider_mlconnector.sandbox.anaplan.identity.certificates import make_key_pair
from airflow_provider_mlconnector.sandbox.app import create_app, describe_all
from airflow_provider_mlconnector.sandbox.gate import Connections
from airflow_provider_mlconnector.sandbox.running import Sandbox, SandboxServer, in_thread
from airflow_provider_mlconnector.sandbox.state import World
from tests.unit.sandbox.anaplan.caller import Caller, set_up_lists

QUICK = {
    "task_seconds": 0.01,
    "queue_seconds": 0.0,
    "longest_task_seconds": 0.02,
    "read_request_seconds": 0.0,
    "rate_limit": 0,
}


class ChangingApp:
    """ASGI application that stands for whichever one is set."""

    def __init__(self):
        self.app = None

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


def _made_once(make):
    """Return a maker that gives everyone of one name the same key: making one takes longer than most tests."""
    made = {}

    def make_or_reuse(email, now):
        if email not in made:
            made[email] = make(email, now)
        return made[email]

    return make_or_reuse


@pytest.fixture(scope="session")
def anaplan_server():
    connections, front = Connections(), ChangingApp()
    with pytest.MonkeyPatch.context() as patch, in_thread(SandboxServer(front, connections)) as url:
        patch.setattr(site_module, "make_key_pair", _made_once(make_key_pair))
        yield url, connections, front


@pytest.fixture
def sandbox(anaplan_server):
    url, connections, front = anaplan_server
    world = World.create()
    front.app = create_app(world, ["anaplan"], connections)
    site = site_module.site_of(world)
    site.switches = site.switches.changed(QUICK)
    return Sandbox(url, describe_all(world, ["anaplan"], url), world)


@pytest.fixture
def site(sandbox):
    return site_module.site_of(sandbox.world)


@pytest.fixture
def clock(sandbox):
    return sandbox.world.clock


@pytest.fixture
def anaplan(sandbox):
    return Caller(sandbox)


@pytest.fixture
def closed_books(anaplan):
    """Return a caller whose model has its accounts and cost centres."""
    set_up_lists(anaplan)
    return anaplan
