# SPDX-License-Identifier: Apache-2.0
"""Starts whose answer gets lost, over real HTTP, also while a person starts the same import: what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import LostAnswerError, ModelBusyError, TaskFailedError
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.modelwork import Finished, ModelWork
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import EventKind, EventRow
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fake_model import MemoryStore
from tests.unit.pipeline.sandbox_close import open_anaplan
from tests.unit.pipeline.support import run_ref

IMPORT = "Load Vendors"
ROWS = 3
FILE = "Code,Name\nV1,First\nV2,Second\nV3,Third\n"
PERSONS_FILE = "Code,Name\nP1,Of a person\n"


class Setting:
    """One task of ours in the sandbox's model; ``work`` is a new process of it."""

    def __init__(self, bench: Bench, model: AnaplanModel, control: SandboxControl, file: Path) -> None:
        self.bench, self.model, self.control, self.file = bench, model, control, file
        self.store = MemoryStore()
        told = control.info["anaplan"]
        self.import_id = told["import_ids"][IMPORT]
        self.file_id = told["file_ids"][IMPORT]
        self.known = len(control.tasks(IMPORT))

    def work(self) -> ModelWork:
        end = self.bench.clock.now().timestamp() + 7200
        return ModelWork(
            self.bench, self.model, owner="task", store=self.store, generation=0, run_id="run", deadline=end
        )

    def job(self, **more: Any) -> ActionJob:
        plain = ActionJob(
            ActionKind.IMPORT, self.import_id, upload=(self.file_id, self.file), fingerprint="f1", rows=ROWS
        )
        return replace(plain, **more)

    def to_the_end(self, job: ActionJob) -> Finished:
        """Do the job as a task does that leaves and comes back."""
        for _ in range(100):
            work = self.work()
            try:
                ref = work.begin(job)
                finished = work.finish(ref, run_to_end(work, ref, self.bench.clock))
            except ModelBusyError:
                self.bench.clock.sleep(15)
            else:
                work.forget()
                work.release()
                return finished
        raise AssertionError("it never ended")

    def person_starts(self, file: str = PERSONS_FILE) -> None:
        if file:
            self.control.call("POST", f"/anaplan/imports/{IMPORT}/upload", {"text": file})
        self.control.call("POST", "/anaplan/tasks", {"action": IMPORT})

    def starters(self) -> list[str]:
        """Return who started the import since we began, oldest first."""
        tasks = self.control.tasks(IMPORT)[self.known :]
        return ["we" if task["user"] == self.control.info["anaplan"]["login"] else "a person" for task in tasks]

    def told(self) -> list[str]:
        """Return the kinds of events on the trail, from the first start on."""
        return [event.kind for event in self.events() if event.kind not in (EventKind.LEASED, EventKind.UPLOADED)]

    def events(self, kind: EventKind | None = None) -> list[EventRow]:
        return [event for event in self.bench.trail.events("run") if kind in (None, event.kind)]

    def sentences(self, kind: EventKind) -> str:
        return " ".join(event.detail.get("sentence") or event.detail.get("for", "") for event in self.events(kind))


@pytest.fixture
def at(bench: Bench, sandbox: Sandbox, control: SandboxControl, tmp_path: Path) -> Iterator[Setting]:
    file = tmp_path / "vendors.csv"
    file.write_text(FILE)
    clock = QuickClock(sandbox.world)
    bench.trail.open_run(run_ref("run"), requested_by="ada")
    there = replace(bench, clock=clock, leases=Leases(bench.trail.engine, clock))
    yield Setting(there, open_anaplan(control, clock), control, file)
    control.clear_faults()
    control.reset_switches()
    while any(task["state"] in ("NOT_STARTED", "IN_PROGRESS") for task in _all_tasks(control)):
        clock.sleep(1)


def _all_tasks(control: SandboxControl) -> list[dict[str, Any]]:
    return [*control.tasks(IMPORT), *control.tasks("Load All")]


def lose(at: Setting, kind: str, **more: Any) -> None:
    at.control.fault(kind, f"/imports/{at.import_id}/tasks$", method="POST", system="anaplan", **more)


def loses_and(at: Setting, monkeypatch: pytest.MonkeyPatch, kind: str, then: Callable[[], None]) -> None:
    """Let the next start get lost, and something happen in the moment after it."""
    lose(at, kind)
    start = at.model.start

    def start_and(*args: Any, **options: Any) -> str:
        monkeypatch.setattr(at.model, "start", start)
        try:
            return start(*args, **options)
        except LostAnswerError:
            then()
            raise

    monkeypatch.setattr(at.model, "start", start_and)


def test_a_task_whose_answer_got_lost_is_adopted_and_the_trail_says_so(at: Setting) -> None:
    lose(at, "lost_answer")
    finished = at.to_the_end(at.job())
    assert finished.outcome.loaded == ROWS
    assert at.starters() == ["we"]
    assert at.told() == [EventKind.ADOPTED, EventKind.FINISHED]
    assert "was not answered, but task" in at.sentences(EventKind.ADOPTED)
    assert at.bench.leases.all() == []


def test_an_answer_that_broke_off_half_way_is_looked_for_too(at: Setting) -> None:
    lose(at, "truncate")
    assert at.to_the_end(at.job()).outcome.loaded == ROWS
    assert at.starters() == ["we"]


