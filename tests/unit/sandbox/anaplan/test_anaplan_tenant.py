# SPDX-License-Identifier: Apache-2.0
import pytest

from airflow_provider_mlconnector.sandbox.anaplan.model.blueprint import make_definitions
from tests.unit.sandbox.anaplan.caller import Caller, until


@pytest.fixture
def outsider(sandbox):
    return Caller(sandbox, "olaf-outsider@larkfield.example")


@pytest.fixture
def planner(sandbox):
    return Caller(sandbox, "paula-planner@larkfield.example")


def test_workspaces_and_models_are_listed_with_paging(anaplan):
    workspaces = anaplan.get("/workspaces", root=True).json()
    assert [(found["name"], "sizeAllowance" in found) for found in workspaces["workspaces"]] == [("Finance", False)]
    assert workspaces["meta"]["paging"] == {"currentPageSize": 1, "totalSize": 1, "offset": 0}
    assert "sizeAllowance" in anaplan.get("/workspaces?tenantDetails=true", root=True).json()["workspaces"][0]
    model = anaplan.get("/models", root=True).json()["models"][0]
    assert (model["name"], model["activeState"], model["currentWorkspaceName"]) == ("FP&A Hub", "UNLOCKED", "Finance")
    in_workspace = anaplan.get(f"/workspaces/{anaplan.info['workspace_id']}/models", root=True)
    assert in_workspace.json()["models"] == [model]


def test_ids_are_case_sensitive(anaplan):
    info = anaplan.info
    right = f"/workspaces/{info['workspace_id']}/models/{info['model_id']}/imports"
    assert anaplan.get(right, root=True).status_code == 200
    assert anaplan.get(right.replace(info["workspace_id"], info["workspace_id"].upper()), root=True).status_code == 404
    assert anaplan.get(right.replace(info["model_id"], info["model_id"].lower()), root=True).status_code == 404


def test_the_model_is_not_to_be_had_below_its_workspace(anaplan):
    answer = anaplan.get("")
    assert answer.status_code == 405
    assert answer.json()["status"] == {"code": 405, "message": "Method Not Allowed"}


@pytest.mark.parametrize("path", ["/imports", "/imports/", "/files", "/files/", "/lists", "/processes/"])
def test_reads_exist_without_the_workspace_and_with_a_slash_at_the_end(anaplan, path):
    direct = anaplan.get(f"/models/{anaplan.info['model_id']}{path}", root=True)
    assert direct.status_code == 200
    assert direct.json() == anaplan.get(path).json()


def test_errors_have_code_path_and_time(anaplan):
    answer = anaplan.get("/nothing/of/the/kind")
    body = answer.json()
    assert answer.status_code == 404
    assert body["status"] == {"code": 404, "message": "Not Found"}
    assert body["path"].endswith("/nothing/of/the/kind")
    assert body["timestamp"].endswith("Z")


def test_a_page_says_where_the_next_one_is(anaplan):
    first = anaplan.get("/imports?limit=3").json()
    paging = first["meta"]["paging"]
    assert (paging["currentPageSize"], paging["totalSize"], paging["offset"]) == (3, len(make_definitions().imports), 0)
    assert "previous" not in paging
    pages = [first]
    while "next" in pages[-1]["meta"]["paging"]:
        pages.append(anaplan.session.get(pages[-1]["meta"]["paging"]["next"]).json())
        assert pages[-1]["meta"]["paging"]["previous"]
    names = [found["name"] for page in pages for found in page["imports"]]
    assert names == list(anaplan.info["import_ids"])


