# SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, BaseHook
from airflow.serialization.serialized_objects import DagSerialization

from airflow_provider_mlconnector.dags import close_dags, group_ids
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.plans import erp_pool_name, pool_of
from airflow_provider_mlconnector.operators.anaplan import AnaplanDeleteOperator
from airflow_provider_mlconnector.policies import task_policy

DAGS = Path(__file__).parents[2] / "dags"
HEAVY = ("pandas", "pyarrow", "numpy", "requests", "duckdb", "msal", "zeep")


@pytest.fixture(scope="module")
def bag():
    return DagBag(str(DAGS))


@pytest.fixture(scope="module")
def dag(bag):
    return bag.dags["larkfield_close"]


def test_every_dag_file_is_read_without_an_error(bag):
    assert bag.import_errors == {}
    assert bag.dags


def test_parsing_looks_no_connection_up(monkeypatch):
    monkeypatch.setattr(BaseHook, "get_connection", lambda *_: pytest.fail("a connection is looked up at parse"))
    assert close_dags(DAGS / "flows")


def test_every_task_is_in_the_pool_of_the_model_or_of_the_ledger_that_it_works_with(dag):
    from airflow_provider_mlconnector.flows.loader import load_flow

    flow = load_flow(DAGS / "flows" / "larkfield_close.yaml")
    model, ledger = pool_of(flow), erp_pool_name(flow.spec.erp.conn_id)
    assert model in dag.doc_md
    assert ledger in dag.doc_md
    for task in dag.tasks:
        reads = task.task_id.startswith("extract.") or task.task_id == "late_postings"
        assert task.pool == (ledger if reads else model)
        task_policy(task)


def test_the_author_may_put_an_extract_into_another_pool():
    from airflow_provider_mlconnector.finance.datasets import Dataset
    from airflow_provider_mlconnector.flows.loader import load_flow
    from airflow_provider_mlconnector.operators.erp import ExtractOperator

    flow = load_flow(DAGS / "flows" / "larkfield_close.yaml")
    task = ExtractOperator(task_id="extract", flow=flow, dataset=Dataset.ACCOUNTS, pool="of_their_own")
    task_policy(task)
    assert task.pool == "of_their_own"


def test_a_flow_may_say_where_the_tasks_run_that_talk_to_its_ledger(tmp_path):
    shutil.copytree(DAGS, tmp_path / "dags")
    file = tmp_path / "dags" / "flows" / "gp_distributor_close.yaml"
    text = file.read_text().replace("# hours:", "  hours:")
    file.write_text(text + "queue: gp-site\nexecutor: EdgeExecutor\n")
    (dag,) = close_dags(file).values()
    assert "in the queue `gp-site`" in dag.doc_md
    assert "from 20:00 to 06:00" in dag.doc_md
    for task in dag.tasks:
        talks = task.task_id.startswith("extract.") or task.task_id == "late_postings"
        assert (task.queue, task.executor) == (("gp-site", "EdgeExecutor") if talks else ("default", None))


def test_tasks_retry_and_tell_what_they_do(dag):
    for task in dag.tasks:
        assert task.retries >= 1
        assert task.retry_policy is not None
        assert task.doc_md


def test_loads_make_one_chain_in_the_order_of_the_flow(dag):
    loads = [task for task in dag.topological_sort() if task.task_id.endswith(".load")]
    names = [task.import_name for task in loads]
    assert names.index("Load Accounts") < names.index("Load GL Actuals")
    for earlier, later in pairwise(loads):
        prepare = later.task_id.replace(".load", ".prepare")
        assert earlier.task_id in dag.get_task(prepare).upstream_task_ids
        assert prepare in later.upstream_task_ids


def test_extracts_run_side_by_side_and_the_check_comes_last(dag):
    extracts = [task for task in dag.tasks if task.task_id.startswith("extract.")]
    assert all(not task.upstream_task_ids for task in extracts)
    assert [task.task_id for task in dag.leaves] == ["reconcile"]


def test_a_dag_can_be_backfilled_and_asks_for_nothing(dag):
    assert dag.timetable.periodic
    assert dag.catchup is False
    assert dag.params["full"] is False
    assert len(dag.params) <= 10
    assert "mlconnector" in dag.tags


