# SPDX-License-Identifier: Apache-2.0
"""A run outside the hours of a ledger's server waits for them, deferred, and reads nothing before."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.server_hours import ServerHours
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.operators.erp import ExtractOperator
from airflow_provider_mlconnector.operators.sweep import SweepOperator

FLOW = Path(__file__).parents[2] / "dags" / "flows" / "gp_distributor_close.yaml"


def flow_open(hours):
    flow = load_flow(FLOW)
    erp = flow.spec.erp.model_copy(update={"hours": hours})
    spec = flow.spec.model_copy(update={"erp": erp})
    return type(flow)(**{name: getattr(flow, name) for name in flow.__dataclass_fields__} | {"spec": spec})


def closed_now():
    now = datetime.now(UTC)
    return ServerHours(start=(now + timedelta(hours=2)).time(), end=(now + timedelta(hours=3)).time())


@pytest.mark.parametrize("operator", [ExtractOperator, SweepOperator])
def test_a_run_outside_the_hours_waits_without_a_worker(operator):
    more = {"dataset": Dataset.ACCOUNTS} if operator is ExtractOperator else {}
    task = operator(task_id="t", flow=flow_open(closed_now()), **more)
    with pytest.raises(TaskDeferred) as waiting:
        task.execute({})
    assert waiting.value.method_name == "execute_in_hours"
    left = waiting.value.trigger.moment - datetime.now(UTC)
    assert timedelta(0) < left < timedelta(hours=26)


def test_a_run_within_the_hours_goes_on(monkeypatch):
    task = ExtractOperator(
        task_id="t", flow=flow_open(ServerHours(start=time(0), end=time(23, 59, 59))), dataset=Dataset.ACCOUNTS
    )
    task.wait_for_hours()
    monkeypatch.setattr(task, "execute", lambda context: context)
    assert task.execute_in_hours({"run": 1}, {"moment": "now"}) == {"run": 1}
