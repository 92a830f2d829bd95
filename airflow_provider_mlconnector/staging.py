# SPDX-License-Identifier: Apache-2.0
"""Where staged files live: a folder of this machine, or an object store behind Airflow's ``ObjectStoragePath``."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import TamperedError
from airflow_provider_mlconnector.pipeline.stage import LocalStage, Stage, digest
from airflow_provider_mlconnector.settings import Settings
from airflow_provider_mlconnector.trail.records import StagedFile

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def open_stage(settings: Settings) -> Stage:
    """Return the deployment's staging area."""
    if "://" in settings.staging and not settings.staging.startswith("file://"):
        from airflow.sdk import ObjectStoragePath

        return ObjectStage(ObjectStoragePath(settings.staging))
    return LocalStage(Path(settings.staging.removeprefix("file://")))


class ObjectStage:
    """An object store. What is fetched is kept in a local folder for as long as the process lives."""

    def __init__(self, root: ObjectStoragePath) -> None:
        self._root = root
        self._local = tempfile.TemporaryDirectory(prefix="mlconnector-")

    def publish(self, local: Path, key: str, *, sha256: str | None = None) -> StagedFile:
        """Upload a finished file whole, and keep it as its own local copy."""
        file = StagedFile(key=key, sha256=sha256 or digest(local), size=local.stat().st_size)
        target = self._object(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.fs.put_file(str(local), target.path)
        os.replace(local, self._copy(file))
        return file

    def fetch(self, file: StagedFile) -> Path:
        """Return a local copy, downloaded and checked once per process."""
        copy = self._copy(file)
        if not copy.exists():
            self._download(file, copy)
        return copy

    def remove(self, key: str) -> None:
        """Delete an object; a missing one is no error."""
        self._object(key).unlink(missing_ok=True)

    def scratch(self) -> Path:
        """Return the local folder."""
        return Path(self._local.name)

    def _download(self, file: StagedFile, copy: Path) -> None:
        source = self._object(file.key)
        partial = copy.with_suffix(".partial")
        try:
            source.fs.get_file(source.path, str(partial))
        except FileNotFoundError:
            raise TamperedError(f"Staged file {file.key} is gone.", hint="Read the period whole again.") from None
        if partial.stat().st_size != file.size or digest(partial) != file.sha256:
            partial.unlink()
            raise TamperedError(
                f"Staged file {file.key} is not what was written.", hint="Run: airflow mlconnector trail verify"
            )
        os.replace(partial, copy)

    def _copy(self, file: StagedFile) -> Path:
        name = hashlib.sha256(file.key.encode()).hexdigest()[:16]  # objects of one content are still two
        return self.scratch() / f"{file.sha256}-{name}"

    def _object(self, key: str) -> ObjectStoragePath:
        if key.startswith("/") or ".." in key.split("/"):
            raise TamperedError(f"Staged file key {key!r} leaves the staging area.")
        return self._root / key
