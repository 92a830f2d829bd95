# SPDX-License-Identifier: Apache-2.0
"""Runs of a DAG, asked for and watched through Airflow's REST API."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import requests

from airflow_provider_mlconnector.demo.stack import AirflowStack

_POLL_SECONDS = 1.0
_PARSE_SECONDS = 90.0
OVER = frozenset({"success", "failed"})
ASKED_FOR = frozenset({"manual", "backfill"})
"""Kinds of runs that a person starts; an unpaused DAG starts others by its schedule."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; ``kind`` is ``manual``, ``backfill`` or ``scheduled``, ``tasks`` counts its tasks by state."""

    dag_id: str
    run_id: str
    kind: str
    period: str
    state: str
    tasks: Counter[str]

    @property
    def done(self) -> int:
        """Return the number of tasks that are over."""
        return sum(self.tasks[state] for state in ("success", "failed", "upstream_failed", "skipped"))


class Dag:
    """One DAG of a stack."""

    def __init__(self, stack: AirflowStack, dag_id: str) -> None:
        self._stack = stack
        self.dag_id = dag_id

    def wait_parsed(self) -> None:
        """Wait until Airflow knows the DAG.

        :raises RuntimeError: when it does not in time; the text holds the import errors.
        """
        deadline = time.monotonic() + _PARSE_SECONDS
        while time.monotonic() < deadline:
            try:
                self._stack.api("GET", f"/dags/{self.dag_id}")
            except requests.HTTPError:
                time.sleep(_POLL_SECONDS)
            else:
                return
        errors = self._stack.api("GET", "/importErrors")["import_errors"]
        raise RuntimeError(f"Airflow does not know the DAG {self.dag_id}: {errors}")

    def pause(self) -> None:
        """Let no more runs start."""
        self._stack.api("PATCH", f"/dags/{self.dag_id}", {"is_paused": True})

    def unpause(self) -> None:
        """Let runs start."""
        self._stack.api("PATCH", f"/dags/{self.dag_id}", {"is_paused": False})

    def trigger(self, period: str, **conf: Any) -> str:
        """Ask for a run of one period and return its id."""
        body = {"logical_date": None, "partition_key": period, "conf": conf}
        return str(self._stack.api("POST", f"/dags/{self.dag_id}/dagRuns", body)["dag_run_id"])

    def backfill(self, first: date, last: date, reprocess: str = "none") -> int:
        """Ask for all periods that start between two days and return the backfill's id."""
        body = {
            "dag_id": self.dag_id,
            "from_date": f"{first}T00:00:00Z",
            "to_date": f"{last}T00:00:00Z",
            "reprocess_behavior": reprocess,
            "max_active_runs": 2,
        }
        return int(self._stack.api("POST", "/backfills", body)["id"])

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, oldest first."""
        found = self._stack.api("GET", f"/dags/{self.dag_id}/dagRuns?limit=100&order_by=id")["dag_runs"]
        return list(found)

    def progress(self) -> list[Progress]:
        """Return how far each run is."""
        return [self._progress(run) for run in self.runs()]

    def xcom(self, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Return what a task returned, or pushed under another key."""
        path = f"/dags/{self.dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self._stack.api("GET", f"{path}?deserialize=false&stringify=false")["value"]

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """Return a run's task instances."""
        found = self._stack.api("GET", f"/dags/{self.dag_id}/dagRuns/{run_id}/taskInstances?limit=200")
        return list(found["task_instances"])

    def _progress(self, run: dict[str, Any]) -> Progress:
        run_id = str(run["dag_run_id"])
        states = Counter(str(task["state"] or "waiting") for task in self.tasks(run_id))
        return Progress(self.dag_id, run_id, str(run["run_type"]), str(run["partition_key"]), str(run["state"]), states)


def wait_for_runs(
    dags: Sequence[Dag], count: int, seconds: float, show: Callable[[Sequence[Progress]], None]
) -> dict[str, list[Progress]]:
    """Wait until each DAG has so many runs that somebody asked for, all of them over; return them by DAG.

    :raises RuntimeError: when they are not in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = {dag.dag_id: [run for run in dag.progress() if run.kind in ASKED_FOR] for dag in dags}
        everyone = [run for runs in found.values() for run in runs]
        show(everyone)
        if all(len(runs) >= count for runs in found.values()) and all(run.state in OVER for run in everyone):
            return found
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"The runs of {', '.join(dag.dag_id for dag in dags)} were not over after {seconds:.0f} s.")
