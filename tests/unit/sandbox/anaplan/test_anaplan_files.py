# SPDX-License-Identifier: Apache-2.0
import gzip

import pytest

from airflow_provider_mlconnector.sandbox.anaplan.api import files as files_api
from tests.unit.sandbox.anaplan.caller import Caller


@pytest.fixture
def file_id(anaplan):
    return anaplan.info["file_ids"]["Load Accounts"]


def in_list(caller, file_id):
    return next(file for file in caller.get("/files").json()["files"] if file["id"] == file_id)


def test_chunks_make_the_file_in_the_order_of_their_numbers(anaplan, file_id):
    assert anaplan.post(f"/files/{file_id}", json={"chunkCount": 3}).json()["file"]["chunkCount"] == 3
    for number in (2, 0, 1):
        answer = anaplan.put_chunk(file_id, number, f"part {number};".encode(), compress=number != 1)
        assert (answer.status_code, answer.content) == (204, b"")
    assert anaplan.post(f"/files/{file_id}/complete", json={"id": file_id}).status_code == 200
    listed = anaplan.get(f"/files/{file_id}/chunks").json()["chunks"]
    assert listed == [{"id": str(number), "name": f"Chunk {number}"} for number in range(3)]
    whole = anaplan.get(f"/files/{file_id}")
    assert (whole.content, whole.headers["Content-Type"]) == (b"part 0;part 1;part 2;", "application/octet-stream")
    assert anaplan.get(f"/files/{file_id}/chunks/1").content == b"part 1;"


def test_a_chunk_can_be_sent_again(anaplan, file_id):
    anaplan.post(f"/files/{file_id}", json={"chunkCount": 1})
    anaplan.put_chunk(file_id, 0, b"first")
    anaplan.put_chunk(file_id, 0, b"second")
    assert anaplan.get(f"/files/{file_id}").content == b"second"


def test_the_list_of_chunks_shows_what_is_stored_and_nothing_else(anaplan, file_id):
    anaplan.post(f"/files/{file_id}", json={"chunkCount": 3})
    anaplan.put_chunk(file_id, 0, b"a")
    anaplan.put_chunk(file_id, 2, b"c")
    assert [chunk["id"] for chunk in anaplan.get(f"/files/{file_id}/chunks").json()["chunks"]] == ["0", "2"]
    assert in_list(anaplan, file_id)["chunkCount"] == 3


def test_an_upload_of_unknown_length_is_there_once_it_is_declared_complete(anaplan, file_id):
    anaplan.post(f"/files/{file_id}", json={"chunkCount": -1})
    for number in range(2):
        anaplan.put_chunk(file_id, number, b"x")
    assert in_list(anaplan, file_id)["chunkCount"] == -1
    assert anaplan.get(f"/files/{file_id}").status_code == 404
    assert anaplan.post(f"/files/{file_id}/complete", json={"id": file_id}).json()["file"]["chunkCount"] == 2
    assert anaplan.get(f"/files/{file_id}").content == b"xx"


def test_completing_may_take_its_time(anaplan, file_id, clock):
    clock.freeze()
    anaplan.switch(complete_seconds=60)
    anaplan.post(f"/files/{file_id}", json={"chunkCount": -1})
    anaplan.put_chunk(file_id, 0, b"x")
    anaplan.post(f"/files/{file_id}/complete", json={"id": file_id})
    assert anaplan.get(f"/files/{file_id}").status_code == 404
    clock.advance(60)
    assert anaplan.get(f"/files/{file_id}").content == b"x"


def test_a_small_file_is_put_whole_and_never_compressed(anaplan, file_id):
    headers = {"Content-Type": "application/octet-stream"}
    assert anaplan.put(f"/files/{file_id}", data=b"Code,Name", headers=headers).status_code == 204
    assert anaplan.get(f"/files/{file_id}").content == b"Code,Name"
    answer = anaplan.put(f"/files/{file_id}", data=gzip.compress(b"x"), headers={"Content-Type": "application/x-gzip"})
    assert answer.status_code == 415


def test_a_file_without_content_is_404_and_so_is_one_that_does_not_exist(anaplan, file_id):
    assert in_list(anaplan, file_id)["chunkCount"] == 0
    assert anaplan.get(f"/files/{file_id}").status_code == 404
    assert anaplan.get("/files/113000009999").status_code == 404
    assert anaplan.get("/files/113000009999/chunks").status_code == 404


