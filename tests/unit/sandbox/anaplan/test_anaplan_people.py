# SPDX-License-Identifier: Apache-2.0
"""What people do to the model: builders change imports and lists, planners load and rename, administrators lock."""

from decimal import Decimal

import pytest
import requests

from tests.unit.sandbox.anaplan.caller import ACCOUNTS, ACTUALS, counts

WHERE = {"Entity": "Larkfield", "Version": "Actual", "Time": "Jul 25"}


def row(account, centre, amount, time="Jul 25", version="Actual"):
    return f"{account},{centre},Larkfield,{version},{time},{amount}\n"


def build(anaplan, name, **settings):
    return anaplan.control("PUT", f"/imports/{name}", settings)


def held(anaplan, **members):
    """Return the amounts by account and cost centre; zeros too."""
    cells = anaplan.cells("GL Actuals", **{**WHERE, **members})
    return {(cell["Account"], cell["Cost Centre"]): Decimal(cell["Amount"]) for cell in cells}


def load(anaplan, rows, **more):
    return anaplan.load("Load GL Actuals", ACTUALS + rows, **more)


@pytest.fixture
def filled(closed_books):
    """A module with four cells in July, one in August and one in the budget."""
    rows = [row(account, centre, 10) for account in ("1100", "1200") for centre in ("ADM", "SALES")]
    load(closed_books, "".join(rows) + row("1100", "ADM", 7, "Aug 25") + row("1100", "ADM", 8, version="Budget"))
    return closed_books


def test_an_import_updates_only_what_it_names_unless_a_builder_says_otherwise(filled):
    load(filled, row("1100", "ADM", 1))
    assert held(filled) == {("1100", "ADM"): 1, ("1100", "SALES"): 10, ("1200", "ADM"): 10, ("1200", "SALES"): 10}


def test_clearing_the_target_empties_where_the_items_of_the_file_meet(filled):
    build(filled, "Load GL Actuals", clears_target=True)
    load(filled, row("1100", "ADM", 1) + row("1200", "SALES", 2))
    assert held(filled) == {("1100", "ADM"): 1, ("1200", "SALES"): 2}, "and not where 1100 meets SALES"
    load(filled, row("1100", "SALES", 3))
    assert held(filled) == {("1100", "ADM"): 1, ("1200", "SALES"): 2, ("1100", "SALES"): 3}
    assert held(filled, Time="Aug 25") == {("1100", "ADM"): 7}
    assert held(filled, Version="Budget") == {("1100", "ADM"): 8}


def test_clearing_all_items_of_a_dimension_empties_the_rest_of_the_month(filled):
    build(filled, "Load GL Actuals", clears_target=True, clears_all_items_of=["Account", "Cost Centre"])
    load(filled, row("1100", "ADM", 1))
    assert held(filled) == {("1100", "ADM"): 1}
    assert held(filled, Time="Aug 25") == {("1100", "ADM"): 7}


def test_a_file_without_a_row_clears_nothing(filled):
    build(filled, "Load GL Actuals", clears_target=True, clears_all_items_of=["Account", "Cost Centre"])
    load(filled, "")
    assert len(held(filled)) == 4


def test_an_import_that_adds_doubles_what_it_loads_again(filled):
    build(filled, "Load GL Actuals", adds=True)
    task = load(filled, row("1100", "ADM", "0.5") + row("1100", "ADM", 2) + row("6100", "ADM", 4))
    assert (held(filled)["1100", "ADM"], held(filled)["6100", "ADM"]) == (Decimal("12.5"), 4)
    assert counts(task)["successRowCount"] == 3
    build(filled, "Load GL Actuals")
    load(filled, row("1100", "ADM", 2))
    assert held(filled)["1100", "ADM"] == 2, "set back"


def test_an_import_that_asks_for_the_version_maps_no_column_for_it(filled):
    build(filled, "Load GL Actuals", asks_for=["Version"])
    metadata = filled.get(f"/imports/{filled.info['import_ids']['Load GL Actuals']}").json()["importMetadata"]
    assert metadata["source"]["headerNames"] == ["Account", "Cost Centre", "Entity", "Time", "Amount"]
    text = "Account,Cost Centre,Entity,Time,Amount\n1100,ADM,Larkfield,Jul 25,5\n"
    filled.load("Load GL Actuals", text, mappingParameters=[{"entityType": "Version", "entityName": "Forecast"}])
    assert held(filled, Version="Forecast") == {("1100", "ADM"): 5}
    assert held(filled)["1100", "ADM"] == 10
    unasked = filled.load("Load GL Actuals", text)
    assert [detail["type"] for detail in unasked["result"]["details"]] == ["missingFields"]


def test_a_change_of_an_import_holds_in_its_process_too(closed_books):
    closed_books.upload("Load Accounts", ACCOUNTS)
    closed_books.upload("Load Cost Centres", "Code,Name,Parent\nADM,Administration,\n")
    closed_books.upload("Load GL Actuals", ACTUALS + row("1100", "ADM", 1))
    build(closed_books, "Load GL Actuals", adds=True)
    for _ in range(2):
        closed_books.run("processes", closed_books.info["process_ids"]["Load All"])
    assert held(closed_books) == {("1100", "ADM"): 2}


