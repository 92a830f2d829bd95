# SPDX-License-Identifier: Apache-2.0
"""Forty chunks into a sandbox that refuses and fails: nothing is lost, or nothing is imported."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK
from airflow_provider_mlconnector.errors import ServerError
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.modelwork import Finished, ModelWork
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind
from airflow_provider_mlconnector.systems.anaplan.uploads import MEGABYTE
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.fake_model import MemoryStore
from tests.unit.pipeline.sandbox_close import SandboxClose, open_anaplan

IMPORT = "Load Journal Lines"
CHUNKS = 40
BURST = 40
LINE_BYTES = 1024
LINES = CHUNKS * MEGABYTE // LINE_BYTES - 1
HEADER = (
    "id,entryNumber,postingDate,documentNumber,documentType,accountNumber,description,debitAmount,creditAmount,"
    "lastModifiedDateTime,department,project\n"
)


class SmallChunks(AnaplanModel):
    """A model into which files go in chunks of a megabyte, the smallest there are."""

    def __init__(self, model: AnaplanModel) -> None:
        super().__init__(model.ref, model._api)
        self.upload = partial(model.upload, chunk_bytes=MEGABYTE)  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines of a kilobyte each that fill forty chunks."""
    path = tmp_path_factory.mktemp("journal") / "journal.csv"
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(HEADER)
        for number in range(1, LINES + 1):
            before = f"{number:08d},{number},2026-11-20,G{number},Invoice,6100,"
            after = f",{number}.01,0.00,2026-11-20T10:00:00Z,ADM,\n"
            file.write(before + "x" * (LINE_BYTES - len(before) - len(after)) + after)
    assert -(-path.stat().st_size // MEGABYTE) == CHUNKS
    return path


@pytest.fixture
def send(closing: Callable[[str], SandboxClose], control: SandboxControl, journal: Path) -> Callable[[], Finished]:
    """Upload the journal and import it, as a load does."""
    close = closing("FY2026-P05")
    run = close.open_run("whole")
    model = SmallChunks(open_anaplan(control, SYSTEM_CLOCK, ref=close.model.ref))  # threads wait: in real time
    found = model.resolve(Kind.IMPORT, IMPORT)
    source = model.import_source(found.id)

    def work() -> Finished:
        deadline = close.bench.clock.now().timestamp() + 7200
        work = ModelWork(
            close.bench, model, owner="journal", store=MemoryStore(), generation=0, run_id=run.run_id, deadline=deadline
        )
        try:
            ref = work.begin(
                ActionJob(ActionKind.IMPORT, found.id, upload=(str(source.file_id), journal), fingerprint="journal")
            )
            return work.finish(ref, run_to_end(work, ref, close.bench.clock))
        finally:
            work.release()
            assert close.bench.leases.all() == []

    return work


@pytest.fixture(autouse=True)
def no_faults(control: SandboxControl) -> Any:
    yield
    control.clear_faults()


def refuse(control: SandboxControl, path: str, status: int, **options: Any) -> None:
    control.fault("status", f"/files/.*{path}", method="PUT", status=status, system="anaplan", **options)


def records(control: SandboxControl) -> dict[str, Any]:
    return dict(control.call("GET", "/anaplan/records"))


def test_an_upload_that_cannot_finish_fails_and_starts_no_import(
    send: Callable[[], Finished], control: SandboxControl
) -> None:
    refuse(control, "/chunks/13$", 500, times=None)
    before = records(control)
    with pytest.raises(ServerError):
        send()
    assert control.starts().get(IMPORT, 0) == 0
    assert records(control) == before


def test_a_burst_of_429_and_a_repeated_500_lose_nothing(send: Callable[[], Finished], control: SandboxControl) -> None:
    refuse(control, "/chunks/7$", 500, times=4)
    refuse(control, "/chunks/", 429, times=BURST, headers={"Retry-After": "0"})
    finished = send()
    hits = [fault["hits"] for fault in control.call("GET", "/faults")]
    assert hits == [4, BURST]
    assert (finished.outcome.sent, finished.outcome.rejected) == (LINES, 0)
    told = records(control)
    assert told["rows"] == LINES
    assert Decimal(told["debitAmount"]) == LINES * (LINES + 1) // 2 + Decimal("0.01") * LINES
    assert control.starts()[IMPORT] == 1
