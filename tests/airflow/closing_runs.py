# SPDX-License-Identifier: Apache-2.0
"""The runs of a close, task by task as Airflow runs them."""

import json
from collections import defaultdict
from copy import copy
from pathlib import Path

from airflow.sdk.definitions.xcom_arg import XComArg

from airflow_provider_mlconnector.dags import close_dag
from airflow_provider_mlconnector.pipeline.manifests import ReconcileReport
from tests.airflow.fakes import FakeStateStore, make_context

FLOW = Path(__file__).parents[2] / "dags" / "flows" / "larkfield_close.yaml"
PERIOD = "FY2026-P05"


class FakeOutletEvent:
    """What a task says with an event of an asset."""

    def __init__(self):
        self.extra, self.partition_keys = {}, []

    def add_partitions(self, key):
        self.partition_keys.append(key)


def changed(flow, **spec):
    """Return a flow whose file says something else."""
    return type(flow)(flow.spec.model_copy(update=spec), flow.calendar, flow.crosswalks, flow.document)


def only(flow, *datasets):
    """Return a flow that loads some of its datasets."""
    return changed(flow, load=tuple(load for load in flow.spec.load if load.dataset in datasets))


class Run:
    """One DAG run: XComs and state stores by task, and tasks that are made anew for each process."""

    def __init__(self, flow, *, run_id="manual__1", period=PERIOD, dag=None, **dag_run):
        self.dag = dag or close_dag(flow)
        self.results, self.contexts = {}, {}
        self.stores = defaultdict(FakeStateStore)
        self.run_id, self.period, self.dag_run = run_id, period, dag_run

    def context(self, task_id, **more):
        context = make_context(store=self.stores[task_id], partition_key=self.period, **{**self.dag_run, **more})
        context["ti"].task_id, context["ti"].run_id = task_id, self.run_id
        context["dag_run"].run_id = self.run_id
        context["outlet_events"] = defaultdict(FakeOutletEvent)
        self.contexts[task_id] = context
        return context

    def task(self, task_id):
        task = copy(self.dag.get_task(task_id))
        for name in task.template_fields:
            object.__setattr__(task, name, self._resolved(getattr(task, name)))
        return task

    def execute(self, task_id, **more):
        self.results[task_id] = self.task(task_id).execute(self.context(task_id, **more))
        return self.results[task_id]

    def all(self, **more):
        """Execute all tasks but the mapped ones, whose number only Airflow knows."""
        for task in self.dag.topological_sort():
            if not task.is_mapped:
                self.execute(task.task_id, **more)
        return self.results["reconcile"]

    def report(self):
        pushed = self.contexts["reconcile"]["ti"].pushed["reconcile_report"]
        return ReconcileReport.from_json(json.loads(json.dumps(pushed)))

    def _resolved(self, value):
        if isinstance(value, XComArg):
            task_id = value.operator.task_id
            pushed = {"return_value": self.results[task_id], **self.contexts[task_id]["ti"].pushed}
            return json.loads(json.dumps(pushed[value.key]))
        return [self._resolved(one) for one in value] if isinstance(value, list) else value
