# SPDX-License-Identifier: Apache-2.0
"""Rows that Anaplan refused or warned about, from its failure dumps onto the trail, for actions outside a flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.systems.anaplan.dumps import RowStatus, read_dump
from airflow_provider_mlconnector.trail.records import Reject, RejectKind

if TYPE_CHECKING:
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.modelwork import Finished


def note_rejects(bench: Bench, run_id: str, action: str, finished: Finished) -> None:
    """Put the rows of all dumps on the trail, with Anaplan's reasons."""
    bench.trail.add_rejects(run_id, _rejects(bench, action, finished))


def _rejects(bench: Bench, action: str, finished: Finished) -> Iterator[Reject]:
    for dump in finished.dumps:
        for row in read_dump(bench.stage.fetch(dump.file)):
            yield Reject(
                kind=RejectKind.REJECTED if row.status is RowStatus.REJECTED else RejectKind.WARNED,
                dataset="",
                import_name=dump.object_id or action,
                line=row.line - 1,
                reason="; ".join(row.errors),
                values=dict(zip(row.columns, row.values, strict=False)),
            )
