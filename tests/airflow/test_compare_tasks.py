# SPDX-License-Identifier: Apache-2.0
"""A list comes back and is held against SYSPRO's own: the tasks of its DAG, as Airflow runs them."""

import csv
import json
from pathlib import Path

import pytest
from airflow.sdk import Connection, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airflow_provider_mlconnector.bench import open_bench
from airflow_provider_mlconnector.dags import compare_dag, flow_dags
from airflow_provider_mlconnector.demo.sandbox import connections
from airflow_provider_mlconnector.flows.compare_spec import CompareSpec, Often
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plans import erp_pool_name, pool_of
from airflow_provider_mlconnector.pipeline.comparison import ComparisonManifest
from airflow_provider_mlconnector.policies import task_policy
from tests.airflow.closing_runs import Run, changed, only

FLOWS = Path(__file__).parents[2] / "dags" / "flows"
FLOW = FLOWS / "syspro_trading_close.yaml"
NAME = "syspro_trading_close__export_vendors"
TOO_LONG = "SupplierName exceeds 50 characters"
ORDER = ["export", "read", "compare", "ask"]


@pytest.fixture(scope="module")
def flow():
    return load_flow(FLOW)


@pytest.fixture(scope="module")
def dag():
    return flow_dags(FLOWS, system="syspro")[NAME]


@pytest.fixture
def systems():
    return ("anaplan", "syspro")


@pytest.fixture
def site(site, monkeypatch):
    told = connections({"url": site.url, **site.info})["syspro_default"]
    fields = told | {"extra": json.dumps(told["extra"])}
    monkeypatch.setenv("AIRFLOW_CONN_SYSPRO_DEFAULT", Connection(conn_id="syspro_default", **fields).as_json())
    return site


@pytest.fixture
def loaded(site, flow):
    """Return the site once the close has brought the suppliers into the model."""
    closing = Run(only(flow, "vendors"), period="FY2027-P04")
    for task_id in ("extract.vendors", "load_vendors.prepare", "load_vendors.load"):
        closing.execute(task_id)
    return site


def compared(flow, *, with_setup=True, spec=None):
    """Run all tasks; return what the last one says, and the lines of its report."""
    spec = spec or flow.spec.compare[0]
    spec = spec if with_setup else spec.model_copy(update={"setup": None})
    made = changed(flow, compare=(spec,))
    run = Run(made, period=None, dag=compare_dag(made, spec))
    for task in sorted(run.dag.task_ids, key=ORDER.index):
        run.execute(task)
    done = ComparisonManifest.from_json(json.loads(json.dumps(run.results["ask" if spec.setup else "compare"])))
    with open_bench().stage.fetch(done.report).open(encoding="utf-8-sig", newline="") as stream:
        return done, [tuple(line.values()) for line in csv.DictReader(stream)]


def members(site):
    return site.control("anaplan/members?list=Vendors", method="GET")["members"]


def test_a_comparison_is_a_dag_of_its_own_that_starts_by_time_or_by_hand(dag, flow):
    assert [task.task_id for task in dag.topological_sort()] in (ORDER, ["read", "export", "compare", "ask"])
    assert isinstance(dag.timetable, CronTriggerTimetable)
    by_hand = flow.spec.compare[0].model_copy(update={"often": Often.MANUAL})
    assert compare_dag(changed(flow, compare=(by_hand,)), by_hand).schedule is None
    again = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert set(again.task_dict) == set(ORDER)
    assert "Nothing is changed in either" in dag.doc_md
    assert "Weekly (" in dag.doc_md


def test_only_what_works_in_model_or_ledger_takes_a_slot_of_its_pool(dag, flow):
    ledger = erp_pool_name(flow.spec.erp.conn_id)
    for task_id, pool in zip(ORDER, [pool_of(flow), ledger, "default_pool", ledger], strict=True):
        task = dag.get_task(task_id)
        task_policy(task)
        assert task.pool == pool
        assert task.doc_md


def test_a_list_that_says_the_same_has_no_report(loaded, flow):
    done, lines = compared(flow)
    assert (done.counts, done.asked, lines) == ({}, 0, [])
    assert done.listed == done.kept > 5


def test_suppliers_that_somebody_changed_in_the_model_are_told_and_nothing_is_changed(loaded, flow):
    first, second, third = (member["code"] for member in members(loaded)[:3])
    names = {member["code"]: member["name"] for member in members(loaded)}
    loaded.control("anaplan/members", {"list": "Vendors", "member": first, "name": "Renamed Ltd"}, method="PATCH")
    loaded.control("anaplan/members", {"list": "Vendors", "member": second, "name": "x" * 51}, method="PATCH")
    loaded.control("anaplan/members", {"list": "Vendors", "members": [third]}, method="DELETE")
    loaded.control("anaplan/members", {"list": "Vendors", "members": [{"code": "NEW-1", "name": "Typed by a planner"}]})

    done, lines = compared(flow)

    assert sorted(lines) == sorted(
        [
            (first, "otherwise", "Vendors", "Renamed Ltd", names[first], "would be taken"),
            (second, "otherwise", "Vendors", "x" * 51, names[second], f"suppliername: {TOO_LONG}"),
            (third, "not in the list", "", "", names[third], ""),
            ("NEW-1", "not in the ledger", "", "Typed by a planner", "", "would be taken"),
        ]
    )
    assert (done.asked, done.refused) == (3, 1)
    assert done.counts == {"otherwise": 2, "not in the list": 1, "not in the ledger": 1}
    told = loaded.control("syspro/journals", method="GET")
    assert (told["setup_checks"], told["setup_changes"]) == (3, 0)
    assert compared(flow, with_setup=False)[0].counts == done.counts  # the ledger is as it was


def test_an_object_that_changes_what_it_is_only_asked_about_is_found_out_at_the_first_record(loaded, flow):
    new = [{"code": f"NEW-{number}", "name": f"Typed {number}"} for number in range(3)]
    loaded.control("anaplan/members", {"list": "Vendors", "members": new})
    loaded.control("syspro/switches", {"setup_heeds": False}, method="PATCH")
    with pytest.raises(AirflowFailException, match=r"has NEW-0 as the list says since it was asked.*ValidateOnly"):
        compared(flow)
    assert loaded.control("syspro/journals", method="GET")["setup_changes"] == 1


def test_a_comparison_is_a_run_on_the_trail_with_its_files(loaded, flow):
    loaded.control("anaplan/members", {"list": "Vendors", "members": [{"code": "NEW-1", "name": "Typed"}]})
    before = len(loaded.trail.runs())
    done, _ = compared(flow)
    run, *others = loaded.trail.runs()
    assert (run.outcome, run.period, len(others)) == ("succeeded", "", before)
    (listed,) = loaded.events("listed")
    first, second = loaded.events("compared")
    assert first.detail["sentences"] == ["NEW-1 (Typed) is not in the ledger"]
    assert (second.detail["asked"], second.detail["refused"], second.detail["sentences"]) == (1, 0, [])
    assert done.report in second.files
    assert listed.files
    assert loaded.trail.verify(check_file=open_bench().stage.fetch) == []


def test_a_ledger_without_a_setup_object_is_compared_all_the_same(loaded, flow):
    loaded.control("anaplan/members", {"list": "Customers", "members": [{"code": "C-NEW", "name": "Typed"}]})
    spec = CompareSpec(export="Export Customers", dataset="customers", columns={"Code": "number", "Customers": "name"})
    done, lines = compared(flow, spec=spec)
    assert done.counts.keys() == {"not in the ledger", "not in the list"}
    assert ("C-NEW", "not in the ledger", "", "Typed", "", "") in lines
