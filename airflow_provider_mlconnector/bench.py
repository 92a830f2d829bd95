# SPDX-License-Identifier: Apache-2.0
"""The pipeline's tools, as this deployment's configuration and connections say."""

from __future__ import annotations

import logging

from airflow_provider_mlconnector.hooks.trail import TrailHook
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.settings import load_settings
from airflow_provider_mlconnector.staging import open_stage
from airflow_provider_mlconnector.trail.leases import Leases

LOG = logging.getLogger("airflow_provider_mlconnector")


def open_bench() -> Bench:
    """Return trail, leases, staging area and log.

    :raises TrailError: when the trail was never set up, or its tables are of another version.
    """
    settings = load_settings()
    trail = TrailHook(settings.trail_conn_id).get_conn()
    return Bench(
        trail=trail,
        leases=Leases(trail.engine),
        stage=open_stage(settings),
        log=LOG,
        memory_limit=settings.memory_limit,
    )
