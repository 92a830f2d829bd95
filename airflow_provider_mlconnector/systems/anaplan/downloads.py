# SPDX-License-Identifier: Apache-2.0
"""Files out of a model: export outputs and failure dumps, chunk by chunk to disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from airflow_provider_mlconnector.errors import BadRequestError, NotFoundError
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef
from airflow_provider_mlconnector.systems.anaplan.wire import ModelApi

LOOKS = 3
LOOK_WAIT = 2.0  # an export's output can appear a moment after its task is over


def download_file(api: ModelApi, file_id: str, target: Path) -> int:
    """Write the content of a file to disk; return its bytes.

    :raises NotFoundError: when the file holds no content for this user.
    """
    numbers = _chunks_of_file(api, f"files/{file_id}/chunks")
    path = api.path("files", file_id)
    with whole_file(target) as sink:
        if numbers is None:
            return api.save(path, sink)
        return sum(api.save(f"{path}/chunks/{number}", sink) for number in numbers)


def download_dump(api: ModelApi, ref: TaskRef, target: Path, object_id: str | None) -> bool:
    """Write a task's failure dump to disk; return False when there is none.

    :param object_id: the action, for a process.
    """
    task = f"{ref.kind.path}/{ref.action_id}/tasks/{ref.task_id}"
    path = f"{task}/dumps/{object_id}" if ref.kind is ActionKind.PROCESS else f"{task}/dump"
    try:
        numbers = [str(row.get("id")) for row in api.listed(f"{path}/chunks", "chunks")]
    except (NotFoundError, BadRequestError):
        return False
    if not numbers:
        return False
    with whole_file(target) as sink:
        for number in numbers:
            api.session.download(api.path(path, "chunks", number), sink)
    return True


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name only when all of it is there."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as sink:
            yield sink
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _chunks_of_file(api: ModelApi, path: str) -> list[str] | None:
    """List the chunks of a file; None when the server keeps no such list and the file must be read as one."""
    for look in range(1, LOOKS + 1):
        try:
            numbers = [str(row.get("id")) for row in api.rows(path, "chunks")]
        except BadRequestError:
            return None
        except NotFoundError:
            numbers = []
        if numbers:
            return numbers
        if look < LOOKS:
            api.clock.sleep(LOOK_WAIT)
    raise NotFoundError(
        f"{path} holds no content for this user.",
        path=path,
        hint="Run the export as the same user; its output is private and goes after 48 hours without access.",
    )
