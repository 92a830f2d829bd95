# SPDX-License-Identifier: Apache-2.0
import pytest

from airflow_provider_mlconnector.sandbox.anaplan.api import cells as cells_api
from tests.unit.sandbox.anaplan.caller import ACTUALS, Caller


@pytest.fixture
def accounts(closed_books):
    return closed_books.info["list_ids"]["Accounts"]


def test_items_have_codes_parents_and_more_when_asked(closed_books, accounts):
    plain = closed_books.get(f"/lists/{accounts}/items").json()["listItems"]
    assert plain[0].keys() == {"id", "name", "code"}
    assert (plain[1]["parent"], plain[1]["parentId"]) == ("Assets", plain[0]["id"])
    full = closed_books.get(f"/lists/{accounts}/items?includeAll=true").json()["listItems"]
    assert (full[0]["listName"], full[0]["subsets"], full[0]["properties"]) == ("Accounts", {}, {})
    as_csv = closed_books.get(f"/lists/{accounts}/items", headers={"Accept": "text/csv"})
    assert as_csv.text.splitlines()[:2] == ["Accounts,Parent,Code", "Assets,,1000"]


def test_a_list_shows_its_settings(closed_books, accounts):
    metadata = closed_books.get(f"/lists/{accounts}").json()["metadata"]
    assert (metadata["name"], metadata["itemCount"], metadata["numberedList"]) == ("Accounts", 5, False)
    assert closed_books.get("/lists/20000000003").status_code == 404


def test_items_are_added_and_what_cannot_be_is_told(closed_books, accounts):
    items = [
        {"name": "Stock", "code": "1300", "parent": "1000"},
        {"code": "1400"},
        {"name": "X", "parent": "none"},
        {"name": "Cash"},
    ]
    body = closed_books.post(f"/lists/{accounts}/items?action=add", json={"items": items}).json()
    assert (body["added"], body["ignored"], body["total"]) == (1, 3, 4)
    assert [(failure["requestIndex"], failure["failureType"]) for failure in body["failures"]] == [
        (1, "INCOMPLETE_DATA"),
        (2, "INCORRECT_FORMAT"),
        (3, "DUPLICATE"),
    ]
    assert closed_books.members("Accounts")[-1] == ("1300", "Stock", "1000")
    body = closed_books.post(f"/lists/{accounts}/items?action=add", json={"items": [{"name": "Fine"}]}).json()
    assert "failures" not in body


def test_items_are_changed_by_id_code_or_name(closed_books, accounts):
    items = [{"code": "1100", "name": "Till"}, {"code": "1200", "parent": "6000"}, {"code": "none", "name": "X"}]
    body = closed_books.put(f"/lists/{accounts}/items", json={"items": items}).json()
    assert (body["updated"], body["ignored"], body["failures"][0]["failureType"]) == (2, 1, "NOT_FOUND")
    assert ("1100", "Till", "1000") in closed_books.members("Accounts")
    assert ("1200", "Bank", "6000") in closed_books.members("Accounts")


def test_a_change_without_the_code_of_an_item_that_has_one_is_a_server_error(closed_books, accounts):
    items = {"items": [{"name": "Cash", "parent": ""}]}
    assert closed_books.put(f"/lists/{accounts}/items", json=items).status_code == 500


def test_items_are_deleted_with_their_cells(closed_books, accounts):
    closed_books.load(
        "Load GL Actuals", ACTUALS + "1100,ADM,Larkfield,Actual,Jul 25,1\n1200,ADM,Larkfield,Actual,Jul 25,2\n"
    )
    body = closed_books.post(f"/lists/{accounts}/items?action=delete", json={"items": [{"code": "1100"}]}).json()
    assert body["deleted"] == 1
    assert [cell["Account"] for cell in closed_books.cells("GL Actuals")] == ["1200"]


@pytest.mark.parametrize("body", [{}, {"items": "x"}, {"items": ["x"]}, []])
def test_a_malformed_change_is_refused(closed_books, accounts, body):
    assert closed_books.post(f"/lists/{accounts}/items?action=add", json=body).status_code == 400


def test_the_action_has_to_be_named(closed_books, accounts):
    assert closed_books.post(f"/lists/{accounts}/items", json={"items": []}).status_code == 400


def test_the_index_of_an_empty_list_alone_can_be_reset(closed_books, accounts):
    answer = closed_books.post(f"/lists/{accounts}/resetIndex")
    assert (answer.status_code, "contains data" in answer.json()["status"]["message"]) == (400, True)
    empty = closed_books.info["list_ids"]["Vendors"]
    answer = closed_books.post(f"/lists/{empty}/resetIndex")
    assert (answer.status_code, answer.content) == (200, b"")


def cell(account, value, **more):
    parts = {
        "Accounts": account,
        "Cost Centres": "ADM",
        "Entities": "Larkfield",
        "Versions": "Actual",
        "Time": "Jul 25",
    }
    dimensions = [
        {"dimensionName": name, "itemCode" if name in ("Accounts", "Cost Centres") else "itemName": item}
        for name, item in parts.items()
    ]
    return {"lineItemName": "Amount", "dimensions": dimensions, "value": value, **more}


