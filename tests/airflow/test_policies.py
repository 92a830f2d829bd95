# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowClusterPolicyViolation

from airflow_provider_mlconnector.policies import task_policy


def _task(pool="default_pool", **more):
    return SimpleNamespace(task_id="load", dag_id="close", pool=pool, **more)


def test_a_task_left_in_the_default_pool_moves_to_its_models_pool():
    task = _task(anaplan_pool="anaplan__c__w__m")
    task_policy(task)
    assert task.pool == "anaplan__c__w__m"


def test_a_foreign_pool_is_refused():
    with pytest.raises(AirflowClusterPolicyViolation, match="belongs to pool 'right'"):
        task_policy(_task("wrong", anaplan_pool="right"))


def test_a_templated_model_needs_a_pool():
    with pytest.raises(AirflowClusterPolicyViolation, match="by a template"):
        task_policy(_task(anaplan_pool=""))
    task = _task("mine", anaplan_pool="")
    task_policy(task)
    assert task.pool == "mine"


def test_other_peoples_tasks_are_left_alone():
    task = _task()
    task_policy(task)
    assert task.pool == "default_pool"
