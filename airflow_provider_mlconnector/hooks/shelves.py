# SPDX-License-Identifier: Apache-2.0
"""Where files for people lie: a folder of this machine, or an object store behind Airflow's ``ObjectStoragePath``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.settings import load_settings
from airflow_provider_mlconnector.systems.syspro.hand_over import LocalShelf, Shelf

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def open_shelf(folder: str, *below: str) -> Shelf:
    """Return a folder below another one.

    :param folder: an absolute path, an address such as ``s3://aws_default@bucket/plans``, or the name of a folder in
        the deployment's staging area.
    :raises ConfigurationError: when it is none of these, or a name below it is none of a folder.
    """
    if "://" not in folder and not folder.startswith("/"):
        folder, below = load_settings().staging, (folder, *below)
    for name in below:
        if name.startswith(".") or "/" in name or "\\" in name:
            raise ConfigurationError(f"'{name}' cannot be the name of a folder.", hint="Use letters, digits and '-'.")
    if "://" in folder and not folder.startswith("file://"):
        from airflow.sdk import ObjectStoragePath

        return ObjectShelf(ObjectStoragePath("/".join((folder, *below))))
    path = Path(folder.removeprefix("file://"))
    if not path.is_absolute():
        raise ConfigurationError(f"'{folder}' is no absolute path.", hint="Workers start in folders of their own.")
    return LocalShelf(path.joinpath(*below))


class ObjectShelf:
    """A folder of an object store, which writes an object whole or not at all."""

    settle = 330.0
    """Seconds: the time-outs of the stores' own clients are shorter."""

    def __init__(self, root: ObjectStoragePath) -> None:
        self._root = root

    def read(self, name: str) -> bytes | None:
        """Return a file; None when there is none."""
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file in place of one of that name."""
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.fs.pipe_file(target.path, data)

    def remove(self, name: str) -> None:
        """Delete a file; a missing one is no error."""
        (self._root / name).unlink(missing_ok=True)

    def place(self, name: str) -> str:
        """Return the address of a file."""
        return str(self._root / name)
