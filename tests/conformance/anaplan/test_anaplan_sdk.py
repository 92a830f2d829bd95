# SPDX-License-Identifier: Apache-2.0
"""anaplan-sdk, unmodified, against the sandbox: its hosts are literals, so its HTTP library is led to another one."""

import asyncio
import csv
import io

import anaplan_sdk
import httpx2
import pytest
from anaplan_sdk.exceptions import (
    AnaplanActionError,
    InvalidCredentialsException,
    InvalidIdentifierException,
)

from tests.unit.sandbox.anaplan.caller import Caller

ACCOUNTS = "Code,Name,Parent\n1000,Assets,\n1100,Cash,1000\n1200,Bank,1000\n"
CENTRES = "Code,Name,Parent\nADM,Administration,\n"
FAST = {
    "task_seconds": 0.01,
    "queue_seconds": 0.0,
    "longest_task_seconds": 0.02,
    "members_shown": "codes",
    "rate_limit": 0,
}


@pytest.fixture(autouse=True)
def redirected(sandbox, monkeypatch):
    """Lead every request to a host of Anaplan's to the sandbox instead; any other host is an error."""
    here = httpx2.URL(sandbox.url)
    handle, handle_async = httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request

    def lead(request):
        # the login flow sends one request object twice: the second time it leads here already
        assert request.url.host.endswith(".anaplan.com") or request.url.netloc == here.netloc, request.url
        request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)
        request.headers["Host"] = here.netloc.decode()
        return request

    async def handle_led_async(transport, request):
        return await handle_async(transport, lead(request))

    monkeypatch.setattr(
        httpx2.HTTPTransport, "handle_request", lambda transport, request: handle(transport, lead(request))
    )
    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", handle_led_async)


@pytest.fixture(scope="module", autouse=True)
def quick(site):
    site.switches = site.switches.changed(FAST)


def client_of(info, kind=anaplan_sdk.Client, **more):
    login = {"user_email": info["login"], "password": info["password"]}
    settings = {"status_poll_delay": 0.01, "backoff": 0.01, **(more or login)}
    return kind(workspace_id=info["workspace_id"], model_id=info["model_id"], **settings)


@pytest.fixture
def client(info):
    return client_of(info)


@pytest.fixture
def control(sandbox):
    return Caller(sandbox).control


def import_id(info, name):
    return int(info["import_ids"][name])


def load(client, info, name, text):
    return client.upload_and_import(int(info["file_ids"][name]), text, import_id(info, name))


def test_logs_in_by_password_and_by_certificate(info):
    for more in ({}, {"certificate": info["certificate_pem"], "private_key": info["private_key_pem"]}):
        workspaces = client_of(info, **more).get_workspaces()
        assert [(found.id, found.name) for found in workspaces] == [(info["workspace_id"], "Finance")]
    with pytest.raises(InvalidCredentialsException):
        client_of(info, user_email=info["login"], password="wrong")


def test_logs_in_again_when_its_token_has_expired(client, control):
    assert client.get_imports()
    control("DELETE", "/tokens")
    assert client.get_imports()


def test_lists_models_and_what_they_offer(client, info):
    (model,) = client.get_models()
    assert (model.id, model.name, model.active_state, model.workspace_name) == (
        info["model_id"],
        "FP&A Hub",
        "UNLOCKED",
        "Finance",
    )
    assert client.get_model().model_transaction_running is False
    assert client.get_workspace().name == "Finance"
    assert {found.name: str(found.id) for found in client.get_imports()} == info["import_ids"]
    assert {found.name: str(found.file_id) for found in client.get_imports()} == info["file_ids"]
    assert {found.name: str(found.id) for found in client.get_exports()} == info["export_ids"]
    assert {found.name: str(found.id) for found in client.get_processes()} == info["process_ids"]
    assert {found.name: str(found.id) for found in client.get_actions()} == info["action_ids"]
    assert {str(found.id) for found in client.get_files()} >= set(info["file_ids"].values())
    names = [found.name for found in client.get_imports(sort_by="name", descending=True)]
    assert names == sorted(names, reverse=True)


def test_reads_every_page_however_small(client, info, site):
    site.switches = site.switches.changed({"page_size": 2})
    try:
        assert {found.name: str(found.id) for found in client.get_imports()} == info["import_ids"]
    finally:
        site.switches = site.switches.changed({"page_size": 5000})


def test_reads_the_models_metadata(client, info):
    reader = client.tr
    assert {found.name: str(found.id) for found in reader.get_lists()} == info["list_ids"]
    assert reader.get_list_metadata(int(info["list_ids"]["Accounts"])).numbered_list is False
    assert {found.name: str(found.id) for found in reader.get_modules()} == info["module_ids"]
    views = {found.name: str(found.id) for found in reader.get_views()}
    assert views["GL Actuals.GL Actuals by Period"] == info["view_ids"]["GL Actuals by Period"]
    shown = reader.get_view_info(int(info["view_ids"]["GL Actuals by Period"]))
    assert [axis.name for axis in shown.rows] == ["Accounts", "Cost Centres", "Entities", "Versions", "Time"]
    assert [item.name for item in reader.get_line_items(int(info["module_ids"]["GL Balances"]))] == [
        "Opening",
        "Debit",
        "Credit",
        "Closing",
    ]
    assert reader.get_model_status().current_step == "Open"
    assert reader.get_current_period().period_text == "Nov 26"
    assert reader.get_model_calendar().fiscal_year.year == "FY27"
    reader.wake_model()