def test_cells_are_written_one_by_one_without_an_envelope(closed_books):
    module_id = closed_books.info["module_ids"]["GL Actuals"]
    cells = [cell("1100", 12.34), cell("1200", "5.10"), cell("1000", 1), cell("none", 1), cell("6100", "x")]
    cells.append(cell("1100", 1) | {"lineItemName": "Quantity"})
    body = closed_books.post(
        f"/models/{closed_books.info['model_id']}/modules/{module_id}/data", root=True, json=cells
    ).json()
    assert body["numberOfCellsChanged"] == 2
    assert [(failure["requestIndex"], failure["failureType"]) for failure in body["failures"]] == [
        (2, "cellIsCalculated"),
        (3, "cellIsInvalid"),
        (4, "cellIsInvalid"),
        (5, "cellIsInvalid"),
    ]
    assert [found["Amount"] for found in closed_books.cells("GL Actuals")] == ["12.34", "5.10"]


def test_a_flag_is_a_boolean_and_its_view_shows_every_line(anaplan):
    info = anaplan.info
    parts = {"Entities": "Larkfield", "Versions": "Budget", "Time": "Nov 26"}
    dimensions = [{"dimensionName": name, "itemName": item} for name, item in parts.items()]
    path = f"/models/{info['model_id']}/modules/{info['module_ids']['Plan Approval']}/data"
    ticked = [{"lineItemName": "Approved", "dimensions": dimensions, "value": True}]
    assert anaplan.post(path, root=True, json=ticked).json()["numberOfCellsChanged"] == 1
    view = info["view_ids"]["Plan Approvals"]
    params = {"exportType": "TABULAR_MULTI_COLUMN", "moduleId": info["module_ids"]["Plan Approval"]}
    header, *lines = anaplan.get(f"/views/{view}/data", params=params).text.splitlines()
    assert header == "Entity,Version,Time,Approved"
    assert len(lines) == 5 * 3 * 48
    assert [line for line in lines if not line.endswith(",false")] == ["Larkfield,Budget,Nov 26,true"]


def test_only_admins_write_cells(closed_books, sandbox):
    planner = Caller(sandbox, "paula-planner@larkfield.example")
    path = f"/modules/{closed_books.info['module_ids']['GL Actuals']}/data"
    assert planner.post(path, json=[cell("1100", 1)]).status_code == 403
    assert closed_books.post(path, json={"not": "a list"}).status_code == 400
    assert closed_books.post("/modules/102000009999/data", json=[]).status_code == 404


def test_too_many_cells_or_bytes_at_once_are_refused(closed_books, monkeypatch):
    path = f"/modules/{closed_books.info['module_ids']['GL Actuals']}/data"
    for limit in ("MOST_CELLS_WRITTEN", "MOST_BYTES_WRITTEN"):
        with monkeypatch.context() as patch:
            patch.setattr(cells_api, limit, 1)
            assert closed_books.post(path, json=[cell("1100", 1), cell("1200", 1)]).status_code == 400
    assert closed_books.cells("GL Actuals") == []


def test_dimension_items_are_read_and_looked_up(closed_books, accounts):
    items = closed_books.get(f"/dimensions/{accounts}/items").json()["items"]
    assert (items[0]["code"], items[0]["name"]) == ("1000", "Assets")
    found = closed_books.post(f"/dimensions/{accounts}/items", json={"names": ["Cash"], "codes": ["1200"]}).json()
    assert [item["name"] for item in found["items"]] == ["Cash", "Bank"]
    assert "items" not in closed_books.post(f"/dimensions/{accounts}/items", json={"names": ["no"]}).json()
    assert closed_books.get("/dimensions/20000000003/items").status_code == 400
    assert closed_books.get("/dimensions/20000000020/items").json()["items"][0]["name"] == "Actual"
    assert closed_books.get("/dimensions/101000009999/items").status_code == 404


def test_line_items_and_their_dimensions(closed_books, accounts):
    module_id = closed_books.info["module_ids"]["GL Balances"]
    items = closed_books.get(f"/modules/{module_id}/lineItems").json()["items"]
    assert [item["name"] for item in items] == ["Opening", "Debit", "Credit", "Closing"]
    dimensions = closed_books.get(f"/lineItems/{items[0]['id']}/dimensions").json()["dimensions"]
    assert [found["name"] for found in dimensions] == ["Accounts", "Entities", "Versions", "Time"]
    months = closed_books.get(f"/lineItems/{items[0]['id']}/dimensions/20000000003/items").json()["items"]
    assert [month["name"] for month in months][12:14] == ["Jul 25", "Aug 25"]
    path = f"/lineItems/{items[0]['id']}/dimensions/{closed_books.info['list_ids']['Vendors']}/items"
    assert closed_books.get(path).status_code == 404
    in_view = closed_books.get(f"/views/{module_id}/dimensions/{accounts}/items").json()["items"]
    assert [item["name"] for item in in_view] == ["Assets", "Cash", "Bank", "Costs", "Rent"]


def test_versions_period_and_calendar(anaplan):
    versions = anaplan.get("/versions").json()["versionMetadata"]
    assert [(version["name"], version["isActual"]) for version in versions] == [
        ("Actual", True),
        ("Budget", False),
        ("Forecast", False),
    ]
    assert anaplan.get("/currentPeriod").json()["currentPeriod"]["periodText"] == "Nov 26"
    calendar = anaplan.get("/modelCalendar").json()["modelCalendar"]
    assert calendar["fiscalYear"] == {"year": "FY27", "startDate": "2026-07-01", "endDate": "2027-06-30"}
