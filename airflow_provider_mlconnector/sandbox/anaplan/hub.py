# SPDX-License-Identifier: Apache-2.0
"""The model: definitions, contents, files, tasks and the state that an administrator put it in."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.ids import Seeded, hex_id
from airflow_provider_mlconnector.sandbox.anaplan.journal import Journal
from airflow_provider_mlconnector.sandbox.anaplan.model import blueprint
from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import Action, ActionKind, ImportAction
from airflow_provider_mlconnector.sandbox.anaplan.model.files import FileStore
from airflow_provider_mlconnector.sandbox.anaplan.switches import Switches
from airflow_provider_mlconnector.sandbox.anaplan.work.actions import Order, Performer, input_size
from airflow_provider_mlconnector.sandbox.anaplan.work.dumps import Dumps
from airflow_provider_mlconnector.sandbox.anaplan.work.large_reads import LargeReads
from airflow_provider_mlconnector.sandbox.anaplan.work.results import Result
from airflow_provider_mlconnector.sandbox.anaplan.work.tasks import Task, TaskQueue
from airflow_provider_mlconnector.sandbox.clock import VirtualClock


class ModelState(StrEnum):
    """What an administrator made of the model; PRODUCTION is deployed, MAINTENANCE is offline."""

    UNLOCKED = "UNLOCKED"
    LOCKED = "LOCKED"
    ARCHIVED = "ARCHIVED"
    MAINTENANCE = "MAINTENANCE"
    PRODUCTION = "PRODUCTION"
    PRODUCTION_MAINTENANCE = "PRODUCTION_MAINTENANCE"


@dataclass(frozen=True, slots=True)
class Identity:
    """Ids and names of the model and its workspace."""

    model_id: str
    model: str
    workspace_id: str
    workspace: str


class Hub:
    """The model "FP&A Hub" at work. ``switches`` is asked anew each time, since a test may set them at any time."""

    def __init__(self, seeded: Seeded, folder: Path, clock: VirtualClock, switches: Callable[[], Switches]) -> None:
        self.identity = Identity(seeded.upper("model"), blueprint.MODEL, seeded.lower("workspace"), blueprint.WORKSPACE)
        self.definitions = blueprint.make_definitions()
        self.contents = blueprint.make_contents()
        self.journal = Journal(clock)
        self.files = FileStore(folder, self.definitions, clock)
        self.dumps = Dumps(clock)
        self.reads = LargeReads(clock)
        self.queue = TaskQueue(self, clock, self.journal)
        self.changed_at = clock.now()
        self.serial = 1
        self._folder = folder
        self._clock = clock
        self._switches = switches
        self._editing = threading.Lock()
        self._held_until = clock.now()
        self._opens_at: datetime | None = clock.now()
        self._snapshots: dict[str, Contents] = {}
        self._state, self._state_until = ModelState.UNLOCKED, math.inf

    @property
    def state(self) -> ModelState:
        """Return what an administrator made of the model."""
        return self._state if self._clock.timestamp() < self._state_until else ModelState.UNLOCKED

    def put_into(self, state: ModelState, seconds: float = math.inf) -> None:
        """Put the model into a state; after so many virtual seconds it is unlocked again."""
        self._state, self._state_until = state, self._clock.timestamp() + seconds

    def build(self, changed: ImportAction) -> None:
        """Change an import as a builder does; a task that was accepted before runs as it was."""
        self.definitions = self.definitions.with_import(changed)

    @property
    def is_busy(self) -> bool:
        """Say whether a task or a person's transaction has the model."""
        return self.queue.is_busy or self.is_held()

    def hold(self, seconds: float) -> None:
        """Let a person work in the model for a while: tasks wait, other requests hang."""
        self._held_until = self._clock.now() + timedelta(seconds=seconds)

    @property
    def is_open(self) -> bool:
        """Say whether the model is in memory."""
        return self._opens_at is not None and self._opens_at <= self._clock.now()

    def open(self) -> None:
        """Begin to load the model into memory, unless it is there or on its way."""
        if self._opens_at is None:
            self._opens_at = self._clock.now() + timedelta(seconds=self._switches().open_seconds)

    def close(self) -> None:
        """Unload the model; the next request has to wait for it."""
        self._opens_at = None

    def start(self, kind: ActionKind, action: Action, user: User, mapping: Mapping[str, str]) -> Task:
        """Accept a task."""
        task = Task(hex_id(), kind, action, user, self._clock.now(), mapping)
        self.queue.submit(task)
        return task

    def edit(self, change: Callable[[Contents], Contents]) -> None:
        """Change the contents as a person or a transactional call does."""
        with self._editing:
            self._replace(change(self.contents))

    def snapshot(self, name: str) -> None:
        """Remember the contents under a name."""
        self._snapshots[name] = self.contents

    def restore(self, name: str) -> bool:
        """Bring remembered contents back, as a restore from history does; False when there are none."""
        if name not in self._snapshots:
            return False
        self.edit(lambda _: self._snapshots[name])
        return True

    # what the task queue asks of its workplace

    def is_held(self) -> bool:
        """Say whether a person's transaction keeps tasks waiting."""
        return self._clock.now() < self._held_until

    def pauses(self) -> tuple[float, float]:
        """Return the seconds before a start and for a cancellation."""
        switches = self._switches()
        return switches.queue_seconds, switches.cancel_seconds

    def seconds_for(self, task: Task) -> float:
        """Return how long a task takes, by the bytes that it reads."""
        switches = self._switches()
        size = input_size(task.action, self.files, task.user.id)
        seconds = switches.task_seconds + size / switches.task_bytes_per_second
        return max(switches.task_seconds, min(seconds, switches.longest_task_seconds))

    def perform(self, task: Task) -> Result:
        """Do a task's work and keep what came of it: contents, output files and dumps."""
        performer = Performer(self.files, self._folder, self._clock, self._switches())
        with self._editing:
            done = performer.perform(task.action, Order(task.user.id, task.mapping), self.contents)
            self._replace(done.contents)
        for file_id, parts in done.outputs.items():
            self.files.put_whole(file_id, task.user.id, parts)
        for result in done.result.nested or (done.result,):
            self._keep_dump(task, result)
        return done.result

    def _keep_dump(self, task: Task, result: Result) -> None:
        if result.dump is not None:
            self.dumps.keep(task.user.id, result.object_id, task.id, result.dump)
        elif result.successful and any(action.id == result.object_id for action in self.definitions.imports):
            self.dumps.forget(task.user.id, result.object_id)

    def _replace(self, contents: Contents) -> None:
        if contents is not self.contents:
            self.contents = contents
            self.changed_at = self._clock.now()
            self.serial += 1
