# SPDX-License-Identifier: Apache-2.0
"""What the tests of the second step share."""

from __future__ import annotations

from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from tests.unit.pipeline.support import csv_rows, parquet_rows

CENTRES = crosswalk(
    "centres.csv",
    [
        Rule(MatchKind.EXACT, "SALES", "CC200", line=2),
        Rule(MatchKind.PREFIX, "PR", "CC300", line=3),
        Rule(MatchKind.EXACT, "", "NONE", line=4),
    ],
)


def lines(bench: Bench, done: PreparedManifest) -> list[dict[str, str]]:
    """Return the lines of the import file."""
    return csv_rows(bench, done.file)


def problems(bench: Bench, done: PreparedManifest) -> dict[str, str]:
    """Return why rows are held back, by record."""
    return {row[":record"]: row[":problem"] for row in parquet_rows(bench, done.quarantine)}
