# SPDX-License-Identifier: Apache-2.0
"""The whole client against the sandbox, which really imports: what one of them misunderstands shows here."""

from __future__ import annotations

import csv

import pytest

from airflow_provider_mlconnector.errors import (
    NotFoundError,
    UnknownNameError,
)
from airflow_provider_mlconnector.systems.anaplan.auth import (
    BasicLogin,
)
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.dumps import read_dump
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskState
from tests.unit.systems.anaplan.sandbox_tasks import finished, loaded


def test_names_and_ids_lead_to_the_same_model_and_ids_may_be_in_any_case(client, info):
    by_name = client.resolve_model("Finance", "FP&A Hub")
    by_id = client.resolve_model(info.workspace_id.upper(), info.model_id.lower())
    assert (by_name.workspace_id, by_name.model_id) == (by_id.workspace_id, by_id.model_id)
    assert (by_name.workspace_id, by_name.model_id) == (info.workspace_id, info.model_id)


def test_an_unknown_model_lists_those_there_are(client):
    with pytest.raises(UnknownNameError, match="FP&A Hub"):
        client.resolve_model("Finance", "FP&A hub")


def test_every_kind_of_definition_is_found_by_name_and_by_id(model, info):
    for kind, ids in [
        (Kind.IMPORT, info.import_ids),
        (Kind.EXPORT, info.export_ids),
        (Kind.PROCESS, info.process_ids),
        (Kind.ACTION, info.action_ids),
        (Kind.VIEW, info.view_ids),
        (Kind.LIST, info.list_ids),
    ]:
        for name, id_ in ids.items():
            assert model.resolve(kind, name).id == id_
            assert model.resolve(kind, id_).id == id_
    with pytest.raises(UnknownNameError, match="Load Accounts"):
        model.resolve(Kind.IMPORT, "load accounts")


def test_smaller_pages_than_asked_for_hide_nothing(model, info, control):
    control("POST", "/anaplan/switches", {"page_size": 2})
    assert {found.id for found in model.imports()} == set(info.import_ids.values())
    assert {found.id for found in model.lists()} >= set(info.list_ids.values())


def test_fields_and_states_that_nobody_has_heard_of_do_no_harm(model, control, tmp_path):
    control("POST", "/anaplan/switches", {"extra_fields": True, "strange_task_state": "PONDERING"})
    _, status = loaded(model, tmp_path, "Load Vendors", "Code,Name\nV1,Vendor 1\n")
    assert status.outcome.successful


def test_an_import_tells_its_header_and_its_file(model, info):
    source = model.import_source(info.import_ids["Load GL Actuals"])
    assert source.header == ("Account", "Cost Centre", "Entity", "Version", "Time", "Amount")
    assert source.file_id == info.file_ids["Load GL Actuals"]
    assert (source.separator, source.header_row, source.first_data_row) == (",", 1, 2)


def test_a_list_is_loaded_and_its_members_are_read_back(model, info, tmp_path):
    _, status = loaded(model, tmp_path, "Load Vendors", "Code,Name\nV00010,Northwind\nV00020,Contoso\n")
    assert status.state is TaskState.COMPLETE
    assert not status.outcome.failed
    assert (status.outcome.sent, status.outcome.loaded) == (2, 2)
    members = model.members(info.list_ids["Vendors"])
    assert members.by_code["V00010"] == "Northwind"
    assert members.by_name["Contoso"] == "V00020"


def test_a_list_read_at_large_says_the_same_as_its_members(model, info, tmp_path, control):
    loaded(model, tmp_path, "Load Vendors", "Code,Name\nV00010,Northwind\nV00020,Contoso\n")
    control("POST", "/anaplan/switches", {"read_page_rows": 1, "page_header": "every"})
    path = model.read_list(info.list_ids["Vendors"], tmp_path / "vendors.csv")
    rows = list(csv.reader(path.open(newline="")))
    assert len(rows) == len(model.members(info.list_ids["Vendors"]).by_name) + 1
    assert control("GET", "/anaplan/model")["open_read_requests"] == 0


ACTUALS = "Account,Cost Centre,Entity,Version,Time,Amount\n"


@pytest.fixture
def members(model, tmp_path):
    loaded(model, tmp_path, "Load Accounts", "Code,Name,Parent\n4000,Sales,\n5000,Purchases,\n")
    loaded(model, tmp_path, "Load Cost Centres", "Code,Name,Parent\nSAL,Sales team,\n")


