# SPDX-License-Identifier: Apache-2.0
"""How the requests of this deployment travel: what its administrator decided, for every system alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.settings import load_settings

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.http.transport import Transport


def deployed_transport(clock: Clock = SYSTEM_CLOCK, *, at_least: float = 0.0) -> Transport:
    """Return the proxies, certificates and patience of the deployment.

    :param at_least: seconds of silence that a system needs, whatever the deployment bears.
    """
    from airflow_provider_mlconnector.systems.http.transport import Transport

    settings = load_settings()
    patience = max(settings.read_timeout, at_least)
    return Transport(clock=clock, proxies=settings.proxies, verify=settings.verify, read_timeout=patience)
