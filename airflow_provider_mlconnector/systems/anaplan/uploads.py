# SPDX-License-Identifier: Apache-2.0
"""Files into a model, with a bounded number of chunks in memory and none lost.

A file counts as uploaded once the answer to every chunk said that it is stored and, where the server lists chunks, the
list shows them all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import ConfigurationError, DataError, ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.anaplan.ports import Fence
from airflow_provider_mlconnector.systems.anaplan.wire import (
    ModelApi,
    is_not_offered,
    json_of,
    object_of,
    paging_of,
    rows_of,
)

if TYPE_CHECKING:
    import requests

MEGABYTE = 1 << 20
SMALLEST_CHUNK = MEGABYTE  # Anaplan: chunks of 1 to 50 MB before compression, 1000 at most; below that one PUT
LARGEST_CHUNK = 50 * MEGABYTE
MOST_CHUNKS = 1000
CHUNK_BYTES = 8 * MEGABYTE
PARALLEL = 4
GZIP_LEVEL = 1  # igzip; higher levels cost many times the CPU for a few per cent of size
GZIP_WINDOW = 31  # zlib's number for the gzip format
UNKNOWN_COUNT = -1
COMPLETE_TIMEOUT = (10.0, 3600.0)  # peers saw this call block for 15 to 40 minutes on files of several GB


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What was sent: chunks (0 for a single PUT) and bytes before compression."""

    chunks: int
    bytes: int


