# SPDX-License-Identifier: Apache-2.0
import csv
import io

import pytest

from airflow_provider_mlconnector.sandbox.anaplan.api import cells as cells_api
from tests.unit.sandbox.anaplan.caller import ACTUALS


@pytest.fixture
def loaded(closed_books):
    rows = "".join(
        f"{account},{centre},Larkfield,{version},{month},{amount}\n"
        for account, centre, version, month, amount in (
            ("1100", "ADM", "Actual", "Jul 25", "10.50"),
            ("1200", "ADM", "Actual", "Jul 25", "-3"),
            ("6100", "SALES", "Actual", "Aug 25", "7"),
            ("6100", "ADM", "Actual", "Aug 25", "0"),
            ("6100", "ADM", "Budget", "Aug 25", "100.00"),
        )
    )
    closed_books.load("Load GL Actuals", ACTUALS + rows)
    return closed_books


def parsed(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def large_read(caller, kind, subject, body=None):
    base = f"/{kind}/{subject}/readRequests"
    made = caller.post(base, json=body or {}).json()
    (request,) = (value for key, value in made.items() if key.endswith("ReadRequest"))
    return f"{base}/{request['requestId']}", request


def test_an_export_writes_the_budget_into_the_file_of_its_own_id(loaded):
    export_id = loaded.info["export_ids"]["Approved Budget"]
    task = loaded.run("exports", export_id)
    assert [detail["type"] for detail in task["result"]["details"]] == ["exportSucceeded"]
    answer = loaded.get(f"/files/{export_id}/chunks/0")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert parsed(answer.text) == [
        ["Account", "Cost Centre", "Entity", "Version", "Time", "Amount"],
        ["Rent", "Administration", "Larkfield", "Budget", "Aug 25", "100.00"],
    ]
    metadata = loaded.get(f"/exports/{export_id}").json()["exportMetadata"]
    assert metadata["headerNames"] == parsed(answer.text)[0]
    assert metadata["dataTypes"] == ["ENTITY"] * 4 + ["TIME_ENTITY", "NUMBER"]
    assert metadata["listNames"][:2] == ["Accounts", "Cost Centres"]


def test_an_export_is_cut_into_chunks_and_shows_codes_where_switched(loaded):
    loaded.switch(export_chunk_bytes=20, members_shown="codes")
    export_id = loaded.info["export_ids"]["Approved Budget"]
    loaded.run("exports", export_id)
    chunks = loaded.get(f"/files/{export_id}/chunks").json()["chunks"]
    joined = b"".join(loaded.get(f"/files/{export_id}/chunks/{chunk['id']}").content for chunk in chunks)
    assert joined == loaded.get(f"/files/{export_id}").content
    assert parsed(joined.decode())[1] == ["6100", "ADM", "Larkfield", "Budget", "Aug 25", "100.00"]


def test_a_saved_view_is_read_in_pages_without_zeros(loaded):
    view_id = loaded.info["view_ids"]["GL Actuals by Period"]
    loaded.switch(read_page_rows=2)
    path, request = large_read(loaded, "views", view_id, {"exportType": "TABULAR_MULTI_COLUMN"})
    assert request["url"].endswith(path)
    state = loaded.get(path).json()["viewReadRequest"]
    assert (state["requestState"], state["successful"], state["availablePages"]) == ("COMPLETE", True, 2)
    pages = [loaded.get(f"{path}/pages/{number}") for number in range(2)]
    assert pages[0].headers["Content-Type"].startswith("text/csv")
    assert parsed("".join(page.text for page in pages)) == [
        ["Account", "Cost Centre", "Entity", "Version", "Time", "Amount"],
        ["Cash", "Administration", "Larkfield", "Actual", "Jul 25", "10.50"],
        ["Bank", "Administration", "Larkfield", "Actual", "Jul 25", "-3"],
        ["Rent", "Sales", "Larkfield", "Actual", "Aug 25", "7"],
        ["Rent", "Administration", "Larkfield", "Budget", "Aug 25", "100.00"],
    ]
    assert loaded.get(f"{path}/pages/2").status_code == 404
    assert loaded.delete(path).json()["viewReadRequest"]["requestState"] == "COMPLETE"
    assert loaded.get(path).status_code == 404
    assert loaded.control("GET", "/model")["open_read_requests"] == 0


def test_every_page_may_carry_the_header(loaded):
    loaded.switch(read_page_rows=2, page_header="every")
    view_id = loaded.info["view_ids"]["GL Actuals by Period"]
    path, _ = large_read(loaded, "views", view_id, {"exportType": "TABULAR_MULTI_COLUMN"})
    assert [parsed(loaded.get(f"{path}/pages/{number}").text)[0][0] for number in range(2)] == ["Account"] * 2


def test_a_large_read_takes_time_and_gives_the_pages_that_are_done(loaded, clock):
    clock.freeze()
    loaded.switch(read_page_rows=1, read_request_seconds=8)
    view_id = loaded.info["view_ids"]["GL Actuals by Period"]
    path, request = large_read(loaded, "views", view_id, {"exportType": "TABULAR_MULTI_COLUMN"})
    assert request["requestState"] == "IN_PROGRESS"
    clock.advance(4)
    state = loaded.get(path).json()["viewReadRequest"]
    assert (state["requestState"], state["availablePages"], "successful" in state) == ("IN_PROGRESS", 2, False)
    assert loaded.get(f"{path}/pages/1").status_code == 200
    assert loaded.get(f"{path}/pages/2").status_code == 404
    assert loaded.delete(path).json()["viewReadRequest"]["requestState"] == "CANCELLED"


def test_a_large_read_expires_after_30_idle_minutes_and_page_zero_renews_it(loaded, clock):
    view_id = loaded.info["view_ids"]["GL Actuals by Period"]
    loaded.switch(read_page_rows=1)
    path, _ = large_read(loaded, "views", view_id, {"exportType": "TABULAR_MULTI_COLUMN"})
    clock.advance(29 * 60)
    assert loaded.get(f"{path}/pages/0").status_code == 200
    loaded.log_in(loaded.info["login"])
    clock.advance(29 * 60)
    assert loaded.get(f"{path}/pages/1").status_code == 200  # no multiple of 100: renews nothing
    clock.advance(60)
    assert loaded.get(f"{path}/pages/0").status_code == 404


def test_the_other_layouts_of_a_view(loaded):
    view_id = loaded.info["view_ids"]["GL Actuals by Period"]
    path, _ = large_read(loaded, "views", view_id, {"exportType": "TABULAR_SINGLE_COLUMN"})
    rows = parsed(loaded.get(f"{path}/pages/0").text)
    assert rows[0][-2:] == ["Line items", "Value"]
    assert rows[1][-2:] == ["Amount", "10.50"]
    path, _ = large_read(loaded, "views", loaded.info["module_ids"]["GL Actuals"], {"exportType": "GRID_CURRENT_PAGE"})
    grid = parsed(loaded.get(f"{path}/pages/0").text)
    assert grid[0] == ["Administration", "Larkfield", "Actual", "Amount"]
    assert loaded.post(f"/views/{view_id}/readRequests", json={"exportType": "PIE_CHART"}).status_code == 400


def test_a_list_is_read_in_pages_and_previewed(loaded):
    list_id = loaded.info["list_ids"]["Accounts"]
    path, _ = large_read(loaded, "lists", list_id)
    assert loaded.get(path).json()["listReadRequest"]["listId"] == list_id
    rows = parsed(loaded.get(f"{path}/pages/0").text)
    assert rows[:3] == [["Accounts", "Parent", "Code"], ["Assets", "", "1000"], ["Cash", "Assets", "1100"]]
    assert parsed(loaded.get(f"/lists/{list_id}/preview").text) == rows
    assert loaded.delete(path).json()["listReadRequest"]["requestState"] == "COMPLETE"


def test_a_default_view_sums_up_parents(loaded):
    module_id = loaded.info["module_ids"]["GL Actuals"]
    path = f"/models/{loaded.info['model_id']}/views/{module_id}/data"
    answer = loaded.get(path, root=True, params={"format": "v1"}, headers={"Accept": "application/json"})
    body = answer.json()
    at = body["columnCoordinates"].index(["Jul 25"])
    cells = {row["rowCoordinates"][0]: row["cells"][at] for row in body["rows"]}
    assert cells == {"Assets": "7.50", "Cash": "10.50", "Bank": "-3", "Costs": "0", "Rent": "0"}
    assert body["pages"] == ["Administration", "Larkfield", "Actual", "Amount"]


def test_page_selectors_choose_a_page(loaded):
    module_id = loaded.info["module_ids"]["GL Actuals"]
    info = loaded.get(f"/views/{module_id}").json()
    pages = {axis["name"]: axis["id"] for axis in info["pages"]}
    centres = loaded.get(f"/dimensions/{pages['Cost Centres']}/items").json()["items"]
    sales = next(item["id"] for item in centres if item["code"] == "SALES")
    params = {"pages": f"{pages['Cost Centres']}:{sales}", "format": "v1"}
    body = loaded.get(f"/views/{module_id}/data", params=params, headers={"Accept": "application/json"}).json()
    at = body["columnCoordinates"].index(["Aug 25"])
    assert {row["rowCoordinates"][0]: row["cells"][at] for row in body["rows"]}["Costs"] == "7"
    wrong = loaded.get(f"/views/{module_id}/data", params={"pages": "999:1"})
    assert (wrong.status_code, wrong.json()["status"]["message"]) == (400, "Invalid page selector [999]")


def test_csv_is_the_default_and_rows_can_be_limited(loaded):
    module_id = loaded.info["module_ids"]["GL Actuals"]
    answer = loaded.get(f"/views/{module_id}/data")
    rows = parsed(answer.text)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert rows[0] == ["Administration", "Larkfield", "Actual", "Amount"]
    assert (rows[1][0], rows[1][1]) == ("", "Jul 24")
    assert rows[2][0] == "Assets"
    saved = loaded.info["view_ids"]["GL Actuals by Period"]
    params = {"exportType": "TABULAR_MULTI_COLUMN", "moduleId": module_id, "maxRows": 1}
    assert len(parsed(loaded.get(f"/views/{saved}/data", params=params).text)) == 2


def test_a_view_of_too_many_cells_is_refused(loaded, monkeypatch):
    monkeypatch.setattr(cells_api, "MOST_CELLS_READ", 4)
    assert loaded.get(f"/views/{loaded.info['view_ids']['GL Actuals by Period']}/data").status_code == 400
    assert loaded.get("/views/203000009999/data").status_code == 404


def test_views_are_named_with_their_module_in_the_models_list(loaded):
    model_views = {view["id"]: view["name"] for view in loaded.get("/views").json()["views"]}
    view_id, module_id = loaded.info["view_ids"]["GL Actuals by Period"], loaded.info["module_ids"]["GL Actuals"]
    assert (model_views[view_id], model_views[module_id]) == ("GL Actuals.GL Actuals by Period", "GL Actuals")
    own = {view["id"]: view["name"] for view in loaded.get(f"/modules/{module_id}/views").json()["views"]}
    assert own == {module_id: "default", view_id: "GL Actuals by Period"}
    loaded.switch(view_names="plain")
    assert loaded.get("/views").json()["views"][2]["name"] == "GL Actuals by Period"
