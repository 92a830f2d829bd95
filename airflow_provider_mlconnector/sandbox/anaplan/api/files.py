# SPDX-License-Identifier: Apache-2.0
"""Files: listing, upload whole or in chunks, download, deletion of the private copy."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.responses import Response, StreamingResponse

from airflow_provider_mlconnector.sandbox.anaplan.api.calls import OCTETS, ApiError, Call, not_found, sorted_leniently
from airflow_provider_mlconnector.sandbox.anaplan.api.gates import Busy
from airflow_provider_mlconnector.sandbox.anaplan.api.surface import Operation, on_model
from airflow_provider_mlconnector.sandbox.anaplan.journal import Happening
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import FileFormat
from airflow_provider_mlconnector.sandbox.anaplan.model.files import (
    LARGEST_CHUNK,
    MOST_CHUNKS,
    UNKNOWN_COUNT,
    Content,
    FileObject,
)
from airflow_provider_mlconnector.sandbox.anaplan.switches import OthersFile

GZIP = "application/x-gzip"
_READ_BYTES = 2**20
_FORMAT_FIELDS = {
    "separator": "separator",
    "delimiter": "delimiter",
    "encoding": "encoding",
    "headerRow": "header_row",
    "firstDataRow": "first_data_row",
}


def _file(call: Call) -> FileObject:
    file = call.hub.files.get(call.path("file_id"))
    if file is None:
        raise not_found()
    return file


def _own_or_default(call: Call, file_id: str, *, is_access: bool = True) -> Content | None:
    with_default = call.switches.others_file is OthersFile.DEFAULT
    return call.hub.files.readable(file_id, call.user.id, with_default=with_default, is_access=is_access)


def _known_content(call: Call, file_id: str) -> Content | None:
    """Return the content to describe: the caller's upload, complete or not, else what the caller finds."""
    own = call.hub.files.uploading(file_id, call.user.id)
    return own or _own_or_default(call, file_id, is_access=False)


def _to_json(call: Call, file: FileObject) -> dict[str, Any]:
    content = _known_content(call, file.id)
    body: dict[str, Any] = {"id": file.id, "name": file.name, "chunkCount": content.declared if content else 0}
    if file.is_output:
        return {**body, "firstDataRow": 0, "headerRow": 0}
    return {
        **body,
        "delimiter": file.format.delimiter,
        "encoding": file.format.encoding,
        "firstDataRow": file.format.first_data_row,
        "format": "txt",
        "headerRow": file.format.header_row,
        "separator": file.format.separator,
    }


def files(call: Call) -> Response:
    """List the files."""
    found = [_to_json(call, file) for file in call.hub.files.all()]
    return call.listing("file", "files", sorted_leniently(call, found))


def begin(call: Call) -> Response:
    """Set the number of chunks of a new upload; a file that does not exist is made, under another id."""
    body = call.json_object()
    count = body.get("chunkCount", UNKNOWN_COUNT)
    if not isinstance(count, int) or not UNKNOWN_COUNT <= count <= MOST_CHUNKS:
        raise ApiError(400, "Invalid value for 'chunkCount'")
    file = call.hub.files.get(call.path("file_id")) or call.hub.files.create(call.path("file_id"))
    changes = {ours: body[theirs] for theirs, ours in _FORMAT_FIELDS.items() if theirs in body}
    if changes or "name" in body:
        _check_format(changes)
        name = str(body.get("name", file.name))
        file = call.hub.files.describe_as(file, name, replace(file.format, **changes))
    call.hub.files.begin(file.id, call.user.id, count)
    call.hub.journal.note(Happening.UPLOAD, file.id, call.user.email)
    return call.success("file", file=_to_json(call, file))


