# SPDX-License-Identifier: Apache-2.0
"""Clocks on which nobody waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK
from airflow_provider_mlconnector.sandbox.state import World

START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


class StandingClock:
    """Time moves only when somebody waits or advances it."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    advance = sleep


class QuickClock:
    """Waiting moves a sandbox's clock on instead, so that both sides agree on the time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def monotonic(self) -> float:
        return self._world.clock.now().timestamp()

    def now(self) -> datetime:
        return self._world.clock.now()

    def sleep(self, seconds: float) -> None:
        self._world.clock.advance(seconds)
        SYSTEM_CLOCK.sleep(0.001)
