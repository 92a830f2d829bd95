# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    FencedError,
    LostAnswerError,
    NotFoundError,
    PermissionDeniedError,
)
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef
from tests.unit.systems.anaplan.fake_anaplan import (
    IMPORT,
    MODEL,
    TASK,
    TASKS,
    WORKSPACE,
    envelope,
    error,
    listing,
)
from tests.unit.systems.http.scripted_server import Reply

# Starting


def test_a_start_is_one_post_with_locale_first_and_the_mapping(at):
    at.anaplan.on("POST", TASKS, envelope("task", {"taskId": "T1"}))
    assert at.model.start(ActionKind.IMPORT, IMPORT, {"Version": "Actual", "Time": "Jul 25"}) == "T1"
    (sent,) = at.server.seen("POST", "/tasks")
    assert list(sent.json) == ["localeName", "mappingParameters"]
    assert sent.json["mappingParameters"] == [
        {"entityType": "Version", "entityName": "Actual"},
        {"entityType": "Time", "entityName": "Jul 25"},
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Reply(silent=True),
        error(500),
        error(503, **{"Retry-After": "1"}),
        Reply(502, b"<html>"),
        Reply(200, b"<html>"),
        envelope("task", {}),
        Reply(200, b'{"task":', broken=True),
    ],
)
def test_a_start_without_a_proper_answer_is_lost_and_sent_once(at, answer):
    at.anaplan.on("POST", TASKS, answer)
    with pytest.raises(LostAnswerError):
        at.model.start(ActionKind.IMPORT, IMPORT)
    assert len(at.server.seen("POST", "/tasks")) == 1


def test_a_start_that_is_not_answered_in_time_is_lost_and_sent_once(at, held):
    at.anaplan.on("POST", TASKS, held)
    with pytest.raises(LostAnswerError):
        at.model.start(ActionKind.IMPORT, IMPORT)
    assert len(at.server.seen("POST", "/tasks")) == 1


def test_a_start_that_was_refused_by_rate_or_by_a_dead_token_is_sent_again(at):
    at.anaplan.on("POST", TASKS, error(429), error(401), envelope("task", {"taskId": "T1"}))
    assert at.model.start(ActionKind.IMPORT, IMPORT) == "T1"
    assert at.client.logins == 2


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_start_that_was_refused_is_an_error_not_a_lost_answer(at, status):
    at.anaplan.on("POST", TASKS, error(status, "No."))
    with pytest.raises((BadRequestError, PermissionDeniedError, NotFoundError)):
        at.model.start(ActionKind.IMPORT, IMPORT)


def test_no_start_without_the_lease(at):
    def fence():
        raise FencedError("The lease was taken over.")

    with pytest.raises(FencedError):
        at.model.start(ActionKind.IMPORT, IMPORT, fence=fence)
    assert at.server.seen("POST", "/tasks") == []


# Tasks


def test_tasks_are_listed_oldest_first_and_an_empty_list_has_no_key(at):
    rows = [{"taskId": "B", "taskState": "COMPLETE", "creationTime": 2000}, {"taskId": "A", "creationTime": 1000}]
    at.anaplan.on("GET", TASKS, listing("tasks", rows), listing("tasks", []))
    assert [task.task_id for task in at.model.tasks(ActionKind.IMPORT, IMPORT)] == ["A", "B"]
    assert at.model.tasks(ActionKind.IMPORT, IMPORT) == ()


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_that_lists_no_tasks_has_none(at, status):
    at.anaplan.on("GET", TASKS, error(status))
    assert at.model.tasks(ActionKind.IMPORT, IMPORT) == ()


def test_a_status_of_a_process_asks_for_its_actions(at):
    ref = TaskRef(workspace_id=WORKSPACE, model_id=MODEL, kind=ActionKind.PROCESS, action_id="118", task_id="T1")
    at.anaplan.on("GET", "/processes/118/tasks/T1", envelope("task", {"taskId": "T1", "taskState": "IN_PROGRESS"}))
    at.model.task(ref)
    assert at.server.seen("GET", "/T1")[0].query == {"includeProcessDetails": ["true"]}


def test_cancelling_a_task_that_is_gone_is_no_error(at):
    at.anaplan.on("DELETE", f"{TASKS}/T1", error(404))
    at.model.cancel(TASK)
    assert len(at.server.seen("DELETE")) == 1


@pytest.mark.parametrize("answer", [error(404), error(400), listing("chunks", [])])
def test_no_dump_is_no_error(at, tmp_path, answer):
    at.anaplan.on("GET", f"{TASKS}/T1/dump/chunks", answer)
    assert not at.model.dump(TASK, tmp_path / "dump.csv")


def test_a_dump_is_joined_from_its_chunks_as_bytes(at, tmp_path):
    at.anaplan.on("GET", f"{TASKS}/T1/dump/chunks", listing("chunks", [{"id": "0"}, {"id": "1"}]))
    at.anaplan.on("GET", f"{TASKS}/T1/dump/chunks/0", Reply(200, "é".encode()[:1]))
    at.anaplan.on("GET", f"{TASKS}/T1/dump/chunks/1", Reply(200, "é".encode()[1:]))
    assert at.model.dump(TASK, tmp_path / "dump.csv")
    assert (tmp_path / "dump.csv").read_text() == "é"
