# SPDX-License-Identifier: Apache-2.0
"""The close of one period and a backfill of two earlier ones, on a real Airflow beside the sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from airflow_provider_mlconnector.demo.sandbox import connections, sandbox_process
from airflow_provider_mlconnector.demo.screen import Screen
from airflow_provider_mlconnector.demo.stack import AirflowStack, StackOptions
from airflow_provider_mlconnector.demo.watching import Dag, Progress
from airflow_provider_mlconnector.operators.reconcile import REPORT_XCOM
from airflow_provider_mlconnector.pipeline.manifests import ReconcileReport

RUN_SECONDS = 600.0
RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Script:
    """What is rehearsed: a flow, the period that is closed, and the days between which earlier ones start."""

    systems: tuple[str, ...]
    dag_id: str
    period: str
    first_day: date
    last_day: date
    runs: int = 3


DAG_IDS = {
    "business_central": "larkfield_close",
    "dynamics_fo": "fo_manufacturer_close",
    "acumatica": "acumatica_services_close",
    "syspro": "syspro_trading_close",
    "dynamics_gp": "gp_distributor_close",
}
"""The shipped flow of each ledger."""

SCRIPTS = {
    system: Script(
        systems=("anaplan", system),
        dag_id=dag_id,
        period="FY2027-P04",
        first_day=date(2026, 8, 1),
        last_day=date(2026, 9, 30),
    )
    for system, dag_id in DAG_IDS.items()
}


@contextmanager
def site(script: Script, home: Path, dags: Path, screen: Screen) -> Iterator[AirflowStack]:
    """Start sandbox and Airflow; both are gone at the end of the block."""
    screen.say("Starting the sandbox …")
    with sandbox_process(script.systems) as info:
        options = StackOptions(
            dags=dags,
            connections=connections(info),
            config={"mlconnector": {"allowed_hosts": info["url"]}},
            parallelism=max(4, 2 * (os.cpu_count() or 2)),
        )
        screen.say("Starting Airflow: api-server, scheduler, triggerer, dag-processor …")
        with AirflowStack(home, options) as stack:
            yield stack


def rehearse(stack: AirflowStack, script: Script, screen: Screen) -> list[ReconcileReport]:
    """Run the close and the backfill; return what each run says of the books.

    :raises RuntimeError: when the runs were not over in time.
    """
    dag = Dag(stack, script.dag_id)
    dag.wait_parsed()
    dag.unpause()
    screen.say(f"Closing {script.period}, backfilling the periods from {script.first_day} to {script.last_day}.")
    screen.say("The schedule loads the open period by itself: the UI shows that run, too.")
    dag.trigger(script.period)
    dag.backfill(script.first_day, script.last_day)
    with screen.watch(stack.url) as show:
        runs = dag.wait(script.runs, RUN_SECONDS, show)
    return list(_reports(dag, runs))


def _reports(dag: Dag, runs: Sequence[Progress]) -> Iterator[ReconcileReport]:
    """Yield the report of each run that came as far as comparing; one whose books differ failed there."""
    for run in sorted(runs, key=lambda run: run.period):
        if run.tasks["success"] >= sum(run.tasks.values()) - 1:
            yield ReconcileReport.from_json(dag.xcom(run.run_id, RECONCILE, REPORT_XCOM))