def test_an_upload_to_an_unknown_id_makes_another_file(anaplan):
    made = anaplan.post("/files/113000009999", json={"chunkCount": 1}).json()["file"]
    assert made["id"] != "113000009999"
    assert made["name"] == "113000009999"
    assert in_list(anaplan, made["id"])["chunkCount"] == 1


@pytest.mark.parametrize("body", [{"chunkCount": -2}, {"chunkCount": 1001}, {"chunkCount": "1"}, {"headerRow": "1"}])
def test_senseless_settings_are_refused(anaplan, file_id, body):
    assert anaplan.post(f"/files/{file_id}", json={"chunkCount": 1, **body}).status_code == 400


def test_settings_change_how_the_file_is_read(anaplan, file_id):
    settings = {"chunkCount": 1, "separator": "\t", "encoding": "ISO-8859-1", "headerRow": 2, "firstDataRow": 4}
    file = anaplan.post(f"/files/{file_id}", json=settings).json()["file"]
    assert {key: file[key] for key in settings} == settings
    source = anaplan.get(f"/imports/{anaplan.info['import_ids']['Load Accounts']}").json()["importMetadata"]["source"]
    assert (source["columnSeparator"], source["textEncoding"], source["firstDataRow"]) == ("\t", "ISO-8859-1", 4)


def test_a_chunk_beyond_the_declared_number_is_refused(anaplan, file_id):
    anaplan.post(f"/files/{file_id}", json={"chunkCount": 1})
    assert anaplan.put_chunk(file_id, 1, b"x").status_code == 400


def test_a_chunk_that_is_too_large_is_refused_by_its_size_without_compression(anaplan, file_id, monkeypatch):
    monkeypatch.setattr(files_api, "LARGEST_CHUNK", 1000)
    anaplan.post(f"/files/{file_id}", json={"chunkCount": 1})
    assert anaplan.put_chunk(file_id, 0, b"x" * 1000).status_code == 204
    assert anaplan.put_chunk(file_id, 0, b"x" * 1001).status_code == 400


def test_a_chunk_of_another_media_type_is_refused(anaplan, file_id):
    anaplan.post(f"/files/{file_id}", json={"chunkCount": 1})
    answer = anaplan.put(f"/files/{file_id}/chunks/0", data=b"x", headers={"Content-Type": "application/json"})
    assert answer.status_code == 415


def test_a_private_copy_is_its_users_alone_until_it_is_made_the_default(anaplan, sandbox, file_id):
    planner = Caller(sandbox, "paula-planner@larkfield.example")
    anaplan.upload("Load Accounts", "mine")
    assert planner.get(f"/files/{file_id}").status_code == 404
    anaplan.control("POST", f"/files/{file_id}/default", {"user": anaplan.info["login"]})
    assert planner.get(f"/files/{file_id}").content == b"mine"
    planner.upload("Load Accounts", "hers")
    assert planner.get(f"/files/{file_id}").content == b"hers"
    assert anaplan.get(f"/files/{file_id}").content == b"mine"
    assert planner.delete(f"/files/{file_id}").status_code == 204
    assert planner.get(f"/files/{file_id}").content == b"mine"
    anaplan.switch(others_file="404")
    assert planner.get(f"/files/{file_id}").status_code == 404
    anaplan.switch(others_file="empty")
    assert planner.get(f"/files/{file_id}").content == b""


def test_a_private_copy_lives_48_hours_after_its_last_use(anaplan, file_id, clock):
    anaplan.upload("Load Accounts", "x")
    for _ in range(2):
        clock.advance(47 * 3600)
        anaplan.log_in(anaplan.info["login"])
        assert anaplan.get(f"/files/{file_id}").status_code == 200
    clock.advance(47 * 3600)
    anaplan.log_in(anaplan.info["login"])
    in_list(anaplan, file_id)  # to see it in a list is no use
    clock.advance(3600)
    anaplan.log_in(anaplan.info["login"])
    assert anaplan.get(f"/files/{file_id}").status_code == 404
    assert in_list(anaplan, file_id)["chunkCount"] == 0


def test_an_output_has_fewer_fields(anaplan):
    export = in_list(anaplan, anaplan.info["export_ids"]["Approved Budget"])
    assert export.keys() == {"id", "name", "chunkCount", "firstDataRow", "headerRow"}
