# SPDX-License-Identifier: Apache-2.0
"""A close from Dynamics GP on a real Airflow: Windows logons, SOAP and all; the model holds what the ledger holds."""

import pytest

from tests.e2e.books import expected
from tests.e2e.test_close import balances_of
from tests.e2e.waiting import wait_for

PERIOD, MONTH, ENTITY = "FY2026-P03", "Sep 25", "Larkfield Distribution"


@pytest.fixture(scope="module")
def closed(site):
    dag = site.dag("gp_distributor_close")
    dag.unpause()
    run_id = dag.trigger(PERIOD)
    assert wait_for(dag, run_id).state == "success"


def test_a_close_from_dynamics_gp_loads_exactly_the_ledgers_trial_balance(site, closed):
    assert site.sandbox.amounts(MONTH, Entity=ENTITY) == expected(site.sandbox.ledger(PERIOD))


def test_a_close_from_dynamics_gp_loads_the_ledgers_account_balances(site, closed):
    ledger = {account: row for account, row in site.sandbox.balances(PERIOD).items() if any(row.values())}
    model = {account: row for account, row in balances_of(site, MONTH, ENTITY).items() if any(row.values())}
    assert model == ledger


def test_no_logon_fails_on_the_way(site, closed):
    told = site.sandbox.call("GET", "/dynamics_gp/logons")
    assert told["logons"]
    assert told["failures"] == {}
