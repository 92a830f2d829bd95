# SPDX-License-Identifier: Apache-2.0
"""The close of one period, a backfill of earlier ones, and a budget that comes home, on a real Airflow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from airflow_provider_mlconnector.demo.homecoming import bring_home
from airflow_provider_mlconnector.demo.sandbox import connections, sandbox_process, write_gp_database
from airflow_provider_mlconnector.demo.screen import Screen
from airflow_provider_mlconnector.demo.stack import AirflowStack, StackOptions
from airflow_provider_mlconnector.demo.watching import Dag, Progress, wait_for_runs
from airflow_provider_mlconnector.operators.reconcile import REPORT_XCOM
from airflow_provider_mlconnector.pipeline.manifests import ReconcileReport

RUN_SECONDS = 3600.0
RECONCILE = "reconcile"

DAG_IDS = {
    "business_central": "larkfield_close",
    "dynamics_fo": "fo_manufacturer_close",
    "acumatica": "acumatica_services_close",
    "syspro": "syspro_trading_close",
    "dynamics_gp": "gp_distributor_close",
}
"""The shipped flow of each ledger."""

ENTITIES = {
    "business_central": "Larkfield",
    "dynamics_fo": "Larkfield Manufacturing",
    "acumatica": "Larkfield Services",
    "syspro": "Larkfield Trading",
    "dynamics_gp": "Larkfield Distribution",
}
"""The member of the model that keeps the cells of each flow apart."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is rehearsed: flows, the period that each of them closes, and the first days of those that it backfills.

    :param dag_ids: the flows, by the ledgers that they read.
    """

    dag_ids: Mapping[str, str]
    period: str = "FY2027-P04"
    earlier: tuple[date, ...] = ()

    @property
    def systems(self) -> tuple[str, ...]:
        """Return what the sandbox has to serve."""
        return ("anaplan", *self.dag_ids)

    @property
    def runs(self) -> int:
        """Return how many runs each flow makes."""
        return 1 + len(self.earlier)


AUGUST, SEPTEMBER = date(2026, 8, 1), date(2026, 9, 1)

SCRIPTS = {
    **{system: Script({system: dag_id}, earlier=(AUGUST, SEPTEMBER)) for system, dag_id in DAG_IDS.items()},
    "syspro": Script({"syspro": DAG_IDS["syspro"]}, earlier=(SEPTEMBER,)),  # it has twice the loads of the others
    "all": Script(DAG_IDS),
}


@contextmanager
def site(script: Script, home: Path, dags: Path, screen: Screen) -> Iterator[tuple[AirflowStack, str]]:
    """Start sandbox and Airflow, which are gone at the end of the block; give Airflow, and the sandbox's address."""
    screen.say("Starting the sandbox …")
    with sandbox_process(script.systems) as info:
        options = StackOptions(
            dags=dags,
            connections=connections(info) | write_gp_database(info, home),
            config={"core": {"default_task_retry_delay": "10"}, "mlconnector": {"allowed_hosts": info["url"]}},
            parallelism=max(4, 2 * (os.cpu_count() or 2)),
        )
        screen.say("Starting Airflow: api-server, scheduler, triggerer, dag-processor …")
        with AirflowStack(home, options) as stack:
            yield stack, info["url"]


def plans_come_home(stack: AirflowStack, sandbox: str, script: Script, screen: Screen) -> bool:
    """Bring a budget back to each ledger; say whether all of them stand there as drafts."""
    entities = {dag_id: ENTITIES[system] for system, dag_id in script.dag_ids.items()}
    return bring_home(stack, sandbox, entities, screen)


def rehearse(stack: AirflowStack, script: Script, screen: Screen) -> list[ReconcileReport]:
    """Run closes and backfills; return what each run says of the books, by flow and period.

    :raises RuntimeError: when the runs were not over in time.
    """
    dags = [Dag(stack, dag_id) for dag_id in script.dag_ids.values()]
    for dag in dags:
        dag.wait_parsed()
        dag.unpause()
    screen.say(f"{', '.join(script.dag_ids.values())}: closing {script.period}{_backfilled(script)}.")
    screen.say("The schedule loads the open period by itself: the UI shows such runs, too.")
    for dag in dags:
        dag.trigger(script.period)
        if script.earlier:
            dag.backfill(script.earlier[0], script.earlier[-1])
    screen.door(stack.url, stack.passwords())
    with screen.watch() as show:
        runs = wait_for_runs(dags, script.runs, RUN_SECONDS, show)
    return [report for dag in dags for report in _reports(dag, runs[dag.dag_id])]


def _backfilled(script: Script) -> str:
    months = ", ".join(f"{day:%B %Y}" for day in script.earlier)
    return f", backfilling {months}" if months else ""


def _reports(dag: Dag, runs: list[Progress]) -> Iterator[ReconcileReport]:
    """Yield the report of each run that came as far as comparing; one whose books differ failed there."""
    for run in sorted(runs, key=lambda run: run.period):
        if run.tasks["success"] >= sum(run.tasks.values()) - 1:
            yield ReconcileReport.from_json(dag.xcom(run.run_id, RECONCILE, REPORT_XCOM))