def test_uploads_imports_and_reads_the_list_back(client, info):
    task = load(client, info, "Load Accounts", ACCOUNTS)
    assert task.result.details[0].local_message_text.startswith("Accounts: 3 (")
    assert client.get_file(int(info["file_ids"]["Load Accounts"])).decode() == ACCOUNTS
    items = client.tr.get_list_items(int(info["list_ids"]["Accounts"]))
    assert [(item.code, item.name, item.parent) for item in items] == [
        ("1000", "Assets", None),
        ("1100", "Cash", "Assets"),
        ("1200", "Bank", "Assets"),
    ]
    summaries = client.get_task_summaries(import_id(info, "Load Accounts"))
    assert task.id in [summary.id for summary in summaries]


def test_many_small_chunks_in_parallel_make_the_file_whole(info):
    client = client_of(info)
    client.upload_chunk_size = 16
    vendors = "Code,Name\n" + "".join(f"V{number:03d},Vendor {number}\n" for number in range(200))
    load(client, info, "Load Vendors", vendors)
    items = client.tr.get_list_items(int(info["list_ids"]["Vendors"]))
    assert [item.code for item in items] == [f"V{number:03d}" for number in range(200)]
    assert b"".join(client.get_file_stream(int(info["file_ids"]["Load Vendors"]))).decode() == vendors


def test_a_stream_of_unknown_length_is_uploaded_and_imported(client, info):
    def employees():
        yield "Code,Name\n"
        yield from (f"E{number},Employee {number}\n" for number in range(20))

    client.upload_file_stream(int(info["file_ids"]["Load Employees"]), employees(), batch_size=4)
    task = client.run_action(import_id(info, "Load Employees"))
    assert task.result.successful
    assert len(client.tr.get_list_items(int(info["list_ids"]["Employees"]))) == 20


def test_exports_what_was_imported_and_downloads_it(client, info):
    load(client, info, "Load Accounts", ACCOUNTS)
    load(client, info, "Load Cost Centres", CENTRES)
    header = "Account,Cost Centre,Entity,Version,Time,Amount\n"
    rows = "1100,ADM,Larkfield,Budget,Jul 26,10.50\n1200,ADM,Larkfield,Budget,Aug 26,-7\n"
    load(client, info, "Load GL Actuals", header + rows + "1100,ADM,Larkfield,Actual,Jul 26,1\n")
    exported = client.export_and_download(int(info["export_ids"]["Approved Budget"])).decode()
    assert exported.splitlines() == (header + rows).splitlines()
    shown = client.tr.get_view_data(
        int(info["view_ids"]["GL Actuals by Period"]),
        parent_module_id=int(info["module_ids"]["GL Actuals"]),
        export_type="TABULAR_MULTI_COLUMN",
        data_format="text/csv",
    )
    assert len(list(csv.reader(io.StringIO(shown.decode(), newline="")))) == 4


def test_runs_a_process_and_tells_a_failed_import(client, info):
    load(client, info, "Load Accounts", ACCOUNTS)
    load(client, info, "Load Cost Centres", CENTRES)
    header = "Account,Cost Centre,Entity,Version,Time,Amount\n"
    client.upload_file(int(info["file_ids"]["Load GL Actuals"]), header + "1100,ADM,Larkfield,Actual,Jul 26,1\n")
    task = client.run_action(int(info["process_ids"]["Load All"]))
    assert [nested.successful for nested in task.result.nested_results] == [True, True, True]
    with pytest.raises(AnaplanActionError):
        load(client, info, "Load Accounts", "Number,Name\n1,x\n")


def test_deletes_by_an_action(client, info):
    load(client, info, "Load Vendors", "Code,Name\nV1,Smith\n")
    assert client.run_action(int(info["action_ids"]["Delete Vendors"])).result.successful
    assert client.tr.get_list_items(int(info["list_ids"]["Vendors"])) == []


def test_writes_items_and_cells_directly(client, info):
    load(client, info, "Load Accounts", ACCOUNTS)
    load(client, info, "Load Cost Centres", CENTRES)
    writer, vendors = client.tr, int(info["list_ids"]["Vendors"])
    writer.delete_list_items(vendors, [{"id": item.id} for item in writer.get_list_items(vendors)])
    added = writer.insert_list_items(vendors, [{"name": "Smith", "code": "V1"}, {"name": "Smith", "code": "V2"}])
    assert (added.added, added.ignored, added.failures[0].index) == (1, 1, 1)
    assert writer.update_list_items(vendors, [{"code": "V1", "name": "Smith & Sons"}]).updated == 1
    assert [item.name for item in writer.get_list_items(vendors)] == ["Smith & Sons"]
    assert writer.delete_list_items(vendors, [{"code": "V1"}]).deleted == 1
    names = {
        "Accounts": "Cash",
        "Cost Centres": "Administration",
        "Entities": "Larkfield",
        "Versions": "Forecast",
        "Time": "Jul 26",
    }
    dimensions = [{"dimensionName": name, "itemName": member} for name, member in names.items()]
    cell = {"lineItemName": "Amount", "dimensions": dimensions, "value": 5}
    written = writer.update_module_data(int(info["module_ids"]["GL Actuals"]), [cell])
    assert written == {"numberOfCellsChanged": 1, "failures": []}


def test_a_file_that_does_not_exist_is_told_by_its_other_id(client):
    with pytest.raises(InvalidIdentifierException):
        client.upload_file(113000009999, "x")


def test_the_asynchronous_client_works_as_well(info):
    async def run():
        client = client_of(info, anaplan_sdk.AsyncClient)
        await client.upload_file(int(info["file_ids"]["Load Accounts"]), ACCOUNTS)
        task = await client.run_action(import_id(info, "Load Accounts"))
        items = await client.tr.get_list_items(int(info["list_ids"]["Accounts"]))
        return task.result.successful, len(items), len(await client.get_models())

    assert asyncio.run(run()) == (True, 3, 1)
