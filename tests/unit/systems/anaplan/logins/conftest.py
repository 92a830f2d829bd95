# SPDX-License-Identifier: Apache-2.0
"""A fake login service over real HTTP, and its clock."""

from __future__ import annotations

import pytest

from tests.unit.systems.anaplan.fake_anaplan import FakeAnaplan
from tests.unit.systems.http.scripted_server import FakeClock, serving


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def fake(clock):
    return FakeAnaplan(clock)


@pytest.fixture
def server(fake):
    with serving(fake) as running:
        yield running