def test_the_page_of_a_dag_tells_how_to_load_a_period_again(dag):
    assert "--reprocess-behavior completed" in dag.doc_md
    assert "partition key" in dag.doc_md
    assert "Load GL Actuals" in dag.doc_md


def test_a_dag_survives_serialization(dag):
    data = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    again = DagSerialization.from_dict(data)
    assert set(again.task_dict) == set(dag.task_dict)
    assert again.timetable.serialize() == dag.timetable.serialize()


def test_two_imports_of_one_plain_name_are_two_groups():
    assert group_ids(["Load A", "load-a", "§§"]) == ["load_a", "load_a_2", "load"]


def test_a_wrong_flow_file_is_an_import_error_with_file_and_line(tmp_path):
    (tmp_path / "dags" / "flows").mkdir(parents=True)
    (tmp_path / "dags" / "business_central.py").write_text((DAGS / "business_central.py").read_text())
    (tmp_path / "dags" / "flows" / "bad.yaml").write_text("flow: bad\nerp: {system: nothing}\n")
    errors = DagBag(str(tmp_path / "dags")).import_errors
    assert "bad.yaml:2" in next(iter(errors.values()))


def test_a_folder_may_hold_flows_of_several_ledgers():
    by_system = {system: close_dags(DAGS / "flows", system=system) for system in System}
    assert sorted(name for dags in by_system.values() for name in dags) == sorted(close_dags(DAGS / "flows"))
    assert all(by_system.values())
    assert close_dags(DAGS / "flows", system="another") == {}


def _measure(code):
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    return json.loads(done.stdout.splitlines()[-1])


def test_parsing_a_dag_file_is_cheap_and_imports_nothing_heavy():
    # frozen, so that no full collection of what Airflow loaded before falls into the time
    code = f"""
import gc, json, runpy, sys, time
import airflow.sdk
from airflow.sdk import DAG
gc.collect()
gc.freeze()
start = time.process_time()
runpy.run_path({str(DAGS / "business_central.py")!r})
print(json.dumps([time.process_time() - start, [name for name in {HEAVY!r} if name in sys.modules]]))
"""
    measured = [_measure(code) for _ in range(3)]
    assert all(heavy == [] for _, heavy in measured)
    assert min(seconds for seconds, _ in measured) < 0.3


def test_what_every_process_loads_imports_nothing_heavy():
    code = f"""
import json, sys
import airflow_provider_mlconnector.policies
import airflow_provider_mlconnector.plugins.mlconnector
import airflow_provider_mlconnector.operators.anaplan
import airflow_provider_mlconnector.sensors.anaplan
import airflow_provider_mlconnector.triggers.anaplan
import airflow_provider_mlconnector.hooks.business_central
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
    assert _measure(code) == []


# The policy on real tasks


def _mapped(**partial):
    with DAG("some"):
        return AnaplanDeleteOperator.partial(task_id="rm", workspace="Finance", **partial)


def test_a_mapped_task_of_one_model_is_put_into_its_pool():
    task = _mapped(model="Hub").expand(action=["a", "b"])
    task_policy(task)
    assert task.pool == "anaplan__anaplan_default__Finance__Hub"


def test_a_task_that_is_mapped_over_models_needs_a_pool():
    from airflow.exceptions import AirflowClusterPolicyViolation

    with pytest.raises(AirflowClusterPolicyViolation, match="Give it the model's pool"):
        task_policy(_mapped(action="a").expand(model=["One", "Two"]))


def test_other_mapped_tasks_are_left_alone():
    from airflow.providers.standard.operators.bash import BashOperator

    with DAG("some"):
        task = BashOperator.partial(task_id="a").expand(bash_command=["true"])
    task_policy(task)
    assert task.pool == "default_pool"


def test_the_plugin_registers_the_timetable():
    from airflow_provider_mlconnector.plugins.mlconnector import MlconnectorPlugin
    from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable

    assert MlconnectorPlugin.timetables == [CloseCalendarTimetable]
