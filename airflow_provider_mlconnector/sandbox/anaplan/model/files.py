# SPDX-License-Identifier: Apache-2.0
"""Files and their contents, chunk by chunk on disk.

Each user has a private content of a file, gone 48 hours after it was last used; who has none sees the default content.
An upload overwrites chunks in place, so that an import which reads meanwhile may see old and new ones mixed.
"""

from __future__ import annotations

import io
import shutil
import struct
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

from isal import igzip

from airflow_provider_mlconnector.sandbox.anaplan import ids
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import Definitions, FileFormat
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

UNKNOWN_COUNT = -1
MOST_CHUNKS = 1000
LARGEST_CHUNK = 50 * 2**20
PRIVATE_LIFE = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class FileObject:
    """A file as the model knows it, without its content; an output is written by the export of the same id."""

    id: str
    name: str
    format: FileFormat = field(default_factory=FileFormat)
    is_output: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stored chunk; ``size`` in bytes without compression."""

    path: Path
    is_gzip: bool
    size: int

    def open(self) -> BinaryIO:
        """Open the chunk's bytes without compression."""
        if not self.is_gzip:
            return self.path.open("rb")
        return cast(BinaryIO, igzip.IGzipFile(self.path, "rb"))  # type: ignore[no-untyped-call]  # isal has no types


class Content:
    """The content of a file for one user: ``declared`` chunks, or -1 until the upload is declared complete."""

    def __init__(self, folder: Path, declared: int, now: datetime) -> None:
        self.folder = folder
        self.declared = declared
        self.ready_at: datetime | None = None if declared == UNKNOWN_COUNT else now
        self.touched_at = now
        self.chunks: dict[int, Chunk] = {}
        folder.mkdir(parents=True)

    @property
    def size(self) -> int:
        """Return the number of bytes without compression."""
        return sum(chunk.size for chunk in self.chunks.values())

    @property
    def has_gap(self) -> bool:
        """Say whether a declared chunk is missing."""
        return sorted(self.chunks) != list(range(self.declared))

    def put(self, number: int, written: Path, *, is_gzip: bool) -> None:
        """Take a written temporary file as a chunk, in place of an earlier one."""
        path = self.folder / f"{number}-{uuid.uuid4().hex}"
        written.rename(path)
        before = self.chunks.get(number)
        self.chunks[number] = Chunk(path, is_gzip, _plain_size(path) if is_gzip else path.stat().st_size)
        if before is not None:
            before.path.unlink()

    def complete(self, now: datetime) -> None:
        """Declare the upload complete, from a moment on."""
        self.ready_at = now
        if self.declared == UNKNOWN_COUNT:
            self.declared = len(self.chunks)

    def open(self) -> BinaryIO:
        """Open the whole content without compression."""
        return cast(BinaryIO, io.BufferedReader(_ChunkStream(self), buffer_size=2**20))

    def drop(self) -> None:
        """Remove it from the disk; whoever reads it finds its end."""
        self.chunks.clear()
        shutil.rmtree(self.folder)


def _plain_size(path: Path) -> int:
    """Return the size that a gzip stream says it has when unpacked: its last four bytes."""
    with path.open("rb") as file:
        file.seek(-4, io.SEEK_END)
        (size,) = struct.unpack("<I", file.read(4))
        return int(size)


class _ChunkStream(io.RawIOBase):
    """The chunks of a content one after the other, each looked up only when the one before is over."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._at = -1
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._file is None and not self._open_next():
                return 0
            data = self._file.read(len(buffer)) if self._file else b""
            if data:
                buffer[: len(data)] = data
                return len(data)
            self._close_file()

    def close(self) -> None:
        self._close_file()
        super().close()

    def _open_next(self) -> bool:
        rest = sorted(number for number in self._content.chunks if number > self._at)
        if not rest:
            return False
        self._at = rest[0]
        self._file = self._content.chunks[self._at].open()
        return True

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class FileStore:
    """All files of a model. Safe for threads."""

    def __init__(self, folder: Path, definitions: Definitions, clock: VirtualClock) -> None:
        self.folder = folder
        self._clock = clock
        self._lock = threading.RLock()
        self._private: dict[tuple[str, str], Content] = {}
        self._default: dict[str, Content] = {}
        inputs = [FileObject(action.file_id, f"{action.name}.csv") for action in definitions.imports]
        outputs = [FileObject(action.id, f"{action.name}.csv", is_output=True) for action in definitions.exports]
        self._files = {file.id: file for file in (*inputs, *outputs)}

    def all(self) -> list[FileObject]:
        """Return all files."""
        return list(self._files.values())

    def get(self, file_id: str) -> FileObject | None:
        """Return a file by its id."""
        return self._files.get(file_id)

    def create(self, name: str) -> FileObject:
        """Make a new file that no import reads, as an upload to an unknown id does."""
        with self._lock:
            number = sum(not file.is_output for file in self._files.values())
            file = FileObject(ids.numbered(ids.FILE, number), name)
            self._files[file.id] = file
            return file

    def describe_as(self, file: FileObject, name: str, file_format: FileFormat) -> FileObject:
        """Change a file's name and format."""
        changed = replace(file, name=name, format=file_format)
        self._files[file.id] = changed
        return changed

    def begin(self, file_id: str, user_id: str, declared: int) -> Content:
        """Begin a new private content; the one before is gone."""
        with self._lock:
            self.delete(file_id, user_id)
            content = self._new_content(declared)
            self._private[file_id, user_id] = content
            return content

    def uploading(self, file_id: str, user_id: str) -> Content | None:
        """Return the user's private content, complete or not; one that nobody used for 48 hours is gone."""
        with self._lock:
            own = self._private.get((file_id, user_id))
            if own and own.touched_at + PRIVATE_LIFE <= self._clock.now():
                self.delete(file_id, user_id)
                return None
            return own

    def put_whole(self, file_id: str, user_id: str, parts: Iterable[bytes]) -> None:
        """Replace the private content by plain chunks."""
        content = self._new_content(UNKNOWN_COUNT)
        for number, part in enumerate(parts):
            written = self.temporary()
            written.write_bytes(part)
            content.put(number, written, is_gzip=False)
        content.complete(self._clock.now())
        with self._lock:
            self.delete(file_id, user_id)
            self._private[file_id, user_id] = content

    def readable(
        self, file_id: str, user_id: str, *, with_default: bool = True, is_access: bool = True
    ) -> Content | None:
        """Return what a user finds in a file; None when there is nothing. An access keeps it for 48 hours more."""
        now = self._clock.now()
        with self._lock:
            own = self.uploading(file_id, user_id)
            ready = own is not None and own.ready_at is not None and own.ready_at <= now
            found = own if ready else (self._default.get(file_id) if with_default else None)
            if found is None or not found.chunks:
                return None
            if is_access:
                found.touched_at = now
            return found

    def delete(self, file_id: str, user_id: str) -> None:
        """Remove a user's private content; the default stays."""
        with self._lock:
            content = self._private.pop((file_id, user_id), None)
            if content is not None:
                content.drop()

    def make_default(self, file_id: str, user_id: str) -> bool:
        """Let a user's private content be everyone's default; False when there is none."""
        with self._lock:
            content = self._private.pop((file_id, user_id), None)
            if content is None:
                return False
            self._default[file_id] = content
            return True

    def temporary(self) -> Path:
        """Return a path to write a chunk to before it is taken."""
        return self.folder / f"incoming-{uuid.uuid4().hex}"

    def _new_content(self, declared: int) -> Content:
        return Content(self.folder / uuid.uuid4().hex, declared, self._clock.now())
