# SPDX-License-Identifier: Apache-2.0
"""A worker process that uploads a file and starts its import under a lease of a few seconds, and tells how it went."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK
from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.pipeline import leasing
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.stage import LocalStage
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind
from airflow_provider_mlconnector.systems.anaplan.uploads import MEGABYTE
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.store import Trail
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fake_model import MemoryStore
from tests.unit.pipeline.sandbox_close import open_anaplan

IMPORT = "Load Journal Lines"
LEASE_SECONDS = 1.0


class HastyModel(AnaplanModel):
    """A model into which files go in chunks of a megabyte, the smallest there are, and soon or not at all."""

    request_timeout = LEASE_SECONDS

    def __init__(self, model: AnaplanModel) -> None:
        super().__init__(model.ref, model._api)
        self.upload = partial(model.upload, chunk_bytes=MEGABYTE)  # type: ignore[method-assign]


@dataclass(frozen=True)
class Place:
    """Where the processes of a deployment meet: the sandbox, the trail and the staging area."""

    info: dict[str, Any]
    trail_url: str
    stage: Path
    run_id: str


@contextmanager
def bench_at(place: Place) -> Iterator[Bench]:
    """Open the tools of one process."""
    trail = Trail(place.trail_url)
    yield Bench(trail, Leases(trail.engine), LocalStage(place.stage), logging.getLogger("uploader"))
    trail.close()


def work_at(place: Place, bench: Bench, owner: str) -> ModelWork:
    """Return what one task does in the model."""
    model = HastyModel(open_anaplan(SandboxControl(place.info), SYSTEM_CLOCK))
    deadline = SYSTEM_CLOCK.now().timestamp() + 600
    return ModelWork(
        bench, model, owner=owner, store=MemoryStore(), generation=0, run_id=place.run_id, deadline=deadline
    )


def upload_and_start(place: Place, file: Path, told: Connection) -> None:
    """Send the file and start its import; tell the class of the error that ended it, or "started"."""
    leasing.LEASE_SECONDS = LEASE_SECONDS
    with bench_at(place) as bench:
        work = work_at(place, bench, "uploader")
        found = work.model.resolve(Kind.IMPORT, IMPORT)
        source = work.model.import_source(found.id)
        try:
            work.begin(ActionJob(ActionKind.IMPORT, found.id, upload=(str(source.file_id), file), fingerprint="f"))
            told.send("started")
        except MlconnectorError as error:
            told.send(type(error).__name__)
