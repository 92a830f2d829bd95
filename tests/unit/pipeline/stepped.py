# SPDX-License-Identifier: Apache-2.0
"""Runs that go on one step at a time, so that several can be in one model's way: extract, prepare, begin, finish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from airflow_provider_mlconnector.errors import (
    ConfigurationError,
    LeaseTakenError,
    LostAnswerError,
    ModelBusyError,
    StaleVersionError,
    TaskCancelledError,
    TaskError,
    TransportError,
)
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.load import LoadState, begin_load, finish_load
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest, LoadManifest, PreparedManifest
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.prepare import prepare
from airflow_provider_mlconnector.pipeline.replay import Wanted, as_sent, prepare_replay
from airflow_provider_mlconnector.trail.records import RunRef
from tests.unit.pipeline.fake_model import MemoryStore
from tests.unit.pipeline.hostile import World
from tests.unit.pipeline.support import PERIOD, read_plan

TROUBLES = (TaskError, TaskCancelledError, TransportError, LostAnswerError, ConnectionError)
"""What a task fails with and is tried again for."""


class Step(StrEnum):
    """What a run does next."""

    EXTRACT = "extract"
    PREPARE = "prepare"
    BEGIN = "begin"
    FINISH = "finish"
    OVER = "over"


class SteppedRun:
    """One run of the world's plan, or one replay (``wanted``); :meth:`go_on` does the next step of it."""

    def __init__(
        self, world: World, mode: str = "changes", *, wanted: Wanted | None = None, repeat: bool = False
    ) -> None:
        self.world = world
        self.run: RunRef = world.new_run(mode)
        self.next = Step.EXTRACT if wanted is None else Step.PREPARE
        self.refusal = ""
        self.batch: BatchManifest | None = None
        self.made: PreparedManifest | None = None
        self.state: LoadState | None = None
        self.loaded: LoadManifest | None = None
        self._wanted, self._repeat = wanted, repeat
        self._store = MemoryStore()
        self._work: ModelWork | None = None

    def go_on(self) -> bool:
        """Do the next step; return False when the model was taken, so that it has to be come back to."""
        steps: dict[Step, Callable[[], None]] = {
            Step.EXTRACT: self._extract,
            Step.PREPARE: self._prepare,
            Step.BEGIN: self._begin,
            Step.FINISH: self._finish,
            Step.OVER: lambda: None,
        }
        try:
            steps[self.next]()
        except (LeaseTakenError, ModelBusyError):
            return False
        return True

    def try_on(self) -> bool:
        """Do the next step; one that fails is tried again by the next call, as a task of Airflow is."""
        try:
            return self.go_on()
        except TROUBLES:
            self.next = Step.BEGIN if self.next is Step.FINISH else self.next
            return True

    def to_the_end(self) -> LoadManifest:
        """Go on until the run is over; nobody else is in the way."""
        while self.next is not Step.OVER:
            if not self.go_on():
                self.world.bench.clock.sleep(1800)
        assert self.loaded is not None
        return self.loaded

    def _extract(self) -> None:
        plan = replace(read_plan(), flow=self.world.flow)
        self.batch = extract(self.world.bench, self.world.ledger, plan, self.run, PERIOD)
        self.next = Step.PREPARE

    def _prepare(self) -> None:
        try:
            self.made = self._prepared()
        except (StaleVersionError, ConfigurationError) as refused:
            assert self._repeat, "only what is repeated as it was sent may be refused"
            self.refusal, self.next = str(refused), Step.OVER
            return
        self.next = Step.BEGIN

    def _prepared(self) -> PreparedManifest:
        world = self.world
        if self._wanted is None:
            assert self.batch is not None
            return prepare(world.bench, world.plan(), self.batch, PERIOD, world.model)
        if self._repeat:
            return as_sent(world.bench, world.plan(), self._wanted, self.run)
        return prepare_replay(world.bench, world.plan(), self._wanted, self.run, PERIOD, world.model)

    def _begin(self) -> None:
        """Begin as a new process of the task does, which knows nothing but what was stored."""
        assert self.made is not None
        world = self.world
        self._work = ModelWork(
            world.bench,
            world.model,  # type: ignore[arg-type]  # a fake
            owner=self.run.run_id,
            store=self._store,
            generation=0,
            run_id=self.run.run_id,
            deadline=world.bench.clock.now().timestamp() + 3600,
        )
        try:
            self.state = begin_load(world.bench, world.plan(), self.made, self._work, self._prepared)
        except (StaleVersionError, ConfigurationError) as refused:
            if not self._repeat:
                raise
            self.refusal, self.next = str(refused), Step.OVER
            return
        self.next = Step.FINISH

    def _finish(self) -> None:
        assert self.state is not None
        assert self._work is not None
        world = self.world
        status = run_to_end(self._work, self.state.ref, world.bench.clock) if self.state.ref else None
        try:
            self.loaded = finish_load(world.bench, world.plan(), self.state, self._work, status)
        except StaleVersionError:  # others went on without us: the task is tried again
            self.next = Step.BEGIN
            return
        self.next = Step.OVER