def test_the_server_may_give_smaller_pages_than_asked_for(anaplan):
    anaplan.switch(page_size=2)
    paging = anaplan.get("/imports?limit=5000").json()["meta"]["paging"]
    assert paging["currentPageSize"] == 2
    assert "limit=2" in paging["next"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1"])
def test_senseless_paging_is_refused(anaplan, query):
    assert anaplan.get(f"/imports?{query}").status_code == 400


def test_tenant_lists_sort_strictly_and_model_lists_do_not(anaplan):
    assert anaplan.get("/models?sort=%2Bname", root=True).status_code == 200
    bad = anaplan.get("/models?sort=name", root=True)
    assert (bad.status_code, "Bad sort order format" in bad.json()["status"]["message"]) == (400, True)
    assert anaplan.get("/models?sort=%2Bcolour", root=True).status_code == 400
    names = [found["name"] for found in anaplan.get("/imports?sort=-name").json()["imports"]]
    assert names == sorted(names, reverse=True)
    assert anaplan.get("/imports?sort=colour").status_code == 200


def test_an_empty_collection_drops_its_key_unless_switched(anaplan):
    file_id = anaplan.info["file_ids"]["Load Accounts"]
    assert "chunks" not in anaplan.get(f"/files/{file_id}/chunks").json()
    anaplan.switch(empty_collections="list")
    assert anaplan.get(f"/files/{file_id}/chunks").json()["chunks"] == []


def test_unknown_fields_can_be_switched_on(anaplan):
    anaplan.switch(extra_fields=True)
    body = anaplan.get("/imports").json()
    assert "futureField" in body
    assert "futureField" in body["imports"][0]


def test_who_has_no_access_sees_the_model_and_nothing_in_it(outsider):
    assert outsider.get(f"/models/{outsider.info['model_id']}", root=True).status_code == 200
    for path in ("/imports", "/lists", "/files", "/status", "/imports/112000000000/tasks/0"):
        assert outsider.get(path).status_code == 404
    for path in ("/imports/112000000000/tasks", "/processes/118000000099/tasks"):
        answer = outsider.get(path)
        assert (answer.status_code, answer.json().get("tasks", [])) == (200, [])


def test_the_workspace_is_shown_to_its_admins_alone(anaplan, planner):
    path = f"/workspaces/{anaplan.info['workspace_id']}"
    assert anaplan.get(path, root=True).json()["workspace"]["name"] == "Finance"
    assert planner.get(path, root=True).status_code == 404
    assert planner.get("/users", root=True).status_code == 403
    assert len(anaplan.get("/users", root=True).json()["users"]) == 3
    assert [found["firstName"] for found in anaplan.get(f"{path}/admins", root=True).json()["admins"]] == ["Close"]


def test_admins_may_search_by_name_with_wildcards(anaplan, planner):
    assert anaplan.get("/models?s=fp%25hub", root=True).json()["models"]
    assert "models" not in anaplan.get("/models?s=nothing", root=True).json()
    assert planner.get("/models?s=nothing", root=True).json()["models"]


def test_the_status_has_no_envelope_and_tells_what_runs(anaplan, clock):
    clock.freeze()
    body = anaplan.get("/status").json()
    assert body.keys() == {"requestStatus"}
    assert (body["requestStatus"]["currentStep"], body["requestStatus"]["progress"]) == ("Open", -1.0)
    task_id = anaplan.start("imports", anaplan.info["import_ids"]["Load Accounts"])
    until(lambda: anaplan.get("/status").json()["requestStatus"]["taskId"])  # until then it waits for the model
    busy = anaplan.get("/status").json()["requestStatus"]
    assert (busy["taskId"], busy["currentStep"]) == (task_id, "Processing Load Accounts")
    assert anaplan.info["login"] in busy["tooltip"]
    details = anaplan.get(f"/models/{anaplan.info['model_id']}?modelDetails=true", root=True).json()
    assert details["model"]["modelTransactionRunning"] is True


def test_a_closed_model_is_opened_by_the_next_request_or_by_open(anaplan, planner, clock):
    clock.freeze()
    assert planner.post("/close").status_code == 403
    assert anaplan.post("/close").status_code == 204
    assert anaplan.get("/status").json()["requestStatus"]["currentStep"] == "Closed"
    assert anaplan.post("/open").status_code == 202
    clock.advance(1)
    assert anaplan.get("/status").json()["requestStatus"]["currentStep"] == "Open"
    clock.unfreeze()
    anaplan.post("/close")
    assert anaplan.get("/lists").status_code == 200


@pytest.mark.parametrize(
    ("state", "status"), [("LOCKED", 423), ("ARCHIVED", 422), ("MAINTENANCE", 424), ("PRODUCTION_MAINTENANCE", 424)]
)
def test_a_model_that_is_not_to_be_used_says_so(anaplan, state, status):
    anaplan.control("POST", "/model", {"state": state})
    import_id = anaplan.info["import_ids"]["Load Accounts"]
    for answer in (
        anaplan.get("/imports"),
        anaplan.post(f"/imports/{import_id}/tasks", json={"localeName": "en_US"}),
        anaplan.post(f"/files/{anaplan.info['file_ids']['Load Accounts']}", json={"chunkCount": 1}),
    ):
        assert (answer.status_code, answer.json()["status"]["code"]) == (status, status)
    model = anaplan.get(f"/models/{anaplan.info['model_id']}", root=True).json()["model"]
    assert model["activeState"] == state


def test_a_deployed_model_takes_cells_and_no_members(closed_books):
    closed_books.control("POST", "/model", {"state": "PRODUCTION"})
    body, ids = {"localeName": "en_US"}, closed_books.info
    for path in (f"/imports/{ids['import_ids']['Load Accounts']}", f"/processes/{ids['process_ids']['Load All']}"):
        assert closed_books.post(f"{path}/tasks", json=body).status_code == 425
    path = f"/lists/{ids['list_ids']['Accounts']}/items?action=add"
    assert closed_books.post(path, json={"items": [{"name": "New"}]}).status_code == 425
    cells = "Account,Cost Centre,Entity,Version,Time,Amount\n1100,ADM,Larkfield,Actual,Jul 25,1\n"
    assert closed_books.load("Load GL Actuals", cells)["result"]["successful"] is True
