# SPDX-License-Identifier: Apache-2.0
"""What a read found besides its rows: on the trail, in the log, and in quarantine where it is about one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading
from airflow_provider_mlconnector.trail.records import EventKind, Reject, RejectKind

FINDINGS_NAMED = 100
FINDINGS_LOGGED = 20


@contextmanager
def noting_drift(bench: Bench, run_id: str, dataset: Dataset, reading: Reading) -> Iterator[None]:
    """Note, before the error goes on, what a read had found when a change of the ERP's columns ended it."""
    try:
        yield
    except SchemaDriftError as drift:
        kind = FindingKind.COLUMN_RETYPED if drift.retyped else FindingKind.COLUMN_MISSING
        note_findings(bench, run_id, dataset, [*reading.findings, Finding(kind, drift.column, drift.message)])
        raise


def note_findings(bench: Bench, run_id: str, dataset: Dataset, findings: Sequence[Finding]) -> None:
    """Put what a read found on the trail and into the log; a row that could not be read is quarantined."""
    if not findings:
        return
    for finding in findings[:FINDINGS_LOGGED]:
        bench.log.warning("%s: %s %s: %s", dataset, finding.kind, finding.subject, finding.detail)
    if len(findings) > FINDINGS_LOGGED:
        bench.log.warning("%s: %d findings more; see the trail.", dataset, len(findings) - FINDINGS_LOGGED)
    named = [
        {"kind": finding.kind, "subject": finding.subject, "detail": finding.detail}
        for finding in findings[:FINDINGS_NAMED]
    ]
    detail = {"dataset": dataset, "count": len(findings), "findings": named}
    bench.trail.record(run_id, EventKind.FINDING, detail)
    bench.trail.add_rejects(
        run_id,
        (
            Reject(
                kind=RejectKind.QUARANTINED,
                dataset=dataset,
                record_id=finding.subject,
                reason=finding.detail,
            )
            for finding in findings
            if finding.kind is FindingKind.ROW_INVALID
        ),
    )
