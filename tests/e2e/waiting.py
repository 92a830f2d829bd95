# SPDX-License-Identifier: Apache-2.0
"""Waiting for a real Airflow: long enough for a slow machine, and not a moment longer than needed."""

import time

import pytest

from airflow_provider_mlconnector.demo.watching import OVER

MINUTES = 60


def wait_until(condition, seconds: float = 5 * MINUTES, what: str = "it"):
    """Return what the condition gives once that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")


def run_of(dag, run_id: str):
    """Return how far a run is."""
    return next(run for run in dag.progress() if run.run_id == run_id)


def wait_for(dag, run_id: str, seconds: float = 5 * MINUTES):
    """Return a run that is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run = run_of(dag, run_id)
        if run.state in OVER:
            return run
        time.sleep(1)
    pytest.fail(f"{run_id} is not over: {dag.tasks(run_id)}")
