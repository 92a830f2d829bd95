# SPDX-License-Identifier: Apache-2.0
import csv
import io
import threading
import time

import pytest
import requests

from tests.unit.sandbox.anaplan.caller import ACCOUNTS, ACTUALS, CENTRES, Caller, counts, until

VENDORS = "Code,Name\nV1,Smith\n"


@pytest.fixture
def import_id(anaplan):
    return anaplan.info["import_ids"]["Load Vendors"]


@pytest.fixture
def held(anaplan, clock, import_id):
    """Return a caller whose import is in progress until the clock moves."""
    anaplan.upload("Load Vendors", VENDORS)
    clock.freeze()
    anaplan.start("imports", import_id)
    until(lambda: anaplan.get(f"/imports/{import_id}/tasks").json()["tasks"][0]["taskState"] == "IN_PROGRESS")
    return anaplan


def states(caller, import_id):
    return [task["taskState"] for task in caller.get(f"/imports/{import_id}/tasks").json()["tasks"]]


def test_a_task_goes_from_not_started_to_in_progress_to_complete_as_the_clock_says(anaplan, clock, import_id):
    anaplan.upload("Load Vendors", VENDORS)
    clock.freeze()
    anaplan.switch(queue_seconds=5, task_seconds=10, longest_task_seconds=10)
    task_id = anaplan.start("imports", import_id)
    task = anaplan.task("imports", import_id, task_id)
    assert (task["taskState"], task["progress"], "result" in task) == ("NOT_STARTED", 0.0, False)
    clock.advance(5)
    until(lambda: anaplan.task("imports", import_id, task_id)["taskState"] == "IN_PROGRESS")
    clock.advance(4)
    task = anaplan.task("imports", import_id, task_id)
    assert (task["progress"], "result" in task) == (0.4, False)
    assert anaplan.members("Vendors") == []
    clock.advance(6)
    task = anaplan.wait("imports", import_id, task_id)
    assert (task["taskState"], task["progress"]) == ("COMPLETE", 1.0)
    assert anaplan.members("Vendors") == [("V1", "Smith", "")]


def test_a_second_task_waits_for_the_first(held, clock, import_id):
    held.start("imports", import_id)
    assert states(held, import_id) == ["IN_PROGRESS", "NOT_STARTED"]
    clock.unfreeze()
    until(lambda: states(held, import_id) == ["COMPLETE", "COMPLETE"])
    runs = [event for event in held.control("GET", "/events")["events"] if event["kind"] in ("run", "end")]
    assert [event["kind"] for event in runs] == ["run", "end", "run", "end"]


def test_tasks_run_in_the_order_of_their_starts(held, clock, import_id):
    waiting = [held.start("imports", held.info["import_ids"][name]) for name in ("Load Accounts", "Load Employees")]
    clock.unfreeze()
    for task_id, name in zip(waiting, ("Load Accounts", "Load Employees"), strict=True):
        held.wait("imports", held.info["import_ids"][name], task_id)
    runs = [event["task_id"] for event in held.control("GET", "/events")["events"] if event["kind"] == "run"]
    assert runs[1:] == waiting


def test_a_second_task_may_be_refused_instead(held, import_id):
    held.switch(busy="conflict409")
    answer = held.post(f"/imports/{import_id}/tasks", json={"localeName": "en_US"})
    assert answer.status_code == 409
    assert states(held, import_id) == ["IN_PROGRESS"]


def hangs(caller, method, path, **more):
    try:
        caller.session.request(method, caller.info["api_url"] + caller.model_path + path, timeout=0.1, **more)
    except requests.ReadTimeout:
        return True
    return False


def test_a_second_task_may_hang_instead(held, clock, import_id):
    held.switch(busy="hang")
    assert hangs(held, "POST", f"/imports/{import_id}/tasks", json={"localeName": "en_US"})
    assert states(held, import_id) == ["IN_PROGRESS"]
    clock.unfreeze()
    # the client is gone, yet its task starts
    until(lambda: states(held, import_id) == ["COMPLETE", "COMPLETE"])


