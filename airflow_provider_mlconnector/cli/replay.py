# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector replay``: deliver again what is staged already, without asking the ERP.

Each flow and period that the wanted rows belong to gets a run of its own on the trail; lists go before cells. Nothing
waits for a model that somebody else works on: the command says who does, and ends.
"""

from __future__ import annotations

import signal
import uuid
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from airflow.utils.platform import getuser

from airflow_provider_mlconnector.bench import open_bench
from airflow_provider_mlconnector.cli.deployment import flow_named
from airflow_provider_mlconnector.cli.output import Row, command, emit
from airflow_provider_mlconnector.errors import ConfigurationError, LeaseTakenError, MlconnectorError, ModelBusyError
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plans import load_plans, target
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.ending import call_off, run_to_end
from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
from airflow_provider_mlconnector.pipeline.manifests import LoadManifest, PreparedManifest
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.replay import Place, Wanted, places, redeliver
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.systems.anaplan.tasks import TaskRef, TaskStatus
from airflow_provider_mlconnector.trail.records import RunOutcome, RunRef


@command
def replay(args: Namespace) -> None:
    """Send the cells that a batch, records or rejects touch, as book and flow give them today, or the file as sent."""
    wanted = Wanted.of(batch_id=args.batch, records=args.records, rejects_of=args.rejects)
    bench, mark, sent = open_bench(), uuid.uuid4().hex[:12], list[Row]()
    try:
        with _terminable():
            for flow, there in _by_period(args, places(bench, wanted, args.flow or None)):
                once = _Replay(bench, flow, wanted, there[0].run(f"replay {mark}"), as_sent=args.as_sent)
                for done in once.deliver({place.dataset for place in there}):
                    sent.append(_told(done))
    except (LeaseTakenError, ModelBusyError) as error:
        error.hint = error.hint or "Run the command again later."
        raise
    finally:  # what was sent before an error was sent
        if sent:
            emit(args, "Sent again", sent)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM interrupt the command as Ctrl-C does, so that it leaves nothing behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _by_period(args: Namespace, found: Sequence[Place]) -> Iterator[tuple[Flow, list[Place]]]:
    """Group places by flow and period; what belongs to no period, lists, comes first.

    :raises ConfigurationError: when several flows know the same record ids, which may mean different records.
    """
    names = sorted({place.flow for place in found})
    if len(names) > 1:
        raise ConfigurationError(f"Several flows know these records: {', '.join(names)}.", hint="Choose with --flow.")
    flow = flow_named(args, names[0])
    for _, there in groupby(sorted(found, key=_period), key=_period):
        yield flow, list(there)


def _period(place: Place) -> str:
    return place.period


@dataclass(frozen=True, slots=True)
class _Memory:
    """Keeps the record of one job for as long as this process lives: nobody takes up an interrupted command."""

    kept: dict[str, Any]

    def get(self) -> dict[str, Any] | None:
        """Return the record."""
        return self.kept or None

    def set(self, record: dict[str, Any]) -> None:
        """Keep the record."""
        self.kept.clear()
        self.kept.update(record)


class _Replay:
    """One run of a replay."""

    def __init__(self, bench: Bench, flow: Flow, wanted: Wanted, run: RunRef, *, as_sent: bool) -> None:
        self._bench = bench
        self._flow = flow
        self._wanted = wanted
        self._run = run
        self._as_sent = as_sent

    def deliver(self, datasets: set[str]) -> Iterator[LoadManifest]:
        """Load each import of these datasets in the flow's order.

        :raises ConfigurationError: when the flow loads none of them any more.
        """
        to, plans = target(self._flow), [plan for plan in load_plans(self._flow) if plan.dataset in datasets]
        if not plans:
            raise ConfigurationError(f"Flow '{self._flow.name}' no longer loads {', '.join(sorted(datasets))}.")
        with self._on_the_trail(), closing(AnaplanHook(to.conn_id).get_client()) as client:
            model = client.model(client.resolve_model(to.workspace, to.model))
            for plan in plans:
                yield self._load(plan, model)

    def _load(self, plan: LoadPlan, model: AnaplanModel) -> LoadManifest:
        bench = self._bench

        def prepare() -> PreparedManifest:
            reader, calendar = ModelReading(model), self._flow.calendar
            return redeliver(bench, plan, self._wanted, self._run, calendar, reader, repeat=self._as_sent)

        work = ModelWork(
            bench,
            model,
            owner=f"mlconnector replay by {getuser()} ({self._run.run_id})",
            store=_Memory({}),
            generation=0,
            run_id=self._run.run_id,
            deadline=(bench.clock.now() + plan.deadline).timestamp(),
        )
        try:
            state = begin_load(bench, plan, prepare(), work, prepare)
            status = None if state.ref is None else self._followed(work, state.ref)
            return finish_load(bench, plan, state, work, status)
        finally:
            work.release()

    def _followed(self, work: ModelWork, ref: TaskRef) -> TaskStatus:
        """Wait for the import; whoever interrupts the command cancels it, and the model is free once it is over."""
        try:
            return run_to_end(work, ref, self._bench.clock)
        except KeyboardInterrupt:
            self._call_off(work, ref)
            raise

    def _call_off(self, work: ModelWork, ref: TaskRef) -> None:
        try:
            over = call_off(work, ref, self._bench.clock)
        except MlconnectorError as error:
            self._bench.log.warning("Import task %s could not be cancelled: %s", ref.task_id, error)
            over = False
        if not over:
            self._bench.log.warning("Import task %s may still run; the next load waits for its end.", ref.task_id)

    @contextmanager
    def _on_the_trail(self) -> Iterator[None]:
        trail, run = self._bench.trail, self._run
        trail.open_run(run, requested_by=getuser(), detail={"command": "airflow mlconnector replay"})
        try:
            yield
        except BaseException:
            trail.close_run(run.run_id, RunOutcome.FAILED)
            raise
        trail.close_run(run.run_id, RunOutcome.SUCCEEDED)


def _told(done: LoadManifest) -> Row:
    return {
        "flow": done.run.flow,
        "period": done.run.period,
        "import": done.import_name,
        "sent": done.sent,
        "loaded": done.loaded,
        "rejected": done.rejected,
        "task": done.task_id,
        "run": done.run.run_id,
    }
