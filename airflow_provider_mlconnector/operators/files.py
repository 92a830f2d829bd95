# SPDX-License-Identifier: Apache-2.0
"""Files that tasks read and write: on this machine, or in an object store behind a URL such as ``s3://conn@bucket/key``."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ConfigurationError, HeaderError
from airflow_provider_mlconnector.pipeline.stage import Stage, scratch_file

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.anaplan.definitions import ImportSource


@contextmanager
def local_copy(stage: Stage, path: str) -> Iterator[Path]:
    """Give a file as one of this machine; a copy from an object store is gone at the end.

    :raises ConfigurationError: when there is no such file.
    """
    if "://" not in path:
        if not Path(path).is_file():
            raise ConfigurationError(f"There is no file {path}.")
        yield Path(path)
        return
    from airflow.sdk import ObjectStoragePath

    source = ObjectStoragePath(path)
    with scratch_file(stage, source.suffix) as copy:
        try:
            source.fs.get_file(source.path, str(copy))
        except FileNotFoundError:
            raise ConfigurationError(f"There is no file {path}.") from None
        yield copy


def deliver(local: Path, target: str) -> None:
    """Put a finished file to where it was asked for, whole."""
    if "://" not in target:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(local, target)
        return
    from airflow.sdk import ObjectStoragePath

    there = ObjectStoragePath(target)
    there.parent.mkdir(parents=True, exist_ok=True)
    there.fs.put_file(str(local), there.path)


def check_header(source: ImportSource, path: Path, import_name: str) -> None:
    """Compare a file's header with the one that its import expects, before anything is uploaded.

    :raises HeaderError: when a column is missing or at another place.
    """
    if source.header is None or source.header_row != 1:
        return
    with path.open(encoding=source.encoding, newline="") as lines:
        rows = csv.reader(lines, delimiter=source.separator, quotechar=source.delimiter or '"')
        found = [name.removeprefix("\ufeff").strip() for name in next(rows, [])]
    if found != [name.strip() for name in source.header]:
        raise HeaderError(
            f"Import '{import_name}' expects the columns {', '.join(source.header)}; the file has {', '.join(found)}.",
            hint="Write the file with the import's columns, or map the import anew in Anaplan.",
        )
