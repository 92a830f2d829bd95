# SPDX-License-Identifier: Apache-2.0
"""Lists and their items, read and written directly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.anaplan import ids
from airflow_provider_mlconnector.sandbox.anaplan.api.calls import CSV, ApiError, Call, not_found, sorted_leniently
from airflow_provider_mlconnector.sandbox.anaplan.api.gates import Busy, check_not_deployed
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import FileFormat
from airflow_provider_mlconnector.sandbox.anaplan.model.members import Member, MemberError, MemberList
from airflow_provider_mlconnector.sandbox.anaplan.model.tables import list_table
from airflow_provider_mlconnector.sandbox.anaplan.work.actions import csv_text

MOST_ITEMS_READ = 1_000_000
MOST_ITEMS_WRITTEN = 100_000
PREVIEW_ROWS = 1000
_NO_LISTS = (ids.VERSIONS_DIMENSION, ids.TIME_DIMENSION)
_NOT_EMPTY = (
    "We can't reset the list item index of a list that contains data. "
    "Select an empty list that doesn't contain any list items."
)


def list_of(call: Call) -> MemberList:
    """Return the list of the path; Versions and Time are dimensions, not lists."""
    members = call.hub.contents.lists.get(call.path("list_id"))
    if members is None or members.id in _NO_LISTS:
        raise not_found()
    return members


def size_of(contents: Contents, members: MemberList) -> int:
    """Return the number of a list's items, records included."""
    records = contents.records.get(members.id)
    return len(members) + (records.rows if records else 0)


def lists(call: Call) -> Response:
    """List the lists."""
    every = call.hub.contents.lists.values()
    found = [{"id": members.id, "name": members.name} for members in every if members.id not in _NO_LISTS]
    return call.listing("list", "lists", sorted_leniently(call, found))


def metadata(call: Call) -> Response:
    """Show a list's settings."""
    members = list_of(call)
    count = size_of(call.hub.contents, members)
    body = {
        "id": members.id,
        "name": members.name,
        "properties": [
            {"name": name, "format": "TEXT", "notes": "", "referencedBy": ""} for name in members.properties
        ],
        "subsets": [],
        "hasSelectiveAccess": False,
        "managedBy": "",
        "numberedList": members.is_numbered,
        "useTopLevelAsPageDefault": False,
        "itemCount": count,
        "nextItemIndex": members.next_index,
        "workflowEnabled": False,
        "permittedItems": 999_999_999,
        "productionData": False,
        "usedInAppliesTo": "",
    }
    return call.success("list", metadata=body)


def items(call: Call) -> Response:
    """Return a list's items, as JSON or CSV; more than a million have to be read by a read request."""
    members, contents = list_of(call), call.hub.contents
    if size_of(contents, members) > MOST_ITEMS_READ:
        raise ApiError(400, "The list has more than 1000000 items. Use a large read request.")
    if call.accepts(CSV):
        return Response(csv_text(list_table(contents, members), FileFormat()), media_type=CSV)
    with_all = call.flag("includeAll")
    found = [_item(members, member, with_all=with_all) for member in members]
    found += _record_items(contents, members, with_all=with_all)
    return call.listing("list", "listItems", found, whole=True)


def _item(members: MemberList, member: Member, *, with_all: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"id": member.id, "name": member.name}
    if member.code:
        body["code"] = member.code
    parent = members.by_id(member.parent_id or "")
    if parent is not None:
        body |= {"parent": parent.name, "parentId": parent.id}
    if with_all:
        body |= {"listId": members.id, "listName": members.name, "subsets": {}, "properties": dict(member.properties)}
    return body


def _record_items(contents: Contents, members: MemberList, *, with_all: bool) -> list[dict[str, Any]]:
    _, *rows = itertools.islice(list_table(contents, members), MOST_ITEMS_READ + 1)
    found = []
    for number, (name, _, code, *values) in enumerate(rows[len(members) :], start=1):
        body: dict[str, Any] = {"id": f"{members.item_prefix}{number:09d}", "name": name, "code": code}
        if with_all:
            properties = dict(zip(members.properties, values, strict=True))
            body |= {"listId": members.id, "listName": members.name, "subsets": {}, "properties": properties}
        found.append(body)
    return found


def preview(call: Call) -> Response:
    """Return the first thousand items as CSV."""
    rows = itertools.islice(list_table(call.hub.contents, list_of(call)), PREVIEW_ROWS + 1)
    return Response(csv_text(rows, FileFormat()), media_type=CSV)


