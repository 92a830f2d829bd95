# SPDX-License-Identifier: Apache-2.0
"""The sandbox with Acumatica beside Anaplan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_mlconnector.sandbox.running import Sandbox, serve


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "acumatica"], scale=0.05) as running:
        yield running
