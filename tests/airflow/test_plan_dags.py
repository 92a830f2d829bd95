# SPDX-License-Identifier: Apache-2.0
"""The DAG of a plan: its tasks, where they run, how it starts, and what its pages say."""

import json
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import BaseNotifier, PartitionedAssetTimetable
from airflow.serialization.serialized_objects import DagSerialization

from airflow_provider_mlconnector.dags import close_dags, flow_dags, plan_dag, plan_dags
from airflow_provider_mlconnector.demo.rehearsal import DAG_IDS
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plan_spec import Start
from airflow_provider_mlconnector.flows.plans import erp_pool_name, pool_of
from airflow_provider_mlconnector.policies import task_policy
from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable
from tests.airflow.closing_runs import FLOW, changed

DAGS = Path(__file__).parents[2] / "dags"
ORDER = ["export", "resolve", "preflight", "approve", "write", "verify"]


@pytest.fixture(scope="module")
def flow():
    return load_flow(FLOW)


@pytest.fixture(scope="module")
def dag():
    return DagBag(str(DAGS / "business_central.py")).dags["larkfield_close__approved_budget"]


def with_plan(flow, **plan):
    """Return a flow whose plan says something else, and its plan."""
    made = changed(flow, plan=(flow.spec.plan[0].model_copy(update=plan),))
    return made, made.spec.plan[0]


def test_the_tasks_follow_each_other(dag):
    assert [task.task_id for task in dag.topological_sort()] == ORDER
    assert [task.task_id for task in dag.leaves] == ["verify"]


def test_only_what_works_in_model_or_ledger_takes_a_slot_of_its_pool(dag, flow):
    model, ledger = pool_of(flow), erp_pool_name(flow.spec.erp.conn_id)
    pools = [model, model, ledger, "default_pool", ledger, ledger]
    for task_id, pool in zip(ORDER, pools, strict=True):
        task = dag.get_task(task_id)
        task_policy(task)
        assert task.pool == pool


def test_what_talks_to_the_ledger_runs_where_the_flow_says(flow):
    elsewhere = changed(flow, queue="erp-site")
    tasks = plan_dag(elsewhere, elsewhere.spec.plan[0]).tasks
    assert {task.task_id for task in tasks if task.queue == "erp-site"} == {"preflight", "write", "verify"}


def test_every_task_retries_and_tells_what_it_does(dag):
    for task in dag.tasks:
        assert task.retries >= 1
        assert task.retry_policy is not None
        assert task.doc_md


def test_a_dag_survives_serialization(dag):
    again = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert set(again.task_dict) == set(ORDER)
    assert again.params.dump() == {"periods": None, "version": "Budget"}


def test_the_form_of_a_run_asks_for_periods_and_version_and_the_answers_for_a_reason(dag):
    assert dag.params.dump() == {"periods": None, "version": "Budget"}
    assert dag.get_task("approve").serialized_params.keys() == {"reason"}


def test_the_page_of_a_dag_tells_what_it_does_when_and_who_is_asked(dag):
    for part in (
        "back to **Larkfield Ltd**",
        "nothing is posted",
        "With *Trigger*, for the fiscal periods and the version that its form names.",
        "anybody who may answer in Airflow**, but not who asked for the run",
        "within 168h",
    ):
        assert part in dag.doc_md


def test_a_plan_starts_by_hand_by_the_calendar_or_by_an_asset(dag, flow):
    assert dag.schedule is None
    by_calendar = plan_dag(*with_plan(flow, start=Start.CALENDAR))
    assert isinstance(by_calendar.timetable, CloseCalendarTimetable)
    after = "anaplan://FP%26A%20Hub/journal_lines"
    by_asset = plan_dag(*with_plan(flow, after=after))
    assert isinstance(by_asset.timetable, PartitionedAssetTimetable)
    elsewhere = plan_dag(*with_plan(flow, after="s3://plans/approved"))
    assert [asset.uri for asset in elsewhere.timetable.asset_condition.objects] == ["s3://plans/approved"]
    told = [made.params.get_param("periods").description for made in (dag, by_calendar, by_asset)]
    assert [text.partition("P05.")[2] for text in told] == [
        "",
        " Empty: the run's partition key.",
        " Empty: those that the asset's events name.",
    ]
    for made in (by_calendar, by_asset, elsewhere):
        assert DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(made))))


def test_whoever_is_to_answer_is_told(tmp_path):
    class Note(BaseNotifier):
        def notify(self, context): ...

    note = Note()
    dag = plan_dags(FLOW, notifiers=[note])["larkfield_close__approved_budget"]
    assert dag.get_task("approve").notifiers == [note]


@pytest.mark.parametrize("system", DAG_IDS)
def test_the_file_of_each_ledger_gives_its_close_and_its_plan(system):
    close = DAG_IDS[system]
    assert set(plan_dags(DAGS / "flows", system=system)) == {f"{close}__approved_budget"}
    assert {close, f"{close}__approved_budget"} <= DagBag(str(DAGS / f"{system}.py")).dags.keys()


def test_another_ledger_has_no_plan():
    assert plan_dags(DAGS / "flows", system="another") == {}


def test_closes_plans_and_comparisons_of_a_folder_come_together():
    folder = DAGS / "flows"
    compared = {"syspro_trading_close__export_vendors"}
    assert flow_dags(folder).keys() == close_dags(folder).keys() | plan_dags(folder).keys() | compared


def test_plans_of_like_names_are_dags_of_their_own_in_plain_letters(flow):
    (plan,) = flow.spec.plan
    names = ("Planung für März", "planung - für märz", "Planung")
    several = changed(flow, plan=tuple(plan.model_copy(update={"name": name}) for name in names))
    ids = [plan_dag(several, spec).dag_id for spec in several.spec.plan]
    assert ids == [
        "larkfield_close__planung_f_r_m_rz",
        "larkfield_close__planung_f_r_m_rz_2",
        "larkfield_close__planung",
    ]
