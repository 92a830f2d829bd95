# SPDX-License-Identifier: Apache-2.0
import pytest
import requests

from airflow_provider_mlconnector.sandbox.anaplan.site import site_of
from airflow_provider_mlconnector.sandbox.app import describe_all
from airflow_provider_mlconnector.sandbox.state import World
from tests.unit.sandbox.anaplan.caller import ACTUALS


def test_ids_are_the_same_for_one_seed_and_differ_for_another(sandbox):
    def ids(seed):
        info = describe_all(World.create(seed=seed), ["anaplan"], "http://x")["anaplan"]
        return info["workspace_id"], info["model_id"], info["login"], info["password"], info["import_ids"]

    first = sandbox.info["anaplan"]
    assert ids(1)[:4] == (first["workspace_id"], first["model_id"], first["login"], first["password"])
    assert ids(1) == ids(1)
    assert ids(2)[:2] != ids(1)[:2]


def test_ids_have_the_prefixes_and_cases_of_their_kinds(sandbox):
    info = sandbox.info["anaplan"]
    prefixes = {
        "list": "101",
        "module": "102",
        "import": "112",
        "file": "113",
        "export": "116",
        "action": "117",
        "process": "118",
    }
    for kind, prefix in prefixes.items():
        assert {(value[:3], len(value)) for value in info[f"{kind}_ids"].values()} == {(prefix, 12)}
    assert info["workspace_id"] == info["workspace_id"].lower()
    assert info["model_id"] == info["model_id"].upper()
    assert (len(info["workspace_id"]), len(info["model_id"])) == (32, 32)


def test_a_person_changes_cells_and_sees_them_chosen(closed_books):
    where = {"Account": "1100", "Cost Centre": "ADM", "Entity": "Larkfield", "Version": "Actual"}
    cells = [{**where, "Time": "Jul 25", "Amount": "1.10"}, {**where, "Time": "Aug 25", "Amount": "2"}]
    assert closed_books.control("POST", "/cells", {"module": "GL Actuals", "cells": cells}) == {"changed": 2}
    assert closed_books.cells("GL Actuals", Time="Aug 25") == [cells[1]]
    assert closed_books.cells("GL Actuals", Account="Cash", Time="Jul 25") == [cells[0]]
    assert closed_books.cells("GL Actuals", Version="Budget") == []


def test_a_person_adds_and_removes_members(anaplan):
    rows = [{"code": "1", "name": "One"}, {"code": "2", "name": "Two", "parent": "1"}]
    anaplan.control("POST", "/members", {"list": "Accounts", "members": rows})
    assert anaplan.members("Accounts") == [("1", "One", ""), ("2", "Two", "1")]
    assert anaplan.control("DELETE", "/members", {"list": "Accounts", "members": ["1", "none"]}) == {"removed": 1}
    assert anaplan.members("Accounts") == [("2", "Two", "")]


def test_tasks_are_counted_by_action(anaplan):
    for _ in range(2):
        anaplan.load("Load Vendors", "Code,Name\nV1,Smith\n")
    anaplan.run("exports", anaplan.info["export_ids"]["Approved Budget"])
    found = anaplan.control("GET", "/tasks")
    assert found["starts"] == {"Load Vendors": 2, "Approved Budget": 1}
    assert {task["state"] for task in found["tasks"]} == {"COMPLETE"}


def test_events_tell_upload_start_run_end_and_outcome_in_order(anaplan):
    anaplan.load("Load Vendors", "Code,Name\nV1,Smith\n")
    events = anaplan.control("GET", "/events")["events"]
    assert [event["kind"] for event in events] == ["upload", "chunk", "start", "run", "end", "outcome"]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


def test_a_snapshot_brings_the_model_back(closed_books):
    closed_books.control("POST", "/model", {"snapshot": "before"})
    closed_books.load("Load GL Actuals", ACTUALS + "1100,ADM,Larkfield,Actual,Jul 25,1\n")
    closed_books.load("Load Accounts", "Code,Name,Parent\n9000,New,\n")
    closed_books.control("POST", "/model", {"restore": "before"})
    assert closed_books.cells("GL Actuals") == []
    assert ("9000", "New", "") not in closed_books.members("Accounts")


def test_the_planners_enter_a_budget_for_twelve_months(closed_books):
    assert closed_books.control("POST", "/plan", {"first": "Jul 26"}) == {"changed": 3 * 2 * 12}
    cells = closed_books.cells("GL Actuals", Version="Budget")
    assert {cell["Time"] for cell in cells} >= {"Jul 26", "Jun 27"}
    assert {cell["Account"] for cell in cells} == {"1100", "1200", "6100"}


def test_all_tokens_can_be_ended(anaplan):
    assert anaplan.control("DELETE", "/tokens") == {"revoked": 1}
    assert anaplan.get("/imports").status_code == 401


def test_switches_are_shown_set_and_set_back(anaplan, site):
    before = anaplan.control("GET", "/switches")
    assert anaplan.control("POST", "/switches", {"page_size": 7, "busy": "hang"})["page_size"] == 7
    assert (site.switches.page_size, site.switches.busy) == (7, "hang")
    assert anaplan.control("DELETE", "/switches")["page_size"] == 5000
    assert before["page_size"] == 5000


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/switches", {"colour": "red"}, 400),
        ("POST", "/switches", {"busy": "sometimes"}, 400),
        ("POST", "/model", {"state": "ASLEEP"}, 400),
        ("POST", "/model", {"restore": "never"}, 404),
        ("POST", "/tasks", {"action": "Load Nothing"}, 404),
        ("POST", "/tasks/0/cancel", {}, 404),
        ("POST", "/devices", {"user_code": "NONE"}, 404),
        ("POST", "/cells", {"module": "None", "cells": []}, 404),
        ("POST", "/members", {"list": "None", "members": []}, 404),
        ("POST", "/members", {"list": "Accounts"}, 400),
        ("GET", "/cells", None, 404),
        ("PATCH", "/cells", None, 405),
    ],
)
def test_senseless_control_requests_say_why(sandbox, method, path, body, status):
    answer = requests.request(method, f"{sandbox.url}/_sandbox/anaplan{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_two_worlds_share_nothing():
    assert site_of(World.create()) is not site_of(World.create())
