# SPDX-License-Identifier: Apache-2.0
"""Large reads: views and lists as pages of CSV, prepared on request and kept until deleted."""

from __future__ import annotations

from typing import Any

from isal import igzip
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import CSV, Call, not_found
from airflow_provider_mlconnector.sandbox.anaplan.api.cells import rows_of
from airflow_provider_mlconnector.sandbox.anaplan.api.gates import Busy
from airflow_provider_mlconnector.sandbox.anaplan.api.lists import list_of
from airflow_provider_mlconnector.sandbox.anaplan.api.modules import table_of_view, view_of
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model
from airflow_provider_mlconnector.sandbox.anaplan.model.tables import list_table
from airflow_provider_mlconnector.sandbox.anaplan.work.large_reads import ReadRequest


def start_view_read(call: Call) -> Response:
    """Begin a large read of a view."""
    view = view_of(call)
    rows = rows_of(table_of_view(call, view), str(call.json_object().get("exportType", "")))
    request = call.hub.reads.start(view.id, rows, call.switches)
    return _view_read(call, request, with_more=False)


def start_list_read(call: Call) -> Response:
    """Begin a large read of a list."""
    members = list_of(call)
    request = call.hub.reads.start(members.id, list_table(call.hub.contents, members), call.switches)
    return _list_read(call, request, with_more=False)


def _request(call: Call, id_name: str) -> ReadRequest:
    request = call.hub.reads.find(call.path(id_name), call.path("request_id"))
    if request is None:
        raise not_found()
    return request


def _read_json(call: Call, request: ReadRequest, kind: str, *, with_more: bool) -> dict[str, Any]:
    now, identity = call.site.clock.now(), call.hub.identity
    place = f"{call.root_url}/workspaces/{identity.workspace_id}/models/{identity.model_id}/{kind}s/{request.subject}"
    state = request.state(now)
    body: dict[str, Any] = {
        "requestId": request.id,
        "requestState": state,
        "url": f"{place}/readRequests/{request.id}",
    }
    if with_more:
        body["availablePages"] = request.available(now)
        if state == "COMPLETE":
            body["successful"] = True
    return body


def _view_read(call: Call, request: ReadRequest, *, with_more: bool) -> Response:
    body = {**_read_json(call, request, "view", with_more=with_more), "viewId": int(request.subject)}
    return call.success("viewReadRequest", viewReadRequest=body)


def _list_read(call: Call, request: ReadRequest, *, with_more: bool) -> Response:
    body = {**_read_json(call, request, "list", with_more=with_more), "listId": request.subject}
    return call.success("listReadRequest", listReadRequest=body)


def view_read(call: Call) -> Response:
    """Tell how far a large read of a view is."""
    return _view_read(call, _request(call, "view_id"), with_more=True)


def list_read(call: Call) -> Response:
    """Tell how far a large read of a list is."""
    return _list_read(call, _request(call, "list_id"), with_more=True)


def _page(call: Call, id_name: str) -> Response:
    number = call.path("page")
    page = call.hub.reads.page(_request(call, id_name), int(number)) if number.isdecimal() else None
    if page is None:
        raise not_found()
    if "gzip" in call.request.headers.get("accept-encoding", ""):
        return Response(igzip.compress(page.encode()), media_type=CSV, headers={"Content-Encoding": "gzip"})
    return Response(page, media_type=CSV)


def view_page(call: Call) -> Response:
    """Return one page of a large read of a view."""
    return _page(call, "view_id")


def list_page(call: Call) -> Response:
    """Return one page of a large read of a list."""
    return _page(call, "list_id")


def end_view_read(call: Call) -> Response:
    """Remove a large read of a view; one that is under way is cancelled."""
    request = _request(call, "view_id")
    call.hub.reads.delete(request)
    return _view_read(call, request, with_more=False)


def end_list_read(call: Call) -> Response:
    """Remove a large read of a list; one that is under way is cancelled."""
    request = _request(call, "list_id")
    call.hub.reads.delete(request)
    return _list_read(call, request, with_more=False)


_VIEW_READS, _LIST_READS = "/views/{view_id}/readRequests", "/lists/{list_id}/readRequests"

OPERATIONS: tuple[Operation, ...] = (
    on_model("POST", _VIEW_READS, start_view_read, Busy.HELD, direct=False, is_slow=True),
    on_model("GET", _VIEW_READS + "/{request_id}", view_read, Busy.HELD, direct=False),
    on_model("GET", _VIEW_READS + "/{request_id}/pages/{page}", view_page, Busy.HELD, direct=False),
    on_model("DELETE", _VIEW_READS + "/{request_id}", end_view_read, Busy.HELD, direct=False),
    on_model("POST", _LIST_READS, start_list_read, Busy.HELD, direct=False, is_slow=True),
    on_model("GET", _LIST_READS + "/{request_id}", list_read, Busy.HELD, direct=False),
    on_model("GET", _LIST_READS + "/{request_id}/pages/{page}", list_page, Busy.HELD, direct=False),
    on_model("DELETE", _LIST_READS + "/{request_id}", end_list_read, Busy.HELD, direct=False),
)
