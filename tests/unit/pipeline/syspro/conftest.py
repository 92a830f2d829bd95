# SPDX-License-Identifier: Apache-2.0
"""Closes of a SYSPRO company against the sandbox. One sandbox serves all tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes

FLOW = Path(__file__).parents[4] / "dags/flows/syspro_trading_close.yaml"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "syspro"], scale=0.2) as running:
        yield running


@pytest.fixture
def closing(
    tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Callable[[str], SandboxClose]]:
    """Open a close of a period, on a trail and a staging area of its own; the site is as ever afterwards."""
    with opened_closes(tmp_path, trail_template, sandbox, control, FLOW) as opened:
        yield opened
    control.call("DELETE", "/syspro/switches")
    control.clear_faults()
