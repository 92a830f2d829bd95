# SPDX-License-Identifier: Apache-2.0
"""The run that a sweep starts, through Airflow's own execution API: its period, its name, and that there is one."""

import pytest
from airflow.dag_processing.collection import update_dag_parsing_results_in_db
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.session import create_session
from sqlalchemy import select

from tests.airflow.schedules.scheduling import BUNDLE, set_up_database

DAG_FILE = """
from airflow.sdk import DAG, task

from airflow_provider_mlconnector.finance.calendar import calendar_from_json
from airflow_provider_mlconnector.finance.schedule import Schedule
from airflow_provider_mlconnector.operators.sweep import ReloadOperator
from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable

months = calendar_from_json({"calendar": "months", "kind": "monthly"})
with DAG("a_flow_that_reloads", schedule=CloseCalendarTimetable(months, Schedule()), catchup=False) as dag:

    @task
    def late_postings():
        return [{"period": "FY2026-P03", "digest": "c" * 64}, {"period": "FY2026-P04", "digest": "d" * 64}]

    ReloadOperator.partial(task_id="load_late_postings").expand_kwargs(late_postings())
"""


@pytest.fixture
def dag(tmp_path):
    set_up_database()
    (tmp_path / "reloading.py").write_text(DAG_FILE)
    bag = DagBag(str(tmp_path))
    [dag] = bag.dags.values()
    with create_session() as session:
        update_dag_parsing_results_in_db(BUNDLE, None, [LazyDeserializedDAG.from_dag(dag)], {}, 0.1, set(), session)
    yield dag
    with create_session() as session:
        session.get(DagModel, dag.dag_id).is_paused = True


def runs(dag):
    with create_session() as session:
        found = session.scalars(select(DagRun).where(DagRun.dag_id == dag.dag_id).order_by(DagRun.run_id))
        return {run.run_id: (run.conf, run.state, run.note) for run in found if run.run_type == "operator_triggered"}


def test_a_sweep_starts_one_run_for_each_set_of_late_postings(dag):
    first = dag.test()
    started = runs(dag)
    assert list(started) == [f"late_postings__FY2026-P03__{'c' * 12}", f"late_postings__FY2026-P04__{'d' * 12}"]
    for period, (conf, state, note) in zip(("FY2026-P03", "FY2026-P04"), started.values(), strict=True):
        assert (conf, state) == ({"period": period}, "queued")
        assert note == f"Late postings of {period}, found by {first.run_id}."
    assert first.state == "success"

    again = dag.test()
    assert runs(dag).keys() == started.keys(), "the same postings are not loaded twice"
    with create_session() as session:
        states = select(TaskInstance.state).where(
            TaskInstance.run_id == again.run_id, TaskInstance.task_id == "load_late_postings"
        )
        assert list(session.scalars(states)) == ["skipped", "skipped"]
