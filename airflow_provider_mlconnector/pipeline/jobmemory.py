# SPDX-License-Identifier: Apache-2.0
"""What a task writes down about its remote job and its upload, for the next try of the same task to find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from airflow_provider_mlconnector.errors import FencedError
from airflow_provider_mlconnector.pipeline.context import JobStore
from airflow_provider_mlconnector.systems.anaplan.jobs import JobRecord


class UploadMark(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that was begun and, as long as the mark is there, not seen to end.

    :param fingerprint: of the job that it belongs to; the same means the same bytes in the same chunks.
    :param cut_off_at: epoch seconds when a later try found the mark; from then on nothing more of it is sent.
    """

    fingerprint: str
    cut_off_at: float | None = None


class JobMemory:
    """The record of one job, the context to go on with, and the mark of an upload; all in one JSON object.

    :param generation: how often the task was cleared; a job of an earlier generation is not this one.
    """

    def __init__(self, store: JobStore, generation: int) -> None:
        self._store = store
        self.generation = generation

    @property
    def job(self) -> JobRecord | None:
        """The record that was written last, of whatever job."""
        kept = self._kept()
        return JobRecord.from_json(kept["job"]) if "job" in kept else None

    def unfinished(self) -> dict[str, Any] | None:
        """Return the context of the job that an earlier try of this generation began, None when there is none."""
        record = self.job
        return self._kept()["context"] if record is not None and record.generation == self.generation else None

    def of(self, fingerprint: str) -> JobRecord | None:
        """Return the record of this very job, None when the last one was another."""
        record = self.job
        same = record is not None and (record.generation, record.fingerprint) == (self.generation, fingerprint)
        return record if same else None

    def write(self, record: JobRecord, context: Mapping[str, Any]) -> None:
        """Write a record down; when this returns, the next try will find it."""
        self._store.set({**self._kept(), "job": record.to_json(), "context": dict(context)})

    def forget(self) -> None:
        """Drop record and context; the mark of an upload that was cut off stays."""
        self._store.set({name: value for name, value in self._kept().items() if name == "upload"})

    @contextmanager
    def uploading(self, fingerprint: str) -> Iterator[None]:
        """Mark an upload for as long as it lasts; whoever dies in it leaves the mark behind.

        A process that was fenced off leaves it, too: what is written down is a newer one's by then.
        """
        self._mark(UploadMark(fingerprint=fingerprint))
        try:
            yield
        except FencedError:
            raise
        except BaseException:
            self._unmark()
            raise
        self._unmark()

    def cut_off(self, now: float) -> UploadMark | None:
        """Return the mark of an upload that an earlier try died in, and note when that was found; None for none."""
        kept = self._kept().get("upload")
        if kept is None:
            return None
        mark = msgspec.convert(kept, UploadMark)
        if mark.cut_off_at is None:
            mark = msgspec.structs.replace(mark, cut_off_at=now)
            self._mark(mark)
        return mark

    def _mark(self, mark: UploadMark) -> None:
        self._store.set({**self._kept(), "upload": msgspec.to_builtins(mark)})

    def _unmark(self) -> None:
        self._store.set({name: value for name, value in self._kept().items() if name != "upload"})

    def _kept(self) -> dict[str, Any]:
        return self._store.get() or {}