def chunk_size(size: int, wanted: int) -> int:
    """Return the chunk size for a file of known size: as wanted, within Anaplan's limits.

    :raises ConfigurationError: when the file is larger than Anaplan takes.
    """
    least = -(-size // MOST_CHUNKS)
    if least > LARGEST_CHUNK:
        raise ConfigurationError(f"A file of {size} bytes is more than Anaplan takes in {MOST_CHUNKS} chunks.")
    return min(LARGEST_CHUNK, max(SMALLEST_CHUNK, wanted, least))


def rechunk(blocks: Iterable[bytes], wanted: int) -> Iterator[bytes]:
    """Cut a stream of blocks of any size into chunks; the last one is what is left.

    The second half of the chunks that Anaplan allows are of the largest size, so that a stream of unknown length fits.
    """
    held: list[bytes] = []
    size = number = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        while size >= (limit := wanted if number < MOST_CHUNKS // 2 else LARGEST_CHUNK):
            whole = b"".join(held)
            yield whole[:limit]
            held, size, number = [whole[limit:]], size - limit, number + 1
    if size:
        yield b"".join(held)


def compress(chunk: bytes) -> bytes:
    """Return the chunk as a gzip stream of its own."""
    from isal import isal_zlib

    return isal_zlib.compress(chunk, GZIP_LEVEL, GZIP_WINDOW)


class Upload:
    """One upload to one file object of a model.

    :param fence: called before every request, by one thread at a time.
    """

    def __init__(self, api: ModelApi, file_id: str, fence: Fence, *, parallel: int) -> None:
        self._api = api
        self._file_id = file_id
        self._path = api.path("files", file_id)
        self._fence = fence
        self._fencing = threading.Lock()
        self._parallel = parallel

    def file(self, path: Path, wanted: int) -> Uploaded:
        """Upload a file from disk: in one PUT when it is small, else in chunks of which the server knows the number."""
        size = path.stat().st_size
        if size < SMALLEST_CHUNK:
            return self._whole(path.read_bytes())
        limit = chunk_size(size, wanted)
        with path.open("rb") as source:
            return self._chunked(iter(lambda: source.read(limit), b""), -(-size // limit))

    def stream(self, blocks: Iterable[bytes], wanted: int) -> Uploaded:
        """Upload while the blocks are being made; the server learns the number of chunks at the end."""
        wanted = min(LARGEST_CHUNK, max(SMALLEST_CHUNK, wanted))
        chunks = rechunk(blocks, wanted)
        first = next(chunks, b"")
        if len(first) < SMALLEST_CHUNK:
            return self._whole(first)
        return self._chunked(chain((first,), chunks), UNKNOWN_COUNT)

    def _whole(self, content: bytes) -> Uploaded:
        if not content:
            raise DataError("There is nothing to upload; Anaplan would import what the file held before.")
        headers = {"Content-Type": "application/octet-stream"}
        self._check_stored(self._send("PUT", self._path, data=content, headers=headers))
        return Uploaded(0, len(content))

    def _chunked(self, chunks: Iterator[bytes], count: int) -> Uploaded:
        self._check_file(self._send("POST", self._path, json={"chunkCount": count}))
        sent = self._send_all(chunks)
        if count not in (UNKNOWN_COUNT, sent.chunks):
            raise DataError("The file changed while it was uploaded.")
        self._complete(count, sent.chunks)
        self._verify(sent.chunks)
        return sent

    def _send_all(self, chunks: Iterator[bytes]) -> Uploaded:
        """Keep ``parallel`` chunks on their way; the next one is asked for when one of them is stored."""
        count = size = 0
        pending: set[Future[None]] = set()
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="anaplan-upload") as pool:
            for chunk in chunks:
                if count == MOST_CHUNKS:
                    raise ConfigurationError(f"The file is more than Anaplan takes in {MOST_CHUNKS} chunks.")
                pending.add(pool.submit(self._put, count, chunk))
                count, size = count + 1, size + len(chunk)
                if len(pending) == self._parallel:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    _raise_first(done)
            _raise_first(pending)
        return Uploaded(count, size)

    def _put(self, number: int, chunk: bytes) -> None:
        headers = {"Content-Type": "application/x-gzip"}
        self._check_stored(self._send("PUT", f"{self._path}/chunks/{number}", data=compress(chunk), headers=headers))

    def _complete(self, announced: int, sent: int) -> None:
        body = {"id": self._file_id, "chunkCount": sent}
        try:
            self._check_file(self._send("POST", f"{self._path}/complete", json=body, timeout=COMPLETE_TIMEOUT))
        except RemoteError as exc:
            # Only a file of unknown length needs the call; where a server lacks it, the announced number is enough.
            if announced == UNKNOWN_COUNT or not is_not_offered(exc):
                raise

    def _verify(self, sent: int) -> None:
        """Compare with the server's own list; one that keeps no list has answered for every chunk."""
        try:
            listed = self._api.pages(f"files/{self._file_id}/chunks")
        except RemoteError as exc:
            if is_not_offered(exc):
                return
            raise
        if not paging_of(listed[0]) and "chunks" not in listed[0]:
            return
        count = sum(len(rows_of(page, "chunks")) for page in listed)
        if count != sent:
            raise ProtocolError(
                f"File {self._file_id} holds {count} chunks after {sent} were stored.",
                path=self._path,
                hint="Something else writes to this file; nothing was imported.",
            )

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._api.send(method, path, guard=self._checked_fence, **options)

    def _checked_fence(self) -> None:
        with self._fencing:
            self._fence()

    def _check_stored(self, response: requests.Response) -> None:
        """Take 204, or 200 without a page of some gateway, as the server's word that the content is stored."""
        stored = response.status_code == 204 or (response.status_code == 200 and b"<" not in response.content[:100])
        if not stored:
            raise ProtocolError(
                f"The upload to file {self._file_id} was answered {response.status_code} instead of 204.",
                status=response.status_code,
                path=self._path,
            )

    def _check_file(self, response: requests.Response) -> None:
        """See that the answer is about our file: for an id that it does not know, Anaplan makes a new one."""
        named = object_of(json_of(response), "file").get("id") if response.content else None
        if named is not None and str(named) != self._file_id:
            raise ProtocolError(
                f"Anaplan took the content for file {named}, not for {self._file_id}.",
                path=self._path,
                hint="The file id does not exist in this model; look the import's file up again.",
            )


def _raise_first(futures: Iterable[Future[None]]) -> None:
    for future in futures:
        future.result()
