# SPDX-License-Identifier: Apache-2.0
"""Drafts in the sandbox's ledger, written over HTTP; none is there before a test."""

import pytest

from airflow_provider_mlconnector.sandbox.running import serve
from tests.unit.systems.acumatica.drafts.desk import Desk


@pytest.fixture(scope="module")
def sandbox():
    with serve(["acumatica"], scale=0.05) as running:
        yield running


@pytest.fixture
def desk(sandbox):
    made = Desk(sandbox)
    made.clear()
    yield made
    made.close()
