# SPDX-License-Identifier: Apache-2.0
"""What starts a plan, in Airflow's own scheduler: a close that ended, another asset, or a person alone."""

from types import SimpleNamespace

import pytest
from airflow.assets.manager import AssetManager
from airflow.dag_processing.collection import update_dag_parsing_results_in_db
from airflow.dag_processing.dagbag import DagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.asset import AssetModel
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from sqlalchemy import select

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.operators.planning import periods_of
from tests.airflow.closing_runs import FLOW
from tests.airflow.schedules.scheduling import BUNDLE, set_up_database

CLOSE, OTHER = "anaplan://FP%26A%20Hub/journal_lines", "s3://plans/approved"
DAG_FILE = f"""\
from airflow.sdk import DAG

from airflow_provider_mlconnector.dags import plan_dag
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plan_spec import Start
from tests.airflow.closing_runs import FLOW, changed

flow = load_flow(FLOW)
starts = {{
    "After a close": {{"after": "{CLOSE}"}},
    "After another": {{"after": "{OTHER}"}},
    "On the calendar": {{"start": Start.CALENDAR}},
    "By hand": {{}},
}}
plans = [flow.spec.plan[0].model_copy(update={{"name": name, **how}}) for name, how in starts.items()]
made = changed(flow, plan=tuple(plans))
for dag in [plan_dag(made, spec) for spec in made.spec.plan]:
    globals()[dag.dag_id] = dag
"""
BY_CLOSE, BY_OTHER, BY_CALENDAR, BY_HAND = (
    f"larkfield_close__{name}" for name in ("after_a_close", "after_another", "on_the_calendar", "by_hand")
)


@pytest.fixture
def scheduler(tmp_path):
    """Parse the DAGs into a database; return what one round of the scheduler starts after some asset events."""
    set_up_database()
    (tmp_path / "plans.py").write_text(DAG_FILE)
    bag = DagBag(str(tmp_path))
    assert not bag.import_errors
    dags = [LazyDeserializedDAG.from_dag(dag) for dag in bag.dags.values()]
    with create_session() as session:
        update_dag_parsing_results_in_db(BUNDLE, None, dags, {}, 0.1, set(), session)
        for dag in dags:
            session.get(DagModel, dag.dag_id).is_paused = False
    runner = SchedulerJobRunner(Job(), executors=[object()])

    def started(*events):
        with create_session() as session:
            for uri, event in events:
                asset = session.scalar(select(AssetModel).where(AssetModel.uri == uri))
                AssetManager.register_asset_change(asset=asset, session=session, **event)
        with create_session() as session, prohibit_commit(session) as guard:
            runner._create_dagruns_for_dags(guard, session)
        with create_session() as session:
            return {run.dag_id: context_of(run) for run in session.scalars(select(DagRun)) if run.dag_id in bag.dags}

    yield started
    with create_session() as session:
        for dag in dags:
            session.get(DagModel, dag.dag_id).is_paused = True


def context_of(run):
    """Return what a task of the run is given of its start."""
    told = SimpleNamespace(partition_key=run.partition_key, conf=run.conf)
    events = [SimpleNamespace(partition_key=one.partition_key, extra=one.extra) for one in run.consumed_asset_events]
    return {"dag_run": told, "partition_key": run.partition_key, "triggering_asset_events": {"it": events}}


def test_a_close_that_ended_and_any_other_asset_start_the_plans_that_wait_for_them_and_say_their_periods(scheduler):
    flow = load_flow(FLOW)
    started = scheduler(
        (CLOSE, {"partition_key": "FY2027-P05", "extra": {"flow": "larkfield_close"}}),
        (OTHER, {"extra": {"period": "FY2027-P06"}}),
    )
    assert {name: [period.key for period in periods_of(run, flow)] for name, run in started.items()} == {
        BY_CLOSE: ["FY2027-P05"],
        BY_OTHER: ["FY2027-P06"],
    }
    assert BY_HAND not in started
    with create_session() as session:
        due = {name: session.get(DagModel, name).next_dagrun_create_after for name in (BY_CALENDAR, BY_HAND)}
    assert due[BY_CALENDAR] is not None
    assert due[BY_HAND] is None
