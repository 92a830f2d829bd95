# SPDX-License-Identifier: Apache-2.0
"""A sandbox of Anaplan for clients that nobody here wrote, and the public OpenAPI documents of the service."""

import json
import os
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.anaplan.site import site_of
from airflow_provider_mlconnector.sandbox.running import serve

ROOT = Path(__file__).parents[3]
SPECS = Path(os.environ.get("MLCONNECTOR_SPECS") or ROOT.parent / "shared" / "specs") / "anaplan"


@pytest.fixture(scope="module")
def sandbox():
    with serve(["anaplan"]) as running:
        yield running


@pytest.fixture(scope="module")
def site(sandbox):
    return site_of(sandbox.world)


@pytest.fixture(scope="module")
def info(sandbox):
    return sandbox.info["anaplan"]


@pytest.fixture(scope="session")
def read_spec():
    """Return a reader of the OpenAPI documents; without them the test is skipped."""

    def read(name):
        path = SPECS / f"{name}-openapi.json"
        if not path.is_file():
            pytest.skip(f"there is no {path}: set MLCONNECTOR_SPECS to the folder of the OpenAPI documents")
        return json.loads(path.read_text())

    return read
