# SPDX-License-Identifier: Apache-2.0
"""The cluster policy that keeps every task which works in an Anaplan model in that model's pool.

It runs for each task of each DAG file, so it asks only for an attribute: ``anaplan_pool`` of our operators is the pool
they belong to, or "" when their model is a template and only the author can know.
"""

from __future__ import annotations

from typing import Any

from airflow.policies import hookimpl

_DEFAULT_POOL = "default_pool"


@hookimpl
def task_policy(task: Any) -> None:
    """Put a task into its model's pool when its author left the default one.

    :raises AirflowClusterPolicyViolation: for a foreign pool, or a templated model without a pool.
    """
    pool = _anaplan_pool(task)
    if pool is None or task.pool == pool:
        return
    if task.pool != _DEFAULT_POOL:
        if pool:
            _refuse(task, f"is in pool '{task.pool}', but its model belongs to pool '{pool}'. Leave the pool out.")
        return
    if not pool:
        _refuse(task, "names its Anaplan model by a template. Give it the model's pool (airflow mlconnector setup).")
    task.pool = pool


def _anaplan_pool(task: Any) -> str | None:
    """Return the pool of one of our tasks, None for any other; a mapped task has what it does not map."""
    mapped = getattr(task, "partial_kwargs", None)
    if mapped is None:
        return getattr(task, "anaplan_pool", None)
    pool_of = getattr(task.operator_class, "pool_of", None)
    return str(pool_of(mapped)) if callable(pool_of) else None


def _refuse(task: Any, what: str) -> None:
    from airflow.exceptions import AirflowClusterPolicyViolation

    raise AirflowClusterPolicyViolation(f"Task '{task.task_id}' of DAG '{task.dag_id}' {what}")
