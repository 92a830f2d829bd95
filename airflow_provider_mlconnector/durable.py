# SPDX-License-Identifier: Apache-2.0
"""What a task instance remembers across its tries: the remote job it started, and when it first began to wait.

Airflow keeps a task's state when the task is cleared (3.3), so every record carries the run's ``clear_number``: a job
of an earlier number that is done never stands for the work of this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

JOB = "anaplan_job"
_BEGAN = "anaplan_began"


class StateStore(Protocol):
    """Airflow's ``context["task_state_store"]``: JSON values per task instance, shared by its tries."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or the default."""

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """Store a value."""


class TaskJobStore:
    """Keeps the record of one remote job where the next try finds it; it never expires."""

    def __init__(self, store: StateStore, key: str = JOB) -> None:
        self._store = store
        self._key = key

    def get(self) -> dict[str, Any] | None:
        """Return the record, None before the first one."""
        record = self._store.get(self._key)
        return dict(record) if isinstance(record, Mapping) else None

    def set(self, record: dict[str, Any]) -> None:
        """Store the record; when this returns, a killed process can be followed up."""
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        self._store.set(self._key, record, retention=NEVER_EXPIRE)


def generation(context: Mapping[str, Any]) -> int:
    """Return how often the run was cleared; it tells a repeated task from a retried one."""
    return int(getattr(context["dag_run"], "clear_number", 0) or 0)


def began(context: Mapping[str, Any], now: datetime) -> datetime:
    """Return when this task first ran in this generation, so that waits and retries share one deadline."""
    from airflow.sdk.execution_time.context import NEVER_EXPIRE

    store, number = context["task_state_store"], generation(context)
    record = store.get(_BEGAN) or {}
    if record.get("generation") != number:
        record = {"generation": number, "at": now.isoformat()}
        store.set(_BEGAN, record, retention=NEVER_EXPIRE)
    return datetime.fromisoformat(record["at"])
