# SPDX-License-Identifier: Apache-2.0
"""What happened to the model, in order, so that a test can see whether an upload ran into an import."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.clock import VirtualClock


class Happening(StrEnum):
    """Kinds of events: an upload's parts, then a task's."""

    UPLOAD = "upload"
    """A new upload began, or a file was put whole."""
    CHUNK = "chunk"
    COMPLETE = "complete"
    START = "start"
    """A task was accepted."""
    RUN = "run"
    END = "end"
    OUTCOME = "outcome"
    """Somebody was told how a task ended."""


_WRITING = frozenset({Happening.UPLOAD, Happening.CHUNK, Happening.COMPLETE})


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``at`` in virtual seconds since the epoch, ``subject`` the id of the file or the action."""

    at: float
    kind: Happening
    subject: str
    user: str
    task_id: str = ""
    file_ids: tuple[str, ...] = ()
    """Files that the task reads."""


class Journal:
    """All events of one model. Safe for threads."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: list[Event] = []

    def note(
        self, kind: Happening, subject: str, user: str, *, task_id: str = "", file_ids: tuple[str, ...] = ()
    ) -> None:
        """Add an event at the present time."""
        with self._lock:
            self._events.append(Event(self._clock.timestamp(), kind, subject, user, task_id, file_ids))

    def events(self) -> list[Event]:
        """Return all events, oldest first."""
        with self._lock:
            return list(self._events)

    def uploads_into_running_tasks(self) -> list[Event]:
        """Return the upload events that hit a file while a task that reads it was queued or running."""
        reading: dict[str, tuple[str, ...]] = {}
        found = []
        for event in self.events():
            if event.kind is Happening.START:
                reading[event.task_id] = event.file_ids
            elif event.kind is Happening.END:
                reading.pop(event.task_id, None)
            elif event.kind in _WRITING and any(event.subject in files for files in reading.values()):
                found.append(event)
        return found