def _check_format(changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if not isinstance(value, type(getattr(FileFormat(), name))):
            raise ApiError(400, f"Invalid value for '{name}'")


async def put_whole(call: Call) -> Response:
    """Take a whole file in one request, never compressed."""
    file = _file(call)
    if _media_type(call) == GZIP:
        raise ApiError(415)
    written = await _receive(call)
    content = call.hub.files.begin(file.id, call.user.id, 1)
    content.put(0, written, is_gzip=False)
    call.hub.journal.note(Happening.UPLOAD, file.id, call.user.email)
    return Response(status_code=204)


async def put_chunk(call: Call) -> Response:
    """Take one chunk, plain or as a gzip stream of its own."""
    file, media_type = _file(call), _media_type(call)
    if media_type not in (OCTETS, GZIP):
        raise ApiError(415)
    number = _chunk_number(call)
    content = call.hub.files.uploading(file.id, call.user.id)
    if content is None:
        content = call.hub.files.begin(file.id, call.user.id, UNKNOWN_COUNT)
    if number >= (MOST_CHUNKS if content.declared == UNKNOWN_COUNT else content.declared):
        raise ApiError(400, "Chunk number out of range")
    written = await _receive(call)
    try:
        content.put(number, written, is_gzip=media_type == GZIP)
    except (OSError, struct.error) as error:
        # the upload was begun anew meanwhile, or this is no gzip stream
        raise ApiError(400, "The chunk cannot be stored") from error
    if content.chunks[number].size > LARGEST_CHUNK:
        raise ApiError(400, "The chunk is larger than 50 MB")
    call.hub.journal.note(Happening.CHUNK, file.id, call.user.email)
    return Response(status_code=204)


def complete(call: Call) -> Response:
    """Declare an upload complete."""
    file = _file(call)
    content = call.hub.files.uploading(file.id, call.user.id)
    if content is None:
        raise not_found()
    content.complete(call.site.clock.now() + timedelta(seconds=call.switches.complete_seconds))
    call.hub.journal.note(Happening.COMPLETE, file.id, call.user.email)
    return call.success("file", file=_to_json(call, file))


def chunks(call: Call) -> Response:
    """List the chunks that are stored."""
    content = _known_content(call, _file(call).id)
    numbers = sorted(content.chunks) if content else []
    return call.listing("chunk", "chunks", [{"id": str(number), "name": f"Chunk {number}"} for number in numbers])


def get_chunk(call: Call) -> Response:
    """Return one chunk without compression."""
    content = _own_or_default(call, _file(call).id)
    chunk = content.chunks.get(_chunk_number(call)) if content else None
    if chunk is None:
        raise not_found()
    with chunk.open() as file:
        return Response(file.read(), media_type=OCTETS)


def get_whole(call: Call) -> Response:
    """Return the whole content; 404 when there is none."""
    file = _file(call)
    content = _own_or_default(call, file.id)
    if content is not None:
        return StreamingResponse(_blocks(content), media_type=OCTETS)
    if call.switches.others_file is OthersFile.EMPTY:
        return Response(b"", media_type=OCTETS)
    raise not_found()


def delete(call: Call) -> Response:
    """Remove the caller's private content; the default stays."""
    call.hub.files.delete(_file(call).id, call.user.id)
    return Response(status_code=204)


def _blocks(content: Content) -> Iterator[bytes]:
    with content.open() as file:
        while block := file.read(_READ_BYTES):
            yield block


def _media_type(call: Call) -> str:
    return call.request.headers.get("content-type", OCTETS).partition(";")[0].strip()


def _chunk_number(call: Call) -> int:
    text = call.path("chunk_id")
    if not text.isdecimal():
        raise not_found()
    return int(text)


async def _receive(call: Call) -> Path:
    """Write the body to disk as it comes."""
    written = call.hub.files.temporary()
    with written.open("wb") as file:
        async for block in call.request.stream():
            file.write(block)
    return written


OPERATIONS: tuple[Operation, ...] = (
    on_model("GET", "/files", files),
    on_model("GET", "/files/{file_id}", get_whole, direct=False),
    on_model("POST", "/files/{file_id}", begin, Busy.UPLOADS, direct=False),
    on_model("PUT", "/files/{file_id}", put_whole, Busy.UPLOADS, direct=False, is_streamed=True),
    on_model("DELETE", "/files/{file_id}", delete, Busy.UPLOADS, direct=False),
    on_model("POST", "/files/{file_id}/complete", complete, Busy.UPLOADS, direct=False),
    on_model("GET", "/files/{file_id}/chunks", chunks),
    on_model("GET", "/files/{file_id}/chunks/{chunk_id}", get_chunk, direct=False, is_slow=True),
    on_model("PUT", "/files/{file_id}/chunks/{chunk_id}", put_chunk, Busy.UPLOADS, direct=False, is_streamed=True),
)
