# SPDX-License-Identifier: Apache-2.0
"""Workspaces, models and users; the model's status, opening and closing."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import Call, json_response, not_found, sorted_strictly
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model, on_tenant
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User

_SIZE_ALLOWANCE = 1 << 30
_CREATED = "2024-07-01T08:00:00.000Z"
_WORKSPACE_ORDERS = {"name": "name", "sizeAllowance": "sizeAllowance"}
_MODEL_ORDERS = {"name": "name", "activeState": "activeState"}
_USER_ORDERS = {"emailAddress": "email", "firstName": "firstName", "lastName": "lastName"}


def _searched(call: Call, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Filter by name as the undocumented ``s`` does, for admins: % stands for any letters, _ for one."""
    wanted = call.query("s")
    if not wanted or not call.is_admin:
        return items
    pattern = re.escape(wanted).replace("%", ".*").replace("_", ".")
    return [item for item in items if re.search(pattern, item["name"], re.IGNORECASE)]


def _workspace(call: Call) -> dict[str, Any]:
    identity = call.hub.identity
    body: dict[str, Any] = {"id": identity.workspace_id, "name": identity.workspace, "active": True}
    if call.flag("tenantDetails"):
        body |= {"sizeAllowance": _SIZE_ALLOWANCE, "currentSize": _memory(call)}
    return body


def _memory(call: Call) -> int:
    contents = call.hub.contents
    return 100 * (sum(map(len, contents.lists.values())) + sum(map(len, contents.cells.values())))


def workspaces(call: Call) -> Response:
    """List the workspaces."""
    found = sorted_strictly(call, _searched(call, [_workspace(call)]), _WORKSPACE_ORDERS)
    return call.listing("workspace", "workspaces", found)


def workspace(call: Call) -> Response:
    """Show a workspace; hidden from who does not administer it."""
    if not call.is_admin:
        raise not_found()
    return call.success("workspace", workspace=_workspace(call))


def _model(call: Call) -> dict[str, Any]:
    hub = call.hub
    body: dict[str, Any] = {
        "id": hub.identity.model_id,
        "name": hub.identity.model,
        "activeState": hub.state,
        "currentWorkspaceId": hub.identity.workspace_id,
        "currentWorkspaceName": hub.identity.workspace,
        "modelUrl": f"{call.root_url}/models/{hub.identity.model_id}",
        "categoryValues": [],
    }
    if call.flag("modelDetails"):
        body |= {
            "lastSavedSerialNumber": str(hub.serial),
            "lastModifiedByUserGuid": call.site.people.integration.id,
            "memoryUsage": _memory(call),
            "isoCreationDate": _CREATED,
            "lastModified": f"{hub.changed_at:%Y-%m-%dT%H:%M:%S}.000+0000",
        }
    return body


def models(call: Call) -> Response:
    """List the models."""
    found = sorted_strictly(call, _searched(call, [_model(call)]), _MODEL_ORDERS)
    return call.listing("model", "models", found)


def model(call: Call) -> Response:
    """Show the model; with details it says whether a transaction runs."""
    body = _model(call)
    if call.flag("modelDetails"):
        body["modelTransactionRunning"] = call.hub.is_busy
    return call.success("model", model=body)


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "email": user.email,
        "active": True,
        "lastLoginDate": _CREATED,
        "emailOptIn": False,
        "customerId": user.customer_id,
    }


def me(call: Call) -> Response:
    """Show who asks."""
    return call.success("user", user=_user(call.user))


def users(call: Call) -> Response:
    """List the tenant's users, for admins."""
    call.require_admin()
    found = [_user(user) for user in call.site.people.all]
    return call.listing("user", "users", sorted_strictly(call, found, _USER_ORDERS))


def user(call: Call) -> Response:
    """Show a user, for admins."""
    call.require_admin()
    found = call.site.people.by_id(call.path("user_id"))
    if found is None:
        raise not_found()
    return call.success("user", user=_user(found))


def admins(call: Call) -> Response:
    """List the workspace's admins."""
    people = [person for person in call.site.people.all if person == call.site.people.integration]
    found = [{key: _user(person)[key] for key in ("firstName", "lastName", "email", "active")} for person in people]
    return call.listing("admin", "admins", found)


def status(call: Call) -> Response:
    """Tell what the model is doing; alone among the answers it has no envelope."""
    hub, now = call.hub, call.site.clock.now()
    task = hub.queue.running
    body = {
        "currentStep": "Open" if hub.is_open else "Closed",
        "progress": -1.0,
        "creationTime": int(now.timestamp() * 1000),
        "taskId": None,
        "tooltip": None,
        "exportTaskType": None,
        "peakMemoryUsageEstimate": None,
        "peakMemoryUsageTime": None,
    }
    if task is not None:
        body |= {
            "currentStep": f"Processing {task.action.name}",
            "progress": task.progress(now),
            "taskId": task.id,
            "tooltip": f"{task.user.email} is running {task.action.name}",
        }
    elif hub.is_busy:
        body |= {"currentStep": "Processing ...", "progress": 0.0, "tooltip": "A user is working in the model"}
    if call.switches.status_in_envelope:
        return call.success("modelStatus", requestStatus=body)
    return json_response({"requestStatus": body})


def open_model(call: Call) -> Response:
    """Begin to load the model into memory."""
    call.hub.open()
    return Response(status_code=202)


def close_model(call: Call) -> Response:
    """Unload the model, for admins."""
    call.require_admin()
    call.hub.close()
    return Response(status_code=204)


OPERATIONS: tuple[Operation, ...] = (
    on_tenant("GET", "/workspaces", workspaces),
    on_tenant("GET", "/workspaces/{workspace_id}", workspace),
    on_tenant("GET", "/workspaces/{workspace_id}/models", models),
    on_tenant("GET", "/workspaces/{workspace_id}/admins", admins),
    on_tenant("GET", "/models", models),
    on_tenant("GET", "/models/{model_id}", model),
    on_tenant("GET", "/users/me", me),
    on_tenant("GET", "/users", users),
    on_tenant("GET", "/users/{user_id}", user),
    on_model("GET", "/status", status, in_any_state=True),
    on_model("POST", "/status", status, in_any_state=True),
    on_model("POST", "/open", open_model),
    on_model("POST", "/close", close_model),
)