def test_a_start_that_never_arrived_is_repeated_only_when_it_can_no_longer_take_effect(at: Setting) -> None:
    lose(at, "reset")
    before = at.bench.clock.now()
    assert at.to_the_end(at.job()).outcome.loaded == ROWS
    assert at.bench.clock.now() - before >= timedelta(seconds=at.model.request_timeout)
    assert at.starters() == ["we"]
    assert at.told() == [EventKind.WAITED, EventKind.STARTED, EventKind.FINISHED]
    assert "looking for its task" in at.sentences(EventKind.WAITED)
    assert "made no task; starting again" in at.sentences(EventKind.STARTED)


def test_a_start_that_takes_effect_late_is_found_and_not_repeated(at: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is on its way for minutes after we gave up on it."""
    user = {"action": IMPORT, "user": at.control.info["anaplan"]["login"]}
    looks = 0
    listed = at.model.tasks

    def arrives_at_the_tenth_look(*args: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 10:
            at.control.call("POST", "/anaplan/tasks", user)
        return listed(*args)

    lose(at, "reset")
    monkeypatch.setattr(at.model, "tasks", arrives_at_the_tenth_look)
    assert at.to_the_end(at.job()).outcome.loaded == ROWS
    assert at.starters() == ["we"]
    assert at.told() == [EventKind.WAITED, EventKind.ADOPTED, EventKind.FINISHED]


def test_a_person_who_starts_the_same_import_before_ours_is_not_taken_for_us(at: Setting) -> None:
    at.person_starts()
    lose(at, "lost_answer")
    assert at.to_the_end(at.job()).outcome.loaded == ROWS
    assert at.starters() == ["a person", "we"]


def test_with_a_person_starting_at_the_same_time_all_are_waited_for_and_ours_is_started_once_more(
    at: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.control.switches(task_seconds=60.0, longest_task_seconds=60.0)
    loses_and(at, monkeypatch, "lost_answer", at.person_starts)
    assert at.to_the_end(at.job()).outcome.loaded == ROWS
    assert at.starters() == ["we", "a person", "we"]
    again = at.events(EventKind.STARTED)[-1]
    states = {task["task_id"]: task["state"] for task in at.control.tasks(IMPORT)}
    assert set(states.values()) == {"COMPLETE"}
    assert "are over; starting once more" in again.detail["sentence"]
    disturbing = at.control.call("GET", "/anaplan/events")["uploads_into_running_tasks"]
    assert at.control.info["anaplan"]["login"] not in [upload["user"] for upload in disturbing]


def test_while_several_run_the_task_leaves_with_their_ids_and_the_model_stays_ours(
    at: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.control.switches(task_seconds=600.0, longest_task_seconds=600.0)
    loses_and(at, monkeypatch, "lost_answer", at.person_starts)
    with pytest.raises(ModelBusyError, match="several tasks appeared since; waiting until they are over") as busy:
        at.work().begin(at.job())
    assert all(task["task_id"] in busy.value.message for task in at.control.tasks(IMPORT)[at.known :])
    assert len(at.bench.leases.all()) == 1
    at.bench.clock.sleep(1300)
    assert at.to_the_end(at.job()).outcome.loaded == ROWS


@pytest.mark.parametrize("persons_file", [PERSONS_FILE, ""], ids=["with a file of their own", "without a file"])
def test_a_person_whose_task_was_taken_for_ours_is_noticed_and_ours_is_started(
    at: Setting, monkeypatch: pytest.MonkeyPatch, persons_file: str
) -> None:
    """Our request never arrived; the one new task in the list is the person's."""
    loses_and(at, monkeypatch, "reset", lambda: at.person_starts(persons_file))
    finished = at.to_the_end(at.job())
    assert finished.outcome.loaded == ROWS
    assert at.starters() == ["a person", "we"]
    kinds = [EventKind.ADOPTED, EventKind.NOTE, EventKind.WAITED, EventKind.STARTED, EventKind.FINISHED]
    assert at.told() == kinds
    assert "somebody else started it" in at.sentences(EventKind.NOTE)
    assert at.bench.leases.all() == []


def test_a_process_with_deletes_is_not_run_twice_but_asked_about(at: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    told = at.control.info["anaplan"]
    process = told["process_ids"]["Load All"]
    before = len(at.control.tasks("Load All"))
    at.control.fault("lost_answer", f"/processes/{process}/tasks$", method="POST", system="anaplan")
    start = at.model.start

    def start_and(*args: Any, **options: Any) -> str:
        try:
            return start(*args, **options)
        finally:
            at.control.call("POST", "/anaplan/tasks", {"action": "Load All"})

    monkeypatch.setattr(at.model, "start", start_and)
    job = ActionJob(ActionKind.PROCESS, process, repeatable=False, fingerprint="p1")
    with pytest.raises(TaskFailedError, match="which is ours cannot be told") as asked:
        at.work().begin(job)
    ids = [task["task_id"] for task in at.control.tasks("Load All")[before:]]
    assert len(ids) == 2
    assert all(task_id in str(asked.value) for task_id in ids)
    assert "clear this task if the work was not done" in str(asked.value)
    assert at.events(EventKind.FAILED)[0].detail["tasks"] == ids


def test_a_process_with_deletes_that_alone_appeared_is_adopted(at: Setting) -> None:
    process = at.control.info["anaplan"]["process_ids"]["Load All"]
    before = len(at.control.tasks("Load All"))
    at.control.fault("lost_answer", f"/processes/{process}/tasks$", method="POST", system="anaplan")
    work = at.work()
    ref = work.begin(ActionJob(ActionKind.PROCESS, process, repeatable=False, fingerprint="p1"))
    run_to_end(work, ref, at.bench.clock)
    assert [task["task_id"] for task in at.control.tasks("Load All")[before:]] == [ref.task_id]
