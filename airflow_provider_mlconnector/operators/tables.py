# SPDX-License-Identifier: Apache-2.0
"""Tables as lines of a task's log, and the reconcile table among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_mlconnector.pipeline.manifests import DatasetCheck, ReconcileReport

NOT_CHECKED = "not checked"
_SUMMARY = ("import", "read", "accepted", "quarantined", "left out", "loaded", "rejected", "ERP", "model", "difference")


def report_lines(report: ReconcileReport) -> Iterator[str]:
    """Yield the close in one table, then every figure with its source, then what does not agree."""
    yield f"Close of {report.run.period} ({report.run.flow}): {'the books agree' if report.agrees else 'DIFFERENCES'}"
    yield from aligned([_SUMMARY, *(_summary_row(check) for check in report.checks)])
    for check in report.checks:
        yield f"{check.dataset} into {check.import_name}"
        yield from aligned(
            [(f"  {one.name}", NOT_CHECKED if one.value is None else one.value, one.source) for one in check.figures]
        )
    for problem in report.problems:
        yield f"! {problem}"


def _summary_row(check: DatasetCheck) -> tuple[str, ...]:
    told = check.summary
    rows = (told.rows_read, told.rows_accepted, told.rows_quarantined, told.rows_left_out)
    checked = (told.loaded, told.rejected, told.erp_total, told.model_total, told.difference)
    return (check.import_name, *map(str, rows), *(NOT_CHECKED if one is None else str(one) for one in checked))


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows as columns: the first and any text to the left, numbers to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = (
            text.rjust(width) if at > 0 and _is_number(text) else text.ljust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text[:1] == "-"
