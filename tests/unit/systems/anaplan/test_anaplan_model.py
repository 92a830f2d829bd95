# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    DeadlineError,
    ModelBusyError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    TaskFailedError,
    UnknownNameError,
)
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from tests.unit.systems.anaplan.fake_anaplan import (
    DETAILS,
    FILE,
    IMPORT,
    MODEL,
    WORKSPACE,
    anaplan,
    envelope,
    error,
    listing,
)
from tests.unit.systems.http.scripted_server import Reply, as_json

# What the model's answers and its silence mean


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, BadRequestError),
        (406, BadRequestError),
        (415, BadRequestError),
        (409, ModelBusyError),
        (423, ModelBusyError),
        (424, ModelBusyError),
        (422, ModelUnavailableError),
        (425, ModelUnavailableError),
        (429, RateLimitedError),
        (500, ServerError),
        (504, ServerError),
    ],
)
def test_each_status_is_an_error_of_its_own_with_the_path(at, status, kind):
    at.anaplan.on("GET", "/imports", error(status, "Said so"))
    with pytest.raises(kind, match=r"Said so|fewer requests") as caught:
        at.model.imports()
    assert "/imports" in str(caught.value)


@pytest.mark.parametrize(("status", "state"), [(409, "busy"), (423, "locked"), (424, "offline")])
def test_a_busy_model_is_told_at_once_and_says_how(at, status, state):
    at.anaplan.on("GET", "/lists", error(status))
    with pytest.raises(ModelBusyError) as caught:
        at.model.lists()
    assert caught.value.state == state
    assert len(at.server.seen("GET", "/lists")) == 1


def test_a_moved_model_is_asked_again(at):
    at.anaplan.on("GET", "/lists", error(410), listing("lists", [{"id": "101", "name": "Accounts"}]))
    assert at.model.lists()[0].name == "Accounts"


@pytest.mark.parametrize(
    "call",
    [
        lambda model, folder: model.lists(),
        lambda model, folder: model.details(),
        lambda model, folder: model.status(),
        lambda model, folder: model.ensure_ready(),
        lambda model, folder: model.members("101"),
        lambda model, folder: model.read_view("203", folder / "v.csv"),
        lambda model, folder: model.download("116", folder / "e.csv"),
        lambda model, folder: model.upload_chunks(FILE, [b"x"]),
    ],
)
def test_a_hanging_call_says_that_the_model_is_busy_and_is_not_repeated(at, held, tmp_path, monkeypatch, call):
    monkeypatch.setattr("airflow_provider_mlconnector.systems.anaplan.model.PROBE_TIMEOUT", (1.0, 0.1))
    for method in ("GET", "PUT", "POST"):
        at.anaplan.on(method, ".*", held)
    with pytest.raises(ModelBusyError) as caught:
        call(at.model, tmp_path)
    assert caught.value.state == "hanging"
    assert len(at.server.requests) == 2  # the login and the call


def test_definitions_of_actions_always_answer_so_their_silence_is_sat_through(at, held):
    at.anaplan.on("GET", "/imports", held, listing("imports", [{"id": IMPORT, "name": "Load"}]))
    assert at.model.imports()[0].name == "Load"


@pytest.mark.parametrize(
    ("model", "state"),
    [
        ({"activeState": "LOCKED"}, "locked"),
        ({"activeState": "MAINTENANCE"}, "maintenance"),
        ({"activeState": "PRODUCTION_MAINTENANCE"}, "production maintenance"),
        ({"activeState": "UNLOCKED", "modelTransactionRunning": True}, "changing"),
    ],
)
def test_a_model_that_can_be_waited_for_is_busy(at, model, state):
    at.anaplan.on("GET", DETAILS, envelope("model", {"id": MODEL, "name": "Hub", **model}))
    at.anaplan.on("GET", "/status", as_json({"requestStatus": {"currentStep": "Open", "tooltip": "Jane runs Load"}}))
    with pytest.raises(ModelBusyError, match="'Hub'") as caught:
        at.model.ensure_ready()
    assert caught.value.state == state
    assert ("Jane runs Load" in str(caught.value)) == (state == "changing")


def test_an_archived_model_is_unavailable(at):
    at.anaplan.on("GET", DETAILS, envelope("model", {"id": MODEL, "name": "Hub", "activeState": "ARCHIVED"}))
    with pytest.raises(ModelUnavailableError, match="archived"):
        at.model.ensure_ready()


@pytest.mark.parametrize("state", ["UNLOCKED", "PRODUCTION", "ACTIVE", "SOMETHING_NEW", None])
def test_a_deployed_model_and_one_in_a_state_that_we_do_not_know_are_ready(at, state):
    at.anaplan.on("GET", DETAILS, envelope("model", {"id": MODEL, "name": "Hub", "activeState": state}))
    at.model.ensure_ready()


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_where_the_details_are_not_to_be_had_the_next_request_will_tell(at, status):
    at.anaplan.on("GET", DETAILS, error(status))
    at.model.ensure_ready()


