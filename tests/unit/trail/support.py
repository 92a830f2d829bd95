# SPDX-License-Identifier: Apache-2.0
"""What the trail's tests share: a clock that stands still, real processes, and records to work with."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from typing import Any

from airflow_provider_mlconnector.trail.records import (
    BookFile,
    BookScope,
    CellScope,
    Reject,
    RejectKind,
    RunRef,
    StagedFile,
)

DAY = 86_400.0
FLOW = "larkfield_close"
BOOK = BookScope(flow=FLOW, company="LARKFIELD", dataset="journal_lines", period="FY2026-P05")
CELLS = CellScope(flow=FLOW, import_name="Load GL Actuals", period="FY2026-P05")


def run_ref(run_id: str = "r1", flow: str = FLOW) -> RunRef:
    return RunRef(run_id=run_id, flow=flow, period="FY2026-P05", mode="whole")


def staged(key: str, content: str = "") -> StagedFile:
    return StagedFile(key=key, sha256=(content or key).encode().hex()[:64].ljust(64, "0"), size=len(key))


def book_file(key: str, batch_id: str = "b1", seq: int = 1) -> BookFile:
    return BookFile(file=staged(key), batch_id=batch_id, seq=seq, rows=10)


def reject(record_id: str = "e-1", kind: RejectKind = RejectKind.REJECTED) -> Reject:
    return Reject(
        kind=kind,
        dataset="journal_lines",
        import_name="Load GL Actuals",
        line=1,
        record_id=record_id,
        cell={"Account": "10100"},
        amount="12345678901234567.89",
        reason="no member 10100",
        values={"Amount": "12345678901234567.89"},
    )


def in_processes(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run ``work(number)`` in that many forked processes that begin together, and return what each returned."""
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(count), context.Queue()

    def run(number: int) -> None:
        gate.wait(30)
        try:
            results.put((number, work(number), None))
        except BaseException:
            results.put((number, None, traceback.format_exc()))

    processes = [context.Process(target=run, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    answers = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
    failures = [failure for _, _, failure in answers if failure]
    assert not failures, failures[0]
    return [answer for _, answer, _ in answers]
