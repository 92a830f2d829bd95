# SPDX-License-Identifier: Apache-2.0
"""How many requests are on their way at once, by the sandbox's own count: one per read, five for five of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_mlconnector.demo.sandbox import sandbox_process
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.business_central.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection, FinanceApi
from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral
from airflow_provider_mlconnector.systems.http.entra import ClientSecret
from airflow_provider_mlconnector.systems.port import Scope
from tests.sandbox_control import SandboxControl
from tests.unit.systems.business_central.fake_company import CALENDAR, rows_of

PERIOD = CALENDAR.period("FY2027-P04")
SCOPE = Scope(period=PERIOD, dimensions=("DEPARTMENT", "PROJECT"))
SYSTEM = "business_central"


@pytest.fixture(scope="module")
def slow_sandbox():
    """A server that takes its time over every body, so that requests which may overlap do."""
    with sandbox_process([SYSTEM]) as info:
        sandbox = SandboxControl(info)
        sandbox.fault("slow", f"/{SYSTEM}/", seconds=0.02, times=None)
        yield sandbox


@pytest.fixture(autouse=True)
def _count_anew(slow_sandbox):
    slow_sandbox.call("DELETE", "/stats")


def extract(sandbox: SandboxControl, source: FinanceApi) -> int:
    """Read the lines of a period as a task does, and the ledger's own totals after them; return the requests."""
    told = sandbox.info[SYSTEM]
    connection = BusinessCentralConnection(
        **{name: told[name] for name in ("tenant", "environment", "company", "base_url", "authority_url")},
        credential=ClientSecret(told["client_id"], told["client_secret"]),
        source=source,
        page_size=25,
    )
    client = BusinessCentral(connection, CALENDAR.period_of)
    try:
        rows, _ = rows_of(client, Dataset.JOURNAL_LINES, SCOPE)
        assert client.period_totals(PERIOD).count == len(rows)
        return client.requests_made
    finally:
        client.close()


def counted(sandbox: SandboxControl) -> int:
    return int(sandbox.call("GET", "/stats")[SYSTEM]["most_in_flight"])


@pytest.mark.parametrize("source", [FinanceApi.V2, FinanceApi.REPORTS_FINANCE])
def test_one_read_has_one_request_on_its_way_whatever_it_joins_meanwhile(slow_sandbox, source):
    assert extract(slow_sandbox, source) > 5
    assert counted(slow_sandbox) == 1


def test_as_many_reads_as_the_pool_has_slots_stay_within_what_the_server_works_on(slow_sandbox):
    sources = [FinanceApi.REPORTS_FINANCE, FinanceApi.V2] * CAPABILITIES.readers
    with ThreadPoolExecutor(CAPABILITIES.readers) as slots:
        done = list(slots.map(lambda source: extract(slow_sandbox, source), sources))
    assert all(done)
    assert 2 <= counted(slow_sandbox) <= CAPABILITIES.readers == 5
