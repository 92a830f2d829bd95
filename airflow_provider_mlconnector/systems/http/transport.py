# SPDX-License-Identifier: Apache-2.0
"""How requests travel, whatever system they go to: told once, by the deployment, and handed down to every session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.systems.http.retry import DEFAULT_POLICY, RetryPolicy

Timeout = tuple[float, float]
"""Seconds to connect, and seconds without a byte from the server."""

CONNECT_TIMEOUT = 10.0
LOGIN_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How requests travel: by which clock, how often, through which proxies, to whom, and with how much patience.

    :param proxies: by scheme, as ``requests`` takes them.
    :param verify: True, or the file of CA certificates that servers are verified with.
    :param read_timeout: seconds without a byte from the server.
    """

    clock: Clock = SYSTEM_CLOCK
    retry: RetryPolicy = DEFAULT_POLICY
    proxies: Mapping[str, str] = field(default_factory=dict)
    verify: bool | str = True
    read_timeout: float = 300.0

    @property
    def timeout(self) -> Timeout:
        """Both time-outs of a request."""
        return CONNECT_TIMEOUT, self.read_timeout

    def to_login(self) -> Transport:
        """Return the same for a login service, which has nothing to compute before it answers."""
        return replace(self, read_timeout=LOGIN_TIMEOUT)


DIRECT = Transport()
"""Without proxies, as patient as is usual."""
