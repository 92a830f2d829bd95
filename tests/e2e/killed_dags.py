# SPDX-License-Identifier: Apache-2.0
"""Closes and a plan with more tries than they are killed, each soon after the one before."""

from datetime import timedelta
from pathlib import Path

from airflow_provider_mlconnector.dags import flow_dags

dags = flow_dags(Path(__file__).parent / "killed")
for dag in dags.values():
    for task in dag.tasks:
        task.retries, task.retry_delay, task.retry_policy = 50, timedelta(seconds=2), None
globals().update(dags)