def test_members_of_a_numbered_list_have_numbers_for_names_and_are_known_by_code_alone(closed_books):
    closed_books.control("POST", "/lists/Cost Centres/numbered")
    closed_books.load("Load Cost Centres", "Code,Name,Parent\nNEW,Sales,\n")
    members = {row["code"]: row for row in closed_books.control("GET", "/members", list="Cost Centres")["members"]}
    assert [row["name"] for row in members.values()] == [f"#{number}" for number in range(1, len(members) + 1)]
    assert members["NEW"]["called"] == members["SALES"]["called"] == "Sales", "display names may repeat"
    named = load(closed_books, row("1100", "Sales", 1) + row("1100", members["NEW"]["name"], 1) + row("1100", "NEW", 2))
    assert (counts(named)["failedCount"], held(closed_books)) == (2, {("1100", "NEW"): 2})
    listed = closed_books.get(f"/lists/{closed_books.info['list_ids']['Cost Centres']}").json()["metadata"]
    assert listed["numberedList"] is True


def test_a_number_is_never_given_again_and_an_import_changes_display_names(closed_books):
    closed_books.control("POST", "/lists/Cost Centres/numbered")
    closed_books.load("Load Cost Centres", "Code,Name,Parent\nNEW,New,\n")
    number = closed_books.control("GET", "/members", list="Cost Centres")["members"][-1]["name"]
    closed_books.control("DELETE", "/members", {"list": "Cost Centres", "members": ["NEW"]})
    task = closed_books.load("Load Cost Centres", "Code,Name,Parent\nNEW,Newer,\nADM,Head office,\n")
    *_, last = members = closed_books.control("GET", "/members", list="Cost Centres")["members"]
    assert (last["code"], last["called"]) == ("NEW", "Newer")
    assert int(last["name"][1:]) == int(number[1:]) + 1
    assert next(row["called"] for row in members if row["code"] == "ADM") == "Head office"
    assert counts(task)["renamedCount"] == 1


@pytest.mark.parametrize(("shown", "text"), [("names", "#1"), ("codes", "ADM"), ("display_names", "Administration")])
def test_a_view_shows_numbers_codes_or_display_names_as_switched(closed_books, shown, text):
    closed_books.control("POST", "/lists/Cost Centres/numbered")
    load(closed_books, row("1100", "ADM", 1))
    closed_books.switch(members_shown=shown)
    view = closed_books.info["view_ids"]["GL Actuals by Period"]
    answer = closed_books.get(f"/views/{view}/data", root=False, headers={"Accept": "text/csv"})
    assert answer.text.splitlines()[-1].split(",")[1] == text


def test_a_person_renames_recodes_and_moves_a_member(closed_books):
    change = {"list": "Accounts", "member": "1200"}
    closed_books.control("PATCH", "/members", {**change, "name": "House bank"})
    assert ("1200", "House bank", "1000") in closed_books.members("Accounts")
    closed_books.control("PATCH", "/members", {**change, "code": "1299", "parent": "6000"})
    assert ("1299", "House bank", "6000") in closed_books.members("Accounts")
    closed_books.control("PATCH", "/members", {"list": "Accounts", "member": "1299", "parent": ""})
    assert ("1299", "House bank", "") in closed_books.members("Accounts")


def test_a_person_chooses_a_file_for_herself_or_for_everyone(closed_books):
    planner = {"user": "paula-planner@larkfield.example"}
    closed_books.control(
        "POST", "/imports/Load GL Actuals/upload", {"text": ACTUALS + row("1100", "ADM", 3), **planner}
    )
    closed_books.run("imports", closed_books.info["import_ids"]["Load GL Actuals"])
    assert held(closed_books) == {}, "it is hers alone"
    closed_books.control("POST", "/tasks", {"action": "Load GL Actuals", **planner})
    closed_books.control(
        "POST", "/imports/Load GL Actuals/upload", {"text": ACTUALS + row("1100", "ADM", 4), "default": True}
    )
    closed_books.run("imports", closed_books.info["import_ids"]["Load GL Actuals"])
    assert held(closed_books) == {("1100", "ADM"): 4}
    events = closed_books.control("GET", "/events")["events"]
    assert [event["kind"] for event in events if event["user"] == planner["user"]].count("upload") == 2


@pytest.mark.parametrize(("state", "status"), [("LOCKED", 423), ("ARCHIVED", 422), ("MAINTENANCE", 424)])
def test_an_administrator_closes_the_model_for_some_virtual_seconds(anaplan, clock, state, status):
    anaplan.control("POST", "/model", {"state": state, "seconds": 600})
    assert anaplan.get("/imports").status_code == status
    clock.advance(590)
    assert anaplan.control("GET", "/model")["state"] == state
    clock.advance(20)
    assert anaplan.control("GET", "/model")["state"] == "UNLOCKED"
    assert anaplan.get("/imports").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/imports/Load Nothing", {}, 404),
        ("PUT", "/imports/Load GL Actuals", {"colour": "red"}, 400),
        ("PUT", "/imports/Load GL Actuals", {"adds": "often"}, 400),
        ("POST", "/imports/Load GL Actuals/upload", {}, 400),
        ("POST", "/lists/Nothing/numbered", {}, 404),
        ("PATCH", "/members", {"list": "Accounts", "member": "none"}, 404),
        ("PATCH", "/members", {"list": "Accounts", "member": "1100", "name": "Bank"}, 400),
    ],
)
def test_senseless_acts_say_why(closed_books, method, path, body, status):
    answer = requests.request(method, f"{closed_books.sandbox.url}/_sandbox/anaplan{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
