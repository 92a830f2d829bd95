# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for what Airflow hands to a running task."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace


class FakeStateStore:
    """Airflow's task state store: JSON values, and it remembers how long they shall live."""

    def __init__(self):
        self.values = {}
        self.retentions = {}

    def get(self, key, default=None):
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key, value, *, retention=None):
        self.values[key] = json.dumps(value)
        self.retentions[key] = retention


class FakeTaskInstance:
    def __init__(self, task_id="load", try_number=1):
        self.dag_id, self.run_id, self.task_id, self.map_index = "close", "manual__1", task_id, -1
        self.try_number, self.max_tries = try_number, 2
        self.pushed = {}
        self.states = {("close", "manual__1", "load", -1): "running"}

    def get_task_states(self, dag_id, map_index, task_ids, *, run_ids):
        """Return what Airflow's database says, as Airflow returns it: nothing of task instances that are not there."""
        ((task_id,), (run_id,)) = task_ids, run_ids
        if (dag_id, run_id, task_id, map_index) not in self.states:
            return {}
        name = task_id if map_index < 0 else f"{task_id}_{map_index}"
        return {run_id: {name: self.states[dag_id, run_id, task_id, map_index]}}

    def xcom_push(self, key, value):
        json.dumps(value)
        self.pushed[key] = value


def make_context(
    *,
    store=None,
    clear_number=0,
    run_type="scheduled",
    partition_key="FY2026-P05",
    params=None,
    conf=None,
    triggering_user_name="anna",
    **more,
):
    """Return a task's context, with the parts that operators read."""
    dag_run = SimpleNamespace(
        dag_id="close",
        run_id="manual__1",
        run_type=run_type,
        clear_number=clear_number,
        partition_key=partition_key,
        run_after=datetime(2025, 12, 2, 6, tzinfo=UTC),
        triggering_user_name=triggering_user_name,
        conf=conf or {},
    )
    return {
        "ti": FakeTaskInstance(),
        "dag_run": dag_run,
        "run_id": dag_run.run_id,
        "partition_key": partition_key,
        "params": params or {},
        "task_state_store": store or FakeStateStore(),
        **more,
    }
