# SPDX-License-Identifier: Apache-2.0
"""The model's task queue: one task at a time, the others wait; a cancelled one leaves nothing behind.

A task's work is done, all at once, at the end of its time. Until then a cancel undoes nothing because nothing is done.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.journal import Happening, Journal
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import Action, ActionKind, files_read_by
from airflow_provider_mlconnector.sandbox.anaplan.work.results import Result, failure
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

_LOG = logging.getLogger(__name__)
_TICK = 0.02
"""Real seconds between two looks at the virtual clock, which may be moved or stopped at any time."""


class TaskState(StrEnum):
    """States of a task; COMPLETE says that it is over, not that it went well."""

    NOT_STARTED = "NOT_STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETE = "COMPLETE"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


TERMINAL = frozenset({TaskState.COMPLETE, TaskState.CANCELLED})


@dataclass(slots=True)
class Task:
    """One run of an action."""

    id: str
    kind: ActionKind
    action: Action
    user: User
    created_at: datetime
    mapping: Mapping[str, str] = field(default_factory=dict)
    state: TaskState = TaskState.NOT_STARTED
    started_at: datetime | None = None
    seconds: float = 0.0
    result: Result | None = None
    cancelled_by: str = ""

    @property
    def is_over(self) -> bool:
        """Say whether it came to an end."""
        return self.state in TERMINAL

    def progress(self, now: datetime) -> float:
        """Return how far it is, from 0 to 1."""
        if self.is_over:
            return 1.0
        if self.started_at is None or self.seconds <= 0:
            return 0.0
        return round(min(0.99, (now - self.started_at).total_seconds() / self.seconds), 2)


class Workplace(Protocol):
    """What a queue works on."""

    def is_held(self) -> bool:
        """Say whether a person's transaction keeps tasks waiting."""

    def seconds_for(self, task: Task) -> float:
        """Return how long a task takes."""

    def perform(self, task: Task) -> Result:
        """Do a task's work and keep what came of it."""

    def pauses(self) -> tuple[float, float]:
        """Return the seconds before a start and for a cancellation."""


class TaskQueue:
    """All tasks of a model. Safe for threads; a worker thread lives while there is something to do."""

    def __init__(self, workplace: Workplace, clock: VirtualClock, journal: Journal) -> None:
        self._workplace = workplace
        self._clock = clock
        self._journal = journal
        self._changed = threading.Condition()
        self._waiting: deque[Task] = deque()
        self._tasks: dict[str, Task] = {}
        self._running: Task | None = None
        self._worker: threading.Thread | None = None

    @property
    def running(self) -> Task | None:
        """Return the task that has the model."""
        return self._running

    @property
    def is_busy(self) -> bool:
        """Say whether a task runs or waits."""
        return self._running is not None or bool(self._waiting)

    def all(self) -> list[Task]:
        """Return every task ever accepted, oldest first."""
        with self._changed:
            return list(self._tasks.values())

    def of(self, action: Action) -> list[Task]:
        """Return the tasks of one action, oldest first."""
        return [task for task in self.all() if task.action.id == action.id]

    def get(self, task_id: str) -> Task | None:
        """Return a task by its id."""
        return self._tasks.get(task_id)

    def submit(self, task: Task) -> None:
        """Accept a task."""
        with self._changed:
            self._tasks[task.id] = task
            self._waiting.append(task)
            self._note(Happening.START, task)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="anaplan-tasks", daemon=True)
                self._worker.start()

    def cancel(self, task: Task, by: str) -> None:
        """Cancel a task that waits or runs; nothing happens to one that is over."""
        with self._changed:
            if task.is_over or task.state is TaskState.CANCELLING:
                return
            task.cancelled_by = by
            if task in self._waiting:
                self._waiting.remove(task)
                self._end(task, TaskState.CANCELLED)
            else:
                task.state = TaskState.CANCELLING
            self._changed.notify_all()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            self._run(task)
            with self._changed:
                self._running = None

    def _next(self) -> Task | None:
        with self._changed:
            if not self._waiting:
                self._worker = None
                return None
            self._running = self._waiting.popleft()
            return self._running

    def _run(self, task: Task) -> None:
        before, for_cancel = self._workplace.pauses()
        if self._waits(task, task.created_at, before, self._workplace.is_held) and self._begin(task):
            self._waits(task, task.started_at or task.created_at, task.seconds, lambda: False)
        with self._changed:
            may_work = task.state is TaskState.IN_PROGRESS
        if may_work:
            self._finish(task)
        else:
            self._rest(for_cancel)
            with self._changed:
                self._end(task, TaskState.CANCELLED)

    def _begin(self, task: Task) -> bool:
        seconds = self._workplace.seconds_for(task)
        with self._changed:
            if task.state is not TaskState.NOT_STARTED:
                return False
            task.state, task.started_at, task.seconds = TaskState.IN_PROGRESS, self._clock.now(), seconds
            self._note(Happening.RUN, task)
            return True

    def _finish(self, task: Task) -> None:
        try:
            result = self._workplace.perform(task)
        except Exception as error:
            # whatever goes wrong in one task, the model's queue goes on
            _LOG.exception("task %s failed", task.id)
            result = failure(task.action.id, task.action.name, "internalError", f"Internal error: {error}")
        with self._changed:
            task.result = result
            self._end(task, TaskState.COMPLETE)

    def _end(self, task: Task, state: TaskState) -> None:
        self._note(Happening.END, task)  # first: who sees that it is over finds the event, too
        task.state = state

    def _note(self, kind: Happening, task: Task) -> None:
        files = files_read_by(task.action)
        self._journal.note(kind, task.action.id, task.user.email, task_id=task.id, file_ids=files)

    def _waits(self, task: Task, since: datetime, seconds: float, held: Callable[[], bool]) -> bool:
        """Wait so many virtual seconds since a moment, and on while ``held``; False once it is to be cancelled."""
        until = since.timestamp() + seconds
        with self._changed:
            while self._clock.timestamp() < until or held():
                if task.state is TaskState.CANCELLING:
                    return False
                left = until - self._clock.timestamp()
                self._changed.wait(min(_TICK, left) if left > 0 else _TICK)
            return task.state is not TaskState.CANCELLING

    def _rest(self, seconds: float) -> None:
        until = self._clock.timestamp() + seconds
        with self._changed:
            while self._clock.timestamp() < until:
                self._changed.wait(_TICK)