def test_a_busy_model_answers_about_tasks_and_definitions_and_lets_all_else_hang(held, import_id):
    for path in ("/imports", f"/imports/{import_id}", "/processes", "/exports", "/actions", "/files", "/status"):
        assert held.get(path).status_code == 200
    for path in ("/lists", "/views", "/modules", f"/lists/{held.info['list_ids']['Vendors']}/items"):
        assert hangs(held, "GET", path)
    held.upload("Load Vendors", VENDORS)
    held.switch(uploads_while_busy="hang")
    assert hangs(held, "POST", f"/files/{held.info['file_ids']['Load Vendors']}", json={"chunkCount": 1})
    held.switch(reads_while_busy="answer")
    assert held.get("/lists").status_code == 200


def test_a_request_hangs_for_so_long_and_no_longer(held):
    held.switch(hang_seconds=0.05)
    assert held.get("/lists").status_code == 200


def test_a_hanging_request_is_answered_when_the_model_is_free(held, clock):
    timer = threading.Timer(0.1, clock.unfreeze)
    timer.start()
    assert held.get("/lists").status_code == 200
    timer.join()


def test_a_person_at_work_makes_the_model_busy_and_tasks_wait(anaplan, clock, import_id):
    anaplan.upload("Load Vendors", VENDORS)
    clock.freeze()
    anaplan.control("POST", "/model", {"hold_seconds": 60})
    task_id = anaplan.start("imports", import_id)
    clock.advance(59)
    time.sleep(0.05)
    assert anaplan.task("imports", import_id, task_id)["taskState"] == "NOT_STARTED"
    clock.unfreeze()
    clock.advance(1)
    assert anaplan.wait("imports", import_id, task_id)["result"]["successful"] is True


def test_a_cancelled_task_leaves_nothing_behind(held, clock, import_id):
    (task,) = held.get(f"/imports/{import_id}/tasks").json()["tasks"]
    answer = held.delete(f"/imports/{import_id}/tasks/{task['taskId']}")
    assert (answer.status_code, answer.json()["task"]["taskState"]) == (200, "CANCELLING")
    clock.unfreeze()
    ended = held.wait("imports", import_id, task["taskId"])
    assert (ended["taskState"], "result" in ended, "cancelledBy" in ended) == ("CANCELLED", False, True)
    assert held.members("Vendors") == []
    assert held.get(f"/models/{held.info['model_id']}?modelDetails=true", root=True).json()["model"][
        "modelTransactionRunning"
    ] in (True, False)
    held.switch(cancelled_has_result=True)
    result = held.task("imports", import_id, task["taskId"])["result"]
    assert [detail["type"] for detail in result["details"]] == ["msgImportCancelled"]


def test_a_waiting_task_is_cancelled_at_once(held, import_id):
    waiting = held.start("imports", import_id)
    held.delete(f"/imports/{import_id}/tasks/{waiting}")
    assert states(held, import_id) == ["IN_PROGRESS", "CANCELLED"]


def test_to_cancel_a_task_that_is_over_changes_nothing(anaplan, import_id):
    task = anaplan.load("Load Vendors", VENDORS)
    path = f"/imports/{import_id}/tasks/{task['taskId']}"
    assert anaplan.delete(path).json()["task"] == task
    anaplan.switch(cancel_terminal_is_404=True)
    assert anaplan.delete(path).status_code == 404


def test_another_person_can_cancel_a_task(held, clock, import_id):
    (task,) = held.control("GET", "/tasks")["tasks"]
    held.control("POST", f"/tasks/{task['task_id']}/cancel", {})
    clock.unfreeze()
    assert held.wait("imports", import_id, task["task_id"])["taskState"] == "CANCELLED"


@pytest.mark.parametrize(
    "body", [{}, {"localeName": ""}, {"localeName": 1}, {"localeName": "en_US", "mappingParameters": {}}]
)
def test_a_start_without_a_locale_or_with_a_malformed_mapping_is_refused(anaplan, import_id, body):
    assert anaplan.post(f"/imports/{import_id}/tasks", json=body).status_code == 400
    assert states_or_none(anaplan, import_id) == []


def states_or_none(caller, import_id):
    return caller.get(f"/imports/{import_id}/tasks").json().get("tasks", [])


def test_a_task_is_found_under_its_own_action_alone(anaplan, import_id):
    task = anaplan.load("Load Vendors", VENDORS)
    other = anaplan.info["import_ids"]["Load Accounts"]
    assert anaplan.get(f"/imports/{other}/tasks/{task['taskId']}").status_code == 404
    assert anaplan.get(f"/imports/{import_id}/tasks/{'0' * 32}").status_code == 404
    assert anaplan.post("/imports/112000009999/tasks", json={"localeName": "en_US"}).status_code == 404
    assert anaplan.get("/imports/112000009999").status_code == 500
    anaplan.switch(unknown_import_status=404)
    assert anaplan.get("/imports/112000009999").status_code == 404


