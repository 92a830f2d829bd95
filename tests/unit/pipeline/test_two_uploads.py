# SPDX-License-Identifier: Apache-2.0
"""A try that is killed in the middle of its upload, and the next one: their chunks never mix."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import FencedError, LeaseTakenError, ModelBusyError
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.leasing import LEASE_SECONDS
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind
from airflow_provider_mlconnector.systems.anaplan.uploads import MEGABYTE
from airflow_provider_mlconnector.trail.leases import Leases
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fake_model import FILE, IMPORT, FakeModel, MemoryStore
from tests.unit.pipeline.sandbox_close import open_anaplan
from tests.unit.pipeline.support import run_ref

JOURNAL = "Load Journal Lines"
CHUNKS = 3
OLD, NEW = b"old line\n", b"new line\n"


class FileStore(MemoryStore):
    """A job store that processes share."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def record(self) -> dict[str, Any] | None:
        return json.loads(self._path.read_text()) if self._path.exists() else None

    @record.setter
    def record(self, value: dict[str, Any] | None) -> None:
        self._path.write_text(json.dumps(value))


class Setting:
    """Two tries of one task, which send files of several chunks."""

    def __init__(self, bench: Bench, sandbox: Sandbox, control: SandboxControl, folder: Path) -> None:
        told = control.info["anaplan"]
        self.bench, self.world, self.control, self.folder = bench, sandbox.world, control, folder
        self.import_id, self.file_id = told["import_ids"][JOURNAL], told["file_ids"][JOURNAL]
        self.store = FileStore(folder / "store")

    def file(self, line: bytes) -> Path:
        path = self.folder / line.decode().split()[0]
        path.write_bytes((line * (CHUNKS * MEGABYTE // len(line) + 1))[: CHUNKS * MEGABYTE])
        return path

    def job(self, line: bytes) -> ActionJob:
        upload = (self.file_id, self.file(line))
        return ActionJob(ActionKind.IMPORT, self.import_id, upload=upload, fingerprint=line.decode().strip())

    def work(self, clock: Clock, owner: str = "task", store: MemoryStore | None = None) -> ModelWork:
        model = open_anaplan(self.control, clock)
        model.upload = partial(model.upload, chunk_bytes=MEGABYTE, parallel=1)  # type: ignore[method-assign]
        bench = replace(self.bench, clock=clock, leases=Leases(self.bench.trail.engine, clock))
        return ModelWork(bench, model, owner=owner, store=store or self.store, generation=0, run_id="run", deadline=2e9)

    def content(self) -> bytes:
        model = open_anaplan(self.control, SYSTEM_CLOCK)
        model.download(self.file_id, self.folder / "content")
        return (self.folder / "content").read_bytes()

    def killed_in_its_upload(self) -> None:
        """Let a process of its own upload the old file, and kill it while its second chunk is on its way."""
        fault = self.control.fault("hang", "/chunks/1$", method="PUT", system="anaplan", seconds=60)
        process = multiprocessing.get_context("fork").Process(
            target=lambda: self.work(SYSTEM_CLOCK).begin(self.job(OLD))
        )
        process.start()
        while not next(f["hits"] for f in self.control.call("GET", "/faults") if f["id"] == fault):
            time.sleep(0.02)
        process.kill()
        process.join()
        self.control.clear_faults()

    def late_chunk(self, token: str) -> None:
        """Deliver a chunk that the killed process had sent."""
        told = self.control.info["anaplan"]
        place = f"workspaces/{told['workspace_id']}/models/{told['model_id']}/files/{self.file_id}/chunks/1"
        headers = {"Authorization": token, "Content-Type": "application/octet-stream"}
        sent = requests.put(
            f"{told['api_url']}/{place}", self.file(OLD).read_bytes()[MEGABYTE : 2 * MEGABYTE], headers=headers
        )
        assert sent.status_code == 204


@pytest.fixture
def at(bench: Bench, sandbox: Sandbox, control: SandboxControl, tmp_path: Path) -> Iterator[Setting]:
    bench.trail.open_run(run_ref("run"), requested_by="ada")
    yield Setting(bench, sandbox, control, tmp_path)
    control.clear_faults()


def token_of(model: AnaplanModel) -> str:
    return dict(model._api.session._authorize())["Authorization"]  # type: ignore[misc]


def test_a_killed_upload_and_one_of_other_bytes_do_not_mix_whenever_the_last_chunk_arrives(at: Setting) -> None:
    at.killed_in_its_upload()
    clock = QuickClock(at.world)
    work = at.work(clock)
    with pytest.raises(ModelBusyError, match="cut off in the middle of its upload"):
        work.begin(at.job(NEW))
    with pytest.raises(LeaseTakenError):
        at.work(clock, owner="another", store=MemoryStore()).begin(at.job(NEW))
    clock.sleep(work.model.request_timeout - 10)
    with pytest.raises(ModelBusyError):
        at.work(clock).begin(at.job(NEW))
    at.late_chunk(token_of(work.model))
    clock.sleep(11)
    at.work(clock).begin(at.job(NEW))
    assert at.content() == at.file(NEW).read_bytes()


def test_a_killed_upload_is_repeated_at_once_where_the_bytes_are_the_same(at: Setting) -> None:
    at.killed_in_its_upload()
    clock = QuickClock(at.world)
    work = at.work(clock)
    work.begin(at.job(OLD))
    at.late_chunk(token_of(work.model))
    assert at.content() == at.file(OLD).read_bytes()


# Without a server


@pytest.fixture
def new_work(bench: Bench) -> Callable[..., ModelWork]:
    bench.trail.open_run(run_ref("run"), requested_by="ada")

    def make(store: MemoryStore, model: FakeModel, generation: int = 0) -> ModelWork:
        return ModelWork(
            bench,
            model,
            owner="task",
            store=store,
            generation=generation,
            run_id="run",
            deadline=2e9,  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
def job(tmp_path: Path) -> ActionJob:
    file = tmp_path / "cells.csv"
    file.write_text("Account,Cost Centre,Version,Time,Amount\n40100,SALES,Actual,Nov 25,1\n")
    return ActionJob(ActionKind.IMPORT, IMPORT, upload=(FILE, file), fingerprint="f1")


def cut_off(store: MemoryStore, job: ActionJob, work: ModelWork) -> None:
    """Leave behind what a process leaves that is killed in its upload."""
    work.resume()
    store.set({"upload": {"fingerprint": job.fingerprint, "cut_off_at": None}})


@pytest.mark.parametrize("change", ["generation", "forgotten"])
def test_neither_a_clear_nor_a_new_file_forgets_an_upload_that_was_cut_off(
    bench: Bench, job: ActionJob, new_work: Callable[..., ModelWork], change: str
) -> None:
    store, model = MemoryStore(), FakeModel()
    cut_off(store, job, new_work(store, model))
    again = new_work(store, model, generation=int(change == "generation"))
    if change == "forgotten":
        again.forget()
    with pytest.raises(ModelBusyError, match="upload"):
        again.enter()
    assert model.uploads == []
    bench.clock.sleep(model.request_timeout + 1)
    again.enter()
    again.begin(replace(job, fingerprint="f2"))
    assert len(model.uploads) == 1
    assert "upload" not in (store.get() or {})


def test_an_upload_that_failed_is_over_and_need_not_be_waited_for(
    job: ActionJob, new_work: Callable[..., ModelWork]
) -> None:
    store, model = MemoryStore(), FakeModel()

    def fails() -> None:
        raise ModelBusyError("locked", state="locked")

    model.on_upload = fails
    with pytest.raises(ModelBusyError):
        new_work(store, model).begin(job)
    model.on_upload = lambda: None
    new_work(store, model).begin(replace(job, fingerprint="f2"))
    assert len(model.uploads) == 1


def test_a_process_that_was_fenced_off_changes_nothing_that_its_successor_wrote_down(
    bench: Bench, job: ActionJob, new_work: Callable[..., ModelWork]
) -> None:
    store, model = MemoryStore(), FakeModel()
    work = new_work(store, model)

    theirs = {"upload": {"fingerprint": "the successor's", "cut_off_at": None}}

    def a_successor_takes_over() -> None:
        assert work.lease
        bench.leases.acquire(work.lease.resource, "task", LEASE_SECONDS)
        store.set(theirs)

    model.on_upload = a_successor_takes_over
    with pytest.raises(FencedError):
        work.begin(job)
    assert store.get() == theirs
    assert model.made == []


def test_the_moment_that_counts_is_that_of_the_last_send(
    bench: Bench, job: ActionJob, new_work: Callable[..., ModelWork]
) -> None:
    """A start that waited ten minutes for the rate limit and was then cut off may still take effect."""
    store, model = MemoryStore(), FakeModel()
    start = model.start

    def waits_then_dies(*args: Any, fence: Callable[[], None], **options: Any) -> str:
        fence()
        bench.clock.sleep(600)
        fence()
        raise KeyboardInterrupt

    model.start = waits_then_dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        new_work(store, model).begin(job)
    model.start = start  # type: ignore[method-assign]
    killed = bench.clock.now()
    new_work(store, model).begin(job)
    assert len(model.made) == 1
    assert bench.clock.now() - killed >= timedelta(seconds=model.request_timeout)


def test_an_unanswered_start_is_remembered_while_the_model_is_busy(
    bench: Bench, job: ActionJob, new_work: Callable[..., ModelWork]
) -> None:
    """Its task may appear as late as the model is free."""
    store, model = MemoryStore(), FakeModel(lose_request=True)
    ready = model.ensure_ready

    def busy() -> None:
        raise ModelBusyError("hanging", state="hanging")

    model.on_start = lambda: setattr(model, "ensure_ready", busy)
    with pytest.raises(ModelBusyError):
        new_work(store, model).begin(job)
    model.ensure_ready = ready  # type: ignore[method-assign]
    late = model.foreign()
    assert new_work(store, model).begin(job).task_id == late.task_id
    assert len(model.made) == 1
