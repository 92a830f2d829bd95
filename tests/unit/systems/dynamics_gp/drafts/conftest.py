# SPDX-License-Identifier: Apache-2.0
"""Drafts in the sandbox's ledger, written over SOAP, and a general journal that is empty before each test."""

import pytest

from airflow_provider_mlconnector.sandbox.running import serve
from tests.unit.systems.dynamics_gp.drafts.desk import Desk


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_gp"], scale=0.05) as running:
        yield running


@pytest.fixture
def desk(sandbox):
    opened = Desk(sandbox)
    opened.clear()
    yield opened
    opened.close()
