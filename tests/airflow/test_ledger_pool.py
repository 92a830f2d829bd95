# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from types import SimpleNamespace

import pytest

from airflow_provider_mlconnector.cli import local_checks, setup
from airflow_provider_mlconnector.cli.findings import Verdict
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import erp_pool_name

FLOW = load_flow(Path(__file__).parents[2] / "dags" / "flows" / "larkfield_close.yaml")
POOL = "erp__business_central_default"


class Pools(dict):
    """The pools of an Airflow, by name."""

    def get_pool(self, name):
        return self.get(name)

    def create_or_update_pool(self, name, **values):
        self[name] = SimpleNamespace(**values)


def test_a_ledgers_pool_is_named_by_its_connection_and_has_the_slots_that_its_server_bears():
    assert erp_pool_name("erp of Larkfield/EU") == "erp__erp_of_Larkfield_EU"
    assert setup.erp_pools([FLOW, FLOW]) == {POOL: 5}


def test_setup_makes_the_ledgers_pool_beside_the_models(monkeypatch):
    pools = Pools()
    monkeypatch.setattr(setup, "Pool", pools)
    monkeypatch.setattr(setup, "flows_of", lambda _: (FLOW,))
    monkeypatch.setattr(setup.TrailHook, "upgrade", lambda _: (None, "1"))
    setup.setup.__wrapped__(SimpleNamespace(output="json"))
    assert len(pools) == 2
    assert pools[POOL].slots == 5


@pytest.mark.parametrize(
    ("slots", "verdict"), [(0, Verdict.ERROR), (3, Verdict.OK), (5, Verdict.OK), (6, Verdict.WARNING)]
)
def test_doctor_looks_at_the_ledgers_pool(monkeypatch, slots, verdict):
    pools = Pools()
    if slots:
        pools.create_or_update_pool(POOL, slots=slots, include_deferred=False)
    monkeypatch.setattr(local_checks, "Pool", pools)
    found = {finding.subject: finding for finding in local_checks.check_pools([FLOW])}
    assert found[POOL].verdict is verdict
