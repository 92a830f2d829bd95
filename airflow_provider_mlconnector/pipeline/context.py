# SPDX-License-Identifier: Apache-2.0
"""What every step works with: the trail, the leases, the staging area, a clock and a log."""

from __future__ import annotations

from dataclasses import dataclass
from logging import Logger
from pathlib import Path
from typing import Any, Protocol

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.pipeline.stage import Stage
from airflow_provider_mlconnector.systems.anaplan.definitions import Members
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.store import Trail


@dataclass(frozen=True, slots=True)
class Bench:
    """The tools of one process.

    :param memory_limit: what the query engine may hold in memory before it spills to the staging area's scratch folder.
    :param threads: threads of the query engine.
    """

    trail: Trail
    leases: Leases
    stage: Stage
    log: Logger
    clock: Clock = SYSTEM_CLOCK
    memory_limit: str = "512MB"
    threads: int = 2


class JobStore(Protocol):
    """One JSON object that outlives the process, kept for a task over all of its tries."""

    def get(self) -> dict[str, Any] | None:
        """Return the object as it was last set."""

    def set(self, record: dict[str, Any]) -> None:
        """Keep the object, durably, before returning."""


class ModelReader(Protocol):
    """What the steps read from the model while they do not hold its lease."""

    def members(self, list_name: str) -> Members:
        """Return the members of a list, by name or id."""

    def view_cells(self, view_name: str, target: Path) -> Path:
        """Write a saved view as CSV, one line per cell and a header of dimension and line item names."""