def test_tasks_are_listed_oldest_first_or_newest_first(anaplan, import_id):
    made = [anaplan.load("Load Vendors", VENDORS)["taskId"] for _ in range(3)]
    assert [task["taskId"] for task in anaplan.get(f"/imports/{import_id}/tasks").json()["tasks"]] == made
    newest = anaplan.get(f"/imports/{import_id}/tasks?sort=-creationTime").json()["tasks"]
    assert [task["taskId"] for task in newest] == made[::-1]
    assert newest[0].keys() == {"taskId", "taskState", "creationTime"}


def test_the_answer_to_a_start_has_three_forms(anaplan, import_id):
    def started(form):
        anaplan.switch(start_answer=form)
        return anaplan.post(f"/imports/{import_id}/tasks", json={"localeName": "en_US"}).json()

    assert started("task")["task"]["taskState"] == "NOT_STARTED"
    assert started("task_id")["task"].keys() == {"taskId"}
    assert started("bare").keys() == {"taskId"}


def test_a_state_that_no_document_names_can_be_switched_on(held, import_id):
    held.switch(strange_task_state="QUEUED_REMOTELY")
    assert states(held, import_id) == ["QUEUED_REMOTELY"]


def test_a_process_runs_its_steps_in_order_and_tells_of_each(anaplan):
    anaplan.upload("Load Accounts", ACCOUNTS)
    anaplan.upload("Load Cost Centres", CENTRES)
    anaplan.upload("Load GL Actuals", ACTUALS + "1100,ADM,Larkfield,Actual,Jul 25,1\n")
    process_id = anaplan.info["process_ids"]["Load All"]
    task = anaplan.run("processes", process_id)
    result = task["result"]
    names = ["Load Accounts", "Load Cost Centres", "Load GL Actuals"]
    assert (result["successful"], result["objectId"], result["details"]) == (True, process_id, [])
    assert [nested["objectId"] for nested in result["nestedResults"]] == [
        anaplan.info["import_ids"][name] for name in names
    ]
    assert [nested["objectName"] for nested in result["nestedResults"]] == names
    assert len(anaplan.cells("GL Actuals")) == 1
    timed = anaplan.get(f"/processes/{process_id}/tasks/{task['taskId']}?includeProcessDetails=true").json()["task"]
    assert {"startTime", "duration"} <= timed["result"]["nestedResults"][0].keys()


def test_a_process_with_rejects_says_only_that_it_was_no_success(anaplan):
    anaplan.upload("Load Accounts", ACCOUNTS)
    anaplan.upload("Load Cost Centres", CENTRES)
    anaplan.upload(
        "Load GL Actuals", ACTUALS + "1100,ADM,Larkfield,Actual,Jul 25,1\n9999,ADM,Larkfield,Actual,Jul 25,1\n"
    )
    process_id, import_id = anaplan.info["process_ids"]["Load All"], anaplan.info["import_ids"]["Load GL Actuals"]
    task = anaplan.run("processes", process_id)
    result = task["result"]
    assert (result["successful"], result["failureDumpAvailable"], result["details"]) == (False, False, [])
    assert [nested["failureDumpAvailable"] for nested in result["nestedResults"]] == [False, False, True]
    dumps = f"/processes/{process_id}/tasks/{task['taskId']}/dumps/{import_id}"
    assert [chunk["id"] for chunk in anaplan.get(f"{dumps}/chunks").json()["chunks"]] == ["0"]
    (row,) = csv.DictReader(io.StringIO(anaplan.get(f"{dumps}/chunks/0").text, newline=""))
    assert (row["Account"], row["_Line_"]) == ("9999", "3")
    assert anaplan.get(dumps).content == anaplan.get(f"{dumps}/chunks/0").content
    other = f"/processes/{process_id}/tasks/{task['taskId']}/dumps/{anaplan.info['import_ids']['Load Accounts']}"
    assert anaplan.get(f"{other}/chunks").status_code == 404