# Collections and reads


def test_pages_smaller_than_asked_for_are_followed_to_the_end(at):
    names = [f"Import {number}" for number in range(5)]
    rows = [{"id": str(number), "name": name} for number, name in enumerate(names)]

    def page(request):
        offset = int(request.query["offset"][0])
        return listing("imports", rows[offset : offset + 2], offset=offset, total=5)

    at.anaplan.on("GET", "/imports", page)
    assert [found.name for found in at.model.imports()] == names
    assert [request.query["offset"] for request in at.server.seen("GET", "/imports")] == [["0"], ["2"], ["4"]]


def test_an_answer_that_is_no_json_is_a_protocol_error(at):
    at.anaplan.on("GET", "/imports", Reply(200, b"<html>Maintenance</html>"))
    with pytest.raises(ProtocolError):
        at.model.imports()


def test_resolving_looks_into_the_right_collection(at):
    at.anaplan.on("GET", "/processes", listing("processes", [{"id": "118", "name": "Load All"}]))
    assert at.model.resolve(Kind.PROCESS, "Load All").id == "118"
    with pytest.raises(UnknownNameError, match="Model 'FP&A Hub' has no process"):
        at.model.resolve(Kind.PROCESS, "Load all")


READS = "/views/203/readRequests"
STARTED = envelope("viewReadRequest", {"requestId": "R1", "requestState": "NOT_STARTED"})


def complete(pages, successful=True):
    return envelope("viewReadRequest", {"requestState": "COMPLETE", "availablePages": pages, "successful": successful})


def test_a_large_read_waits_joins_its_pages_and_is_deleted(at, tmp_path):
    running = envelope("viewReadRequest", {"requestState": "IN_PROGRESS", "availablePages": 1, "successful": False})
    at.anaplan.on("POST", READS, STARTED)
    at.anaplan.on("GET", f"{READS}/R1", running, running, complete(3))
    for number, page in enumerate([b"A,Amount\n1,2\n", b"A,Amount\n3,4", b"5,6\n"]):
        at.anaplan.on("GET", f"{READS}/R1/pages/{number}", Reply(200, page))
    at.anaplan.on("DELETE", f"{READS}/R1", envelope("viewReadRequest", {}))
    path = at.model.read_view("203", tmp_path / "view.csv")
    assert path.read_bytes() == b"A,Amount\n1,2\n3,4\n5,6\n"
    assert at.server.seen("POST", "/readRequests")[0].json == {"exportType": "TABULAR_MULTI_COLUMN"}
    assert len(at.server.seen("DELETE")) == 1


def test_a_large_read_that_fails_is_an_error_and_deleted_all_the_same(at, tmp_path):
    at.anaplan.on("POST", READS, STARTED)
    at.anaplan.on("GET", f"{READS}/R1", complete(0, successful=False))
    at.anaplan.on("DELETE", f"{READS}/R1", error(404))
    with pytest.raises(TaskFailedError):
        at.model.read_view("203", tmp_path / "view.csv")
    assert len(at.server.seen("DELETE")) == 1
    assert not (tmp_path / "view.csv").exists()


