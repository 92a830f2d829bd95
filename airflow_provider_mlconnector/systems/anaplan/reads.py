# SPDX-License-Identifier: Apache-2.0
"""What a model holds: cells of a view and items of a list, at any size, as CSV on disk.

A large read is asked for, waited for, taken page by page, and deleted, since its pages use up memory of the model.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    DeadlineError,
    MlconnectorError,
    ProtocolError,
    TaskFailedError,
)
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind, Members
from airflow_provider_mlconnector.systems.anaplan.downloads import whole_file
from airflow_provider_mlconnector.systems.anaplan.wire import ModelApi, json_of, object_of

FIRST_WAIT = 0.25
LONGEST_WAIT = 10.0
PATIENCE = 1800.0  # Anaplan drops a read after 30 minutes without activity
CSV_TYPE = {"Accept": "text/csv"}
VIEW_LAYOUT = {"exportType": "TABULAR_MULTI_COLUMN"}
NAME_COLUMNS = frozenset({"name", "item name"})
CODE_COLUMN = "code"


def read_view(api: ModelApi, view_id: str, target: Path) -> None:
    """Write the cells of a view to a CSV file: one column per dimension, then one per line item."""
    _large_read(api, Kind.VIEW, view_id, "viewReadRequest", VIEW_LAYOUT, target)


def read_list(api: ModelApi, list_id: str, target: Path) -> None:
    """Write the items of a list to a CSV file."""
    _large_read(api, Kind.LIST, list_id, "listReadRequest", {}, target)


def read_members(api: ModelApi, list_id: str) -> Members:
    """Return the items of a list; one of more than a million goes through a CSV file on disk."""
    try:
        items = api.rows(f"lists/{list_id}/items", "listItems")
    except BadRequestError:  # Anaplan's answer for a list of more than a million items
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "list.csv")
            read_list(api, list_id, target)
            return members_of_csv(target)
    return _members((str(item.get("name") or ""), str(item.get("code") or "")) for item in items)


def members_of_csv(path: Path) -> Members:
    """Read the names and codes out of the CSV of a list.

    The name's column is called so, or is the first one: Anaplan puts the list's own name there.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        header = [name.strip().lower() for name in next(rows, [])]
        name_at = next((at for at, name in enumerate(header) if name in NAME_COLUMNS), 0)
        code_at = header.index(CODE_COLUMN) if CODE_COLUMN in header else None
        return _members((row[name_at], "" if code_at is None else row[code_at]) for row in rows if row)


def _members(pairs: Iterator[tuple[str, str]]) -> Members:
    by_code: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for name, code in pairs:
        if code:
            by_code[code] = name
        by_name[name] = code
    return Members(by_code, by_name)


def _large_read(api: ModelApi, kind: Kind, object_id: str, key: str, body: Mapping[str, str], target: Path) -> None:
    root = api.path(kind.value, object_id, "readRequests")
    with _read_request(api, root, key, body) as path:
        count = _wait(api, path, key)
        with whole_file(target) as sink:
            header = b""
            for number in range(count):
                page = api.send("GET", f"{path}/pages/{number}", headers=CSV_TYPE).content
                first_line = page[: page.find(b"\n") + 1]
                sink.write(page.removeprefix(header) if number else page)
                header = header or first_line
                if page and not page.endswith(b"\n"):
                    sink.write(b"\n")


@contextmanager
def _read_request(api: ModelApi, root: str, key: str, body: Mapping[str, str]) -> Iterator[str]:
    """Ask for a large read; give its path, and delete it in any case."""
    asked = object_of(json_of(api.send("POST", root, json=dict(body))), key)
    request_id = str(asked.get("requestId") or "")
    if not request_id:
        raise ProtocolError("Anaplan took a read request and named no id for it.", path=root)
    path = f"{root}/{request_id}"
    try:
        yield path
    finally:
        with suppress(MlconnectorError):  # it goes by itself after 30 minutes; the read's own error matters more
            api.session.request("DELETE", path)


def _wait(api: ModelApi, path: str, key: str) -> int:
    """Wait until a read is complete; return the number of its pages."""
    give_up = api.clock.monotonic() + PATIENCE
    wait = FIRST_WAIT
    while True:
        state = object_of(api.read(path), key)
        if state.get("requestState") == "COMPLETE":
            return _page_count(state, path)
        if state.get("requestState") == "CANCELLED":
            raise TaskFailedError(f"The read {path} was cancelled.", hint="Somebody deleted it; try again.")
        if api.clock.monotonic() + wait > give_up:
            raise DeadlineError(f"The read {path} is not complete after {PATIENCE:.0f} seconds.")
        api.clock.sleep(wait)
        wait = min(LONGEST_WAIT, wait * 2)


def _page_count(state: Mapping[str, Any], path: str) -> int:
    if state.get("successful") is False:
        raise TaskFailedError(f"The read {path} failed in Anaplan.", hint="Try again.")
    count = state.get("availablePages")
    if not isinstance(count, int):
        raise ProtocolError("Anaplan does not say how many pages a read has.", path=path)
    return count
