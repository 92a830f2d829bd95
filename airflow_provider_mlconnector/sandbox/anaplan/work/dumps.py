# SPDX-License-Identifier: Apache-2.0
"""Failure dumps: private to the user, until the import's next clean run or next dump, or 48 hours after last access."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from airflow_provider_mlconnector.sandbox.clock import VirtualClock

LIFE = timedelta(hours=48)


@dataclass(slots=True)
class _Dump:
    task_id: str
    path: Path
    touched_at: datetime


class Dumps:
    """The dumps that can still be had. Safe for threads."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], _Dump] = {}

    def keep(self, user_id: str, import_id: str, task_id: str, path: Path) -> None:
        """Keep the dump of an import's newest run."""
        with self._lock:
            self._held[user_id, import_id] = _Dump(task_id, path, self._clock.now())

    def forget(self, user_id: str, import_id: str) -> None:
        """Drop an import's dump after a clean run."""
        with self._lock:
            self._held.pop((user_id, import_id), None)

    def find(self, user_id: str, import_id: str, task_id: str) -> Path | None:
        """Return the dump of one run, and note the access; None when it can no longer be had."""
        now = self._clock.now()
        with self._lock:
            dump = self._held.get((user_id, import_id))
            if dump is None or dump.task_id != task_id or dump.touched_at + LIFE <= now:
                return None
            dump.touched_at = now
            return dump.path