def test_a_page_that_fails_leaves_no_half_file_behind(at, tmp_path):
    at.anaplan.on("POST", READS, STARTED)
    at.anaplan.on("GET", f"{READS}/R1", complete(2))
    at.anaplan.on("GET", f"{READS}/R1/pages/0", Reply(200, b"A\n1\n"))
    at.anaplan.on("GET", f"{READS}/R1/pages/1", error(500))
    with pytest.raises(ServerError):
        at.model.read_view("203", tmp_path / "view.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_large_read_that_never_ends_is_given_up(at, tmp_path):
    at.anaplan.on("POST", READS, STARTED)
    at.anaplan.on("GET", f"{READS}/R1", envelope("viewReadRequest", {"requestState": "IN_PROGRESS"}))
    with pytest.raises(DeadlineError):
        at.model.read_view("203", tmp_path / "view.csv")
    assert at.clock.monotonic() <= 1800


def test_members_come_by_code_and_by_name(at):
    items = [{"id": "1", "name": "Sales", "code": "4000"}, {"id": "2", "name": "Total"}]
    at.anaplan.on("GET", "/lists/101/items", listing("listItems", items))
    members = at.model.members("101")
    assert members.by_code == {"4000": "Sales"}
    assert members.by_name == {"Sales": "4000", "Total": ""}


@pytest.mark.parametrize("header", ["Accounts,Parent,Code", "Parent,Code,Name", "Parent,code,Item Name"])
def test_a_list_of_more_than_a_million_items_goes_through_a_large_read(at, header):
    columns = header.split(",")
    row = {
        "Accounts": "Sales",
        "Name": "Sales",
        "Item Name": "Sales",
        "Parent": "Total",
        "Code": "4000",
        "code": "4000",
    }
    page = header + "\n" + ",".join(row[column] for column in columns) + "\n"
    at.anaplan.on("GET", "/lists/101/items", error(400, "Too many"))
    at.anaplan.on("POST", "/lists/101/readRequests", envelope("listReadRequest", {"requestId": "R1"}))
    done = envelope("listReadRequest", {"requestState": "COMPLETE", "availablePages": 1, "successful": True})
    at.anaplan.on("GET", "/lists/101/readRequests/R1", done)
    at.anaplan.on("GET", "/lists/101/readRequests/R1/pages/0", Reply(200, page.encode()))
    assert at.model.members("101").by_code == {"4000": "Sales"}


# Downloads


def test_a_download_goes_chunk_by_chunk_and_survives_a_chunk_that_breaks_off(at, tmp_path):
    at.anaplan.on("GET", "/files/116/chunks", listing("chunks", [{"id": "0"}, {"id": "1"}]))
    at.anaplan.on("GET", "/files/116/chunks/0", Reply(200, b"first,"))
    at.anaplan.on("GET", "/files/116/chunks/1", Reply(200, b"sec", broken=True), Reply(200, b"second"))
    assert at.model.download("116", tmp_path / "out.csv") == 12
    assert (tmp_path / "out.csv").read_bytes() == b"first,second"


def test_an_output_that_appears_a_moment_later_is_waited_for(at, tmp_path):
    at.anaplan.on("GET", "/files/116/chunks", error(404), listing("chunks", []), listing("chunks", [{"id": "0"}]))
    at.anaplan.on("GET", "/files/116/chunks/0", Reply(200, b"x"))
    assert at.model.download("116", tmp_path / "out.csv") == 1


def test_a_server_without_chunk_lists_gives_the_file_as_one(at, tmp_path):
    at.anaplan.on("GET", "/files/116/chunks", error(405))
    at.anaplan.on("GET", "/files/116", Reply(200, b"whole"))
    assert at.model.download("116", tmp_path / "out.csv") == 5


# The client


def test_two_ids_are_taken_as_they_are_without_asking(at):
    ref = at.client.resolve_model("A" * 32, "b" * 32)
    assert (ref.workspace_id, ref.model_id) == ("a" * 32, "B" * 32)
    assert at.server.requests == []


def test_a_model_is_found_by_names_and_an_ambiguous_one_is_not(at):
    at.anaplan.on("GET", "/2/0/workspaces", listing("workspaces", [{"id": WORKSPACE, "name": "Finance"}]))
    models = [{"id": MODEL, "name": "Hub"}, {"id": "C" * 32, "name": "Old"}, {"id": "D" * 32, "name": "Old"}]
    at.anaplan.on("GET", f"/2/0/workspaces/{WORKSPACE}/models", listing("models", models))
    assert at.client.resolve_model("Finance", "Hub").model_id == MODEL
    assert at.client.resolve_model(WORKSPACE.upper(), "Hub").model_id == MODEL
    assert at.client.resolve_model("Finance", MODEL.lower()).model_name == "Hub"
    with pytest.raises(UnknownNameError, match="2 models named 'Old'"):
        at.client.resolve_model("Finance", "Old")
    with pytest.raises(UnknownNameError, match="Workspace 'Finance' has no model"):
        at.client.resolve_model("Finance", "hub")


def test_requests_and_logins_are_counted(at):
    at.anaplan.on("GET", "/imports", error(500), listing("imports", []))
    at.model.imports()
    assert (at.client.requests_made, at.client.logins) == (3, 1)


def test_every_request_takes_from_the_budget_of_the_host_and_waits_when_it_is_used_up():
    class Budget:
        def __init__(self):
            self.asked = []

        def take(self, key):
            self.asked.append(key)
            return 7.0 if len(self.asked) == 2 else 0.0

        def pause(self, key, seconds):
            self.paused = (key, seconds)

    budget = Budget()
    with anaplan(budget=budget) as at:
        at.anaplan.on("GET", "/imports", error(429, **{"Retry-After": "3"}), listing("imports", []))
        at.model.imports()
        assert set(budget.asked) == {at.client.hosts.name}
        assert len(budget.asked) == 4  # login, the wait, and two sends
        assert at.clock.waits[0] == 7.0
        key, seconds = budget.paused
        assert key == at.client.hosts.name
        assert seconds >= 3.0
