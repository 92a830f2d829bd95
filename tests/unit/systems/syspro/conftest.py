# SPDX-License-Identifier: Apache-2.0
"""A SYSPRO site to read from; after each test it is as ever."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_mlconnector.sandbox.running import serve
from tests.unit.systems.syspro.reading import SysproSite


@pytest.fixture(scope="module")
def running() -> Iterator[SysproSite]:
    with serve(["syspro"], scale=0.2) as sandbox:
        yield SysproSite(sandbox)


@pytest.fixture
def site(running: SysproSite) -> Iterator[SysproSite]:
    yield running
    running.close()