@pytest.mark.usefixtures("members")
@pytest.mark.parametrize("header_on", ["first", "every"])
def test_cells_are_loaded_exactly_and_the_view_tells_them_back(model, info, tmp_path, control, header_on):
    amount = "9007199254740993.01"  # no float holds it
    _, status = loaded(
        model,
        tmp_path,
        "Load GL Actuals",
        ACTUALS + f"4000,SAL,Larkfield,Actual,Jul 25,-{amount}\n5000,SAL,Larkfield,Actual,Jul 25,12.50\n",
    )
    assert status.outcome.loaded == 2
    control("POST", "/anaplan/switches", {"read_page_rows": 1, "page_header": header_on, "members_shown": "codes"})
    path = model.read_view(info.view_ids["GL Actuals by Period"], tmp_path / "view.csv")
    rows = list(csv.DictReader(path.open(newline="")))
    found = {(row["Account"], row["Time"]): row["Amount"] for row in rows if row["Cost Centre"] == "SAL"}
    assert found["4000", "Jul 25"] == f"-{amount}"
    assert found["5000", "Jul 25"].rstrip("0") == "12.5"
    assert control("GET", "/anaplan/model")["open_read_requests"] == 0


@pytest.mark.usefixtures("members")
def test_rejected_rows_are_counted_and_their_dump_names_line_and_reason(model, tmp_path):
    ref, status = loaded(
        model,
        tmp_path,
        "Load GL Actuals",
        ACTUALS + "4000,SAL,Larkfield,Actual,Jul 25,1\n4000,NOWHERE,Larkfield,Actual,Jul 25,2\n",
    )
    assert (status.outcome.sent, status.outcome.loaded, status.outcome.rejected) == (2, 1, 1)
    assert not status.outcome.failed
    assert model.dump(ref, tmp_path / "dump.csv")
    (row,) = read_dump(tmp_path / "dump.csv")
    assert row.line == 3
    assert row.values[:2] == ("4000", "NOWHERE")
    assert row.errors


def test_a_clean_import_has_no_dump(model, tmp_path, control):
    ref, _ = loaded(model, tmp_path, "Load Vendors", "Code,Name\nV1,Vendor 1\n")
    for status in (404, 400):
        control("POST", "/anaplan/switches", {"dump_absent_status": status})
        assert not model.dump(ref, tmp_path / "dump.csv")
    assert not (tmp_path / "dump.csv").exists()


@pytest.mark.usefixtures("members")
def test_a_process_tells_of_each_action_and_dumps_each(model, info, tmp_path):
    for name, text in [
        ("Load Accounts", "Code,Name,Parent\n4000,Sales,\n"),
        ("Load Cost Centres", "Code,Name,Parent\nSAL,Sales team,\n"),
        ("Load GL Actuals", ACTUALS + "4000,NOWHERE,Larkfield,Actual,Jul 25,2\n4000,SAL,Larkfield,Actual,Jul 25,3\n"),
    ]:
        path = tmp_path / "part.csv"
        path.write_text(text)
        model.upload(info.file_ids[name], path)
    ref, status = finished(model, ActionKind.PROCESS, info.process_ids["Load All"])
    names = ("Load Accounts", "Load Cost Centres", "Load GL Actuals")
    assert [action.object_id for action in status.outcome.nested] == [info.import_ids[name] for name in names]
    assert (status.outcome.sent, status.outcome.rejected) == (4, 1)
    assert model.dump(ref, tmp_path / "dump.csv", info.import_ids["Load GL Actuals"])
    assert [row.line for row in read_dump(tmp_path / "dump.csv")] == [2]
    assert not model.dump(ref, tmp_path / "none.csv", info.import_ids["Load Accounts"])


@pytest.mark.usefixtures("members")
def test_an_export_is_downloaded_in_chunks(model, info, tmp_path, control):
    control("POST", "/anaplan/plan", {"first": "Jul 26"})
    control("POST", "/anaplan/switches", {"export_chunk_bytes": 200})
    export = model.resolve(Kind.EXPORT, "Approved Budget")
    _, status = finished(model, ActionKind.EXPORT, export.id)
    assert status.outcome.successful
    size = model.download(export.id, tmp_path / "budget.csv")
    content = (tmp_path / "budget.csv").read_bytes()
    assert size == len(content) > 400
    assert next(csv.reader(content.decode().splitlines())) == list(model.export_layout(export.id).header)


def test_a_file_without_content_is_not_found(make_client, info, tmp_path, control):
    control("POST", "/anaplan/switches", {"others_file": "404"})
    planner = make_client(BasicLogin("paula-planner@larkfield.example", info.users["paula-planner@larkfield.example"]))
    model = planner.model(planner.resolve_model(info.workspace_id, info.model_id))
    with pytest.raises(NotFoundError):
        model.download(info.file_ids["Load Employees"], tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()
