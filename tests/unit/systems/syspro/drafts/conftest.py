# SPDX-License-Identifier: Apache-2.0
"""A company of the sandbox's SYSPRO, and an empty folder for what is handed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.unit.systems.syspro.drafts.desk import Desk


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["syspro"], scale=0.02) as running:
        yield running


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(sandbox, tmp_path / "plans")
    yield opened
    opened.clear()