def test_a_delete_action_empties_its_list_and_never_has_a_dump(anaplan):
    anaplan.load("Load Vendors", VENDORS)
    task = anaplan.run("actions", anaplan.info["action_ids"]["Delete Vendors"])
    assert anaplan.members("Vendors") == []
    (detail,) = task["result"]["details"]
    assert (detail["type"], detail["localMessageText"]) == ("deleteFromSelectionSucceeded", "Vendors: 1 items deleted")
    assert task["result"]["failureDumpAvailable"] is False


BAD_VENDORS = "Code,Name\n,Nobody\n"


def test_a_dump_is_cut_into_chunks_anywhere_and_whole_when_joined(anaplan):
    anaplan.switch(dump_chunk_bytes=7)
    task = anaplan.load("Load Vendors", "Code,Name\n,Café\n,日本\n")
    base = f"/imports/{anaplan.info['import_ids']['Load Vendors']}/tasks/{task['taskId']}/dump"
    found = anaplan.get(f"{base}/chunks").json()["chunks"]
    parts = [anaplan.get(f"{base}/chunks/{chunk['id']}").content for chunk in found]
    assert {len(part) for part in parts[:-1]} == {7}
    whole = anaplan.get(base)
    assert (b"".join(parts), whole.headers["Content-Type"].split(";")[0]) == (whole.content, "text/plain")
    assert [row["Name"] for row in csv.DictReader(io.StringIO(whole.content.decode(), newline=""))] == ["Café", "日本"]
    assert anaplan.get(f"{base}/chunks/{len(parts)}").status_code == 404


def test_a_dump_is_gone_after_the_next_run_clean_or_not(anaplan):
    first = anaplan.load("Load Vendors", BAD_VENDORS)["taskId"]
    assert anaplan.dump("Load Vendors", first).status_code == 200
    second = anaplan.load("Load Vendors", BAD_VENDORS)["taskId"]
    assert anaplan.dump("Load Vendors", first).status_code == 404
    assert anaplan.dump("Load Vendors", second).status_code == 200
    anaplan.load("Load Vendors", VENDORS)
    assert anaplan.dump("Load Vendors", second).status_code == 404


def test_a_dump_lives_48_hours_after_its_last_use(anaplan, clock):
    task_id = anaplan.load("Load Vendors", BAD_VENDORS)["taskId"]
    for hours, status in ((47, 200), (47, 200), (48, 404)):
        clock.advance(hours * 3600)
        anaplan.log_in(anaplan.info["login"])
        assert anaplan.dump("Load Vendors", task_id).status_code == status


def test_a_dump_is_its_users_alone(anaplan, sandbox):
    task_id = anaplan.load("Load Vendors", BAD_VENDORS)["taskId"]
    planner = Caller(sandbox, "paula-planner@larkfield.example")
    assert planner.dump("Load Vendors", task_id).status_code == 404


def test_where_there_is_no_dump_the_answers_differ(anaplan, import_id):
    task_id = anaplan.load("Load Vendors", VENDORS)["taskId"]
    chunks = f"/imports/{import_id}/tasks/{task_id}/dump/chunks"
    assert (anaplan.get(chunks).status_code, anaplan.dump("Load Vendors", task_id).status_code) == (404, 204)
    anaplan.switch(dump_absent_status=400)
    assert anaplan.get(chunks).status_code == 400


def test_an_upload_into_a_task_that_reads_the_file_is_noted(held, clock, import_id):
    assert held.control("GET", "/events")["uploads_into_running_tasks"] == []
    held.upload("Load Accounts", ACCOUNTS)
    held.upload("Load Vendors", "Code,Name\nV2,Jones\n")
    found = held.control("GET", "/events")["uploads_into_running_tasks"]
    assert {event["subject"] for event in found} == {held.info["file_ids"]["Load Vendors"]}
    clock.unfreeze()
    until(lambda: states(held, import_id) == ["COMPLETE"])
    assert held.members("Vendors") == [("V2", "Jones", "")]  # the running import read what came after its start


def test_a_task_that_breaks_is_an_internal_error_and_the_queue_goes_on(anaplan, site, monkeypatch, caplog):
    monkeypatch.setattr(site.hub, "perform", lambda task: 1 / 0)
    caplog.set_level("CRITICAL")
    task = anaplan.load("Load Vendors", VENDORS)
    assert [detail["type"] for detail in task["result"]["details"]] == ["internalError"]
    monkeypatch.undo()
    assert counts(anaplan.load("Load Vendors", VENDORS))["createdCount"] == 1
