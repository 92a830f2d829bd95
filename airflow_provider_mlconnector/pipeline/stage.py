# SPDX-License-Identifier: Apache-2.0
"""The staging area: where batches, import files and dumps live, by key, checked by digest.

Steps write to a local scratch file and publish it whole, so that nobody ever reads half a file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from airflow_provider_mlconnector.errors import TamperedError
from airflow_provider_mlconnector.trail.records import StagedFile


class Stage(Protocol):
    """Files by key. Keys are relative, with forward slashes."""

    def publish(self, local: Path, key: str, *, sha256: str | None = None) -> StagedFile:
        """Move a finished local file into the area; pass the digest when it was computed while writing."""

    def fetch(self, file: StagedFile) -> Path:
        """Return a local path with the file's bytes.

        :raises TamperedError: when they are not what the manifest says.
        """

    def remove(self, key: str) -> None:
        """Delete a file; a missing one is no error."""

    def scratch(self) -> Path:
        """Return a local folder for unfinished files, on the disk that ``publish`` moves from cheaply."""


def digest(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def scratch_file(stage: Stage, suffix: str) -> Iterator[Path]:
    """Give a name for an unfinished file, gone at the end unless it was published."""
    handle, name = tempfile.mkstemp(dir=stage.scratch(), suffix=suffix)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


class LocalStage:
    """A folder of this machine, or one that all workers mount."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._verified: set[StagedFile] = set()

    def publish(self, local: Path, key: str, *, sha256: str | None = None) -> StagedFile:
        """Move a finished local file into the area."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        file = StagedFile(key=key, sha256=sha256 or digest(local), size=local.stat().st_size)
        os.replace(local, target)
        self._verified.add(file)
        return file

    def fetch(self, file: StagedFile) -> Path:
        """Return the file's path; its digest is checked once per process."""
        path = self._path(file.key)
        if not path.exists():
            raise TamperedError(f"Staged file {file.key} is gone.", hint="Read the period whole again.")
        if path.stat().st_size != file.size or (file not in self._verified and digest(path) != file.sha256):
            raise TamperedError(
                f"Staged file {file.key} is not what was written.", hint="Run: airflow mlconnector trail verify"
            )
        self._verified.add(file)
        return path

    def remove(self, key: str) -> None:
        """Delete a file; a missing one is no error."""
        self._path(key).unlink(missing_ok=True)

    def scratch(self) -> Path:
        """Return the area's own folder for unfinished files."""
        folder = self._root / ".scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise TamperedError(f"Staged file key {key!r} leaves the staging area.")
        return path
