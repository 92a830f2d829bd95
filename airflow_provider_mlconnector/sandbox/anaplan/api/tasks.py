# SPDX-License-Identifier: Apache-2.0
"""Tasks: start, list, status, cancel; and the failure dumps that imports leave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import ApiError, Call, json_response, not_found
from airflow_provider_mlconnector.sandbox.anaplan.api.gates import Busy, check_not_deployed
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import Role
from airflow_provider_mlconnector.sandbox.anaplan.journal import Happening
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import Action, ActionKind, changes_structure
from airflow_provider_mlconnector.sandbox.anaplan.switches import StartAnswer
from airflow_provider_mlconnector.sandbox.anaplan.work.results import Detail, Result
from airflow_provider_mlconnector.sandbox.anaplan.work.tasks import Task, TaskState

TEXT = "text/plain"


def _action(call: Call, kind: ActionKind) -> Action:
    action = call.hub.definitions.action(kind, call.path("action_id"))
    if action is None:
        raise not_found()
    return action


def _task(call: Call, kind: ActionKind) -> Task:
    """Return the task of the path; it is found under its own action alone."""
    task = call.hub.queue.get(call.path("task_id"))
    if task is None or task.kind is not kind or task.action.id != call.path("action_id"):
        raise not_found()
    return task


def start(call: Call, kind: ActionKind) -> Response:
    """Accept a task."""
    action = _action(call, kind)
    body = call.json_object()
    if not isinstance(body.get("localeName"), str) or not body["localeName"]:
        raise ApiError(400, "Expected mandatory field 'localeName' to be present and not empty.")
    mapping = _mapping(body.get("mappingParameters", []))
    if changes_structure(action):
        check_not_deployed(call.site)
    task = call.hub.start(kind, action, call.user, mapping)
    summary = _summary(call, task)
    match call.switches.start_answer:
        case StartAnswer.TASK:
            return call.success("task", task=summary)
        case StartAnswer.TASK_ID:
            return call.success("task", task={"taskId": task.id})
        case StartAnswer.BARE:
            return json_response({"taskId": task.id})


def _mapping(parameters: object) -> Mapping[str, str]:
    """Return the chosen member by what was asked for."""
    if not isinstance(parameters, list):
        raise ApiError(400, "Invalid value for 'mappingParameters'")
    mapping: dict[str, str] = {}
    for parameter in parameters:
        if not isinstance(parameter, dict) or not {"entityType", "entityName"} <= parameter.keys():
            raise ApiError(400, "Invalid value for 'mappingParameters'")
        mapping[str(parameter["entityType"])] = str(parameter["entityName"])
    return mapping


def _shown_state(call: Call, task: Task) -> str:
    if task.state is TaskState.IN_PROGRESS and call.switches.strange_task_state:
        return call.switches.strange_task_state
    return task.state


def _summary(call: Call, task: Task) -> dict[str, Any]:
    return {
        "taskId": task.id,
        "taskState": _shown_state(call, task),
        "creationTime": int(task.created_at.timestamp() * 1000),
    }


def tasks(call: Call, kind: ActionKind) -> Response:
    """List the tasks of an action, oldest first; empty for an action that does not exist or a user without access."""
    action = call.hub.definitions.action(kind, call.path("action_id"))
    hidden = action is None or call.user.role is Role.NO_ACCESS
    found = [] if hidden or action is None else [_summary(call, task) for task in call.hub.queue.of(action)]
    if call.query("sort").startswith("-"):
        found.reverse()
    return call.listing("task", "tasks", found)


def status(call: Call, kind: ActionKind) -> Response:
    """Tell how far a task is, and what came of it."""
    task = _task(call, kind)
    if task.is_over:
        call.hub.journal.note(Happening.OUTCOME, task.action.id, call.user.email, task_id=task.id)
    return call.success("task", task=_to_json(call, task))


def cancel(call: Call, kind: ActionKind) -> Response:
    """Cancel a task; one that is over stays as it is."""
    task = _task(call, kind)
    if task.is_over and call.switches.cancel_terminal_is_404:
        raise not_found()
    call.hub.queue.cancel(task, call.user.id)
    return call.success("task", task=_to_json(call, task))


_STEPS = {
    TaskState.NOT_STARTED: "Not started.",
    TaskState.IN_PROGRESS: "Processing...",
    TaskState.CANCELLING: "Cancelling...",
    TaskState.CANCELLED: "Cancelled.",
}


def _to_json(call: Call, task: Task) -> dict[str, Any]:
    result, state = task.result, task.state
    failed = state is TaskState.COMPLETE and result is not None and not result.successful
    body: dict[str, Any] = {
        "type": "taskInformation",
        **_summary(call, task),
        "currentStep": _STEPS.get(state, "Failed." if failed else "Complete."),
        "progress": task.progress(call.site.clock.now()),
    }
    if task.cancelled_by:
        body["cancelledBy"] = task.cancelled_by
    if state is TaskState.COMPLETE and result is not None:
        body["result"] = result.to_json(timing=call.flag("includeProcessDetails"))
    if state is TaskState.CANCELLED and call.switches.cancelled_has_result:
        details = (Detail("msgImportCancelled", "Import cancelled"),)
        body["result"] = Result(task.action.id, task.action.name, False, details).to_json()
    return body


def _dump_path(call: Call, kind: ActionKind) -> Path | None:
    task = _task(call, kind)
    import_id = call.path("object_id") if kind is ActionKind.PROCESS else task.action.id
    return call.hub.dumps.find(call.user.id, import_id, task.id)


def _chunk_count(call: Call, path: Path) -> int:
    return -(-path.stat().st_size // call.switches.dump_chunk_bytes)


def dump_chunks(call: Call, kind: ActionKind) -> Response:
    """List the chunks of a failure dump."""
    path = _dump_path(call, kind)
    if path is None:
        raise ApiError(call.switches.dump_absent_status)
    found = [{"id": str(number), "name": f"Chunk {number}"} for number in range(_chunk_count(call, path))]
    return call.listing("chunk", "chunks", found)


def dump_chunk(call: Call, kind: ActionKind) -> Response:
    """Return one chunk of a failure dump: bytes, cut anywhere."""
    path, number = _dump_path(call, kind), call.path("chunk_id")
    if path is None or not number.isdecimal() or int(number) >= _chunk_count(call, path):
        raise not_found()
    with path.open("rb") as file:
        file.seek(int(number) * call.switches.dump_chunk_bytes)
        return Response(file.read(call.switches.dump_chunk_bytes), media_type=TEXT)


def dump(call: Call, kind: ActionKind) -> Response:
    """Return a failure dump as a whole; 204 after a run without failures, 404 when it is gone."""
    path = _dump_path(call, kind)
    if path is not None:
        return FileResponse(path, media_type=TEXT)
    result = _task(call, kind).result
    if result is not None and all(part.dump is None for part in (result, *result.nested)):
        return Response(status_code=204)
    raise not_found()


def _of(kind: ActionKind) -> tuple[Operation, ...]:
    base = f"/{kind}/{{action_id}}/tasks"
    one = f"{base}/{{task_id}}"
    return (
        on_model("POST", base, partial(start, kind=kind), Busy.STARTS, direct=False),
        on_model("GET", base, partial(tasks, kind=kind), direct=False, is_open_to_outsiders=True),
        on_model("GET", one, partial(status, kind=kind), direct=False),
        on_model("DELETE", one, partial(cancel, kind=kind), direct=False),
    )


def _dumps_of(kind: ActionKind, suffix: str) -> tuple[Operation, ...]:
    base = f"/{kind}/{{action_id}}/tasks/{{task_id}}/{suffix}"
    return (
        on_model("GET", base, partial(dump, kind=kind), direct=False),
        on_model("GET", f"{base}/chunks", partial(dump_chunks, kind=kind), direct=False),
        on_model("GET", f"{base}/chunks/{{chunk_id}}", partial(dump_chunk, kind=kind), direct=False),
    )


OPERATIONS: tuple[Operation, ...] = (
    *(operation for kind in ActionKind for operation in _of(kind)),
    *_dumps_of(ActionKind.IMPORT, "dump"),
    *_dumps_of(ActionKind.PROCESS, "dumps/{object_id}"),
)