class _ItemError(Exception):
    """One item of a request is refused."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


Change = Callable[[MemberList, Mapping[str, Any]], None]


def change_items(call: Call) -> Response:
    """Add or delete items."""
    match call.query("action"):
        case "add":
            done, failures, total = _apply(call, _add)
            body: dict[str, Any] = {"added": done, "ignored": total - done, "total": total}
        case "delete":
            done, failures, _ = _apply(call, _delete)
            body = {"deleted": done}
        case _:
            raise ApiError(400, "Expected query parameter 'action' to be 'add' or 'delete'.")
    return call.success("list", **body, **({"failures": failures} if failures else {}))


def update_items(call: Call) -> Response:
    """Change items."""
    done, failures, total = _apply(call, _update)
    body = {"updated": done, "ignored": total - done, "total": total}
    return call.success("list", **body, **({"failures": failures} if failures else {}))


def _apply(call: Call, change: Change) -> tuple[int, list[dict[str, Any]], int]:
    """Apply a change for each item; return how many were done, the failures and how many there were."""
    check_not_deployed(call.site)
    list_id, wanted = list_of(call).id, _items_of(call)
    failures: list[dict[str, Any]] = []

    def edit(contents: Contents) -> Contents:
        members = contents.lists[list_id].copy()
        for index, item in enumerate(wanted):
            try:
                change(members, item)
            except (_ItemError, MemberError) as error:
                kind = error.kind if isinstance(error, _ItemError) else "DUPLICATE"
                failures.append({"requestIndex": index, "failureType": kind, "failureMessageDetails": str(error)})
        return contents.with_list(members)

    call.hub.edit(edit)
    return len(wanted) - len(failures), failures, len(wanted)


def _items_of(call: Call) -> list[dict[str, Any]]:
    wanted = call.json_object().get("items")
    if not isinstance(wanted, list) or not all(isinstance(item, dict) for item in wanted):
        raise ApiError(400, "Expected mandatory field 'items' to be present and not empty.")
    if len(wanted) > MOST_ITEMS_WRITTEN:
        raise ApiError(400, f"More than {MOST_ITEMS_WRITTEN} items")
    return wanted


def _add(members: MemberList, item: Mapping[str, Any]) -> None:
    if not item.get("name") and not members.is_numbered:
        raise _ItemError("INCOMPLETE_DATA", "incomplete data -- name")
    members.add(
        str(item.get("name") or ""),
        str(item.get("code") or ""),
        _parent(members, item),
        properties=item.get("properties"),
    )


def _update(members: MemberList, item: Mapping[str, Any]) -> None:
    member = _find(members, item)
    if member.code and "code" not in item:
        # the service itself fails on an item whose code is left out
        raise ApiError(500)
    parent = _parent(members, item) if "parent" in item else members.by_id(member.parent_id or "")
    members.change(
        member,
        name=str(item.get("name") or members.called(member)),
        code=str(item.get("code") or member.code),
        parent=parent,
        properties=item.get("properties"),
    )


def _delete(members: MemberList, item: Mapping[str, Any]) -> None:
    members.remove([_find(members, item)])


def _find(members: MemberList, item: Mapping[str, Any]) -> Member:
    finders = {"id": members.by_id, "code": members.by_code, "name": members.by_name}
    for key, finder in finders.items():
        if item.get(key):
            member = finder(str(item[key]))
            if member is None:
                raise _ItemError("NOT_FOUND", f"not found -- {key}: {item[key]}")
            return member
    raise _ItemError("INCOMPLETE_DATA", "incomplete data -- id, code or name")


def _parent(members: MemberList, item: Mapping[str, Any]) -> Member | None:
    text = str(item.get("parent") or "")
    parent = members.find(text) if text else None
    if text and parent is None:
        raise _ItemError("INCORRECT_FORMAT", f"incorrect format -- column name:parent, value:{text}")
    return parent


def reset_index(call: Call) -> Response:
    """Start numbering the items anew; only in an empty list."""
    members = list_of(call)
    check_not_deployed(call.site)
    if size_of(call.hub.contents, members):
        raise ApiError(400, _NOT_EMPTY)

    def edit(contents: Contents) -> Contents:
        fresh = contents.lists[members.id].copy()
        fresh.next_index = 1
        return contents.with_list(fresh)

    call.hub.edit(edit)
    return Response(status_code=200)


def dimension_items_json(members: Iterable[Member]) -> list[dict[str, Any]]:
    """Return members as the items of a dimension."""
    return [
        {"id": member.id, "name": member.name, **({"code": member.code} if member.code else {})} for member in members
    ]


OPERATIONS: tuple[Operation, ...] = (
    on_model("GET", "/lists", lists, Busy.HELD),
    on_model("GET", "/lists/{list_id}", metadata, Busy.HELD),
    on_model("GET", "/lists/{list_id}/items", items, Busy.HELD, is_slow=True),
    on_model("POST", "/lists/{list_id}/items", change_items, Busy.HELD, is_slow=True),
    on_model("PUT", "/lists/{list_id}/items", update_items, Busy.HELD, is_slow=True),
    on_model("GET", "/lists/{list_id}/preview", preview, Busy.HELD, direct=False),
    on_model("POST", "/lists/{list_id}/resetIndex", reset_index, Busy.HELD),
)
