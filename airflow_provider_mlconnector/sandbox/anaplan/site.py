# SPDX-License-Identifier: Apache-2.0
"""One tenant of Anaplan: its people, their tokens, the rate limit and the model."""

from __future__ import annotations

import math
import tempfile
import threading
import weakref
from pathlib import Path

from airflow_provider_mlconnector.sandbox.anaplan.hub import Hub
from airflow_provider_mlconnector.sandbox.anaplan.identity.certificates import CertificateDesk, make_key_pair
from airflow_provider_mlconnector.sandbox.anaplan.identity.grants import Clients, Grants
from airflow_provider_mlconnector.sandbox.anaplan.identity.people import make_people
from airflow_provider_mlconnector.sandbox.anaplan.identity.sessions import Sessions
from airflow_provider_mlconnector.sandbox.anaplan.ids import Seeded
from airflow_provider_mlconnector.sandbox.anaplan.switches import Switches
from airflow_provider_mlconnector.sandbox.clock import VirtualClock
from airflow_provider_mlconnector.sandbox.state import World

SYSTEM = "anaplan"


class TokenBucket:
    """The tenant's requests: a full bucket of a minute's worth, refilled evenly. Safe for threads."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._filled_at = clock.timestamp()
        self._level = math.inf

    def take(self, per_minute: int) -> float:
        """Take one request and return 0, or return the seconds until there is one."""
        if not per_minute:
            return 0.0
        now, pace = self._clock.timestamp(), per_minute / 60
        with self._lock:
            self._level = min(per_minute, self._level + (now - self._filled_at) * pace)
            self._filled_at = now
            if self._level < 1:
                return (1 - self._level) / pace
            self._level -= 1
            return 0.0


class Site:
    """Everything that the sandbox's Anaplan knows. Its files live in a temporary folder of its own."""

    def __init__(self, world: World) -> None:
        seeded = Seeded(world.seed)
        folder = tempfile.TemporaryDirectory(prefix="mlconnector-anaplan-")
        weakref.finalize(self, folder.cleanup)
        self.clock = world.clock
        self.stats = world.stats
        self.switches = Switches()
        self.people = make_people(seeded)
        self.sessions = Sessions(world.clock)
        self.key_pair = make_key_pair(self.people.integration.email, world.clock.now())
        self.certificates = CertificateDesk(self.key_pair, world.clock)
        self.grants = Grants(Clients.make(seeded), world.clock)
        self.bucket = TokenBucket(world.clock)
        self.hub = Hub(seeded, Path(folder.name), world.clock, lambda: self.switches)


def site_of(world: World) -> Site:
    """Return the world's Anaplan, made when it is first asked for."""
    return world.state(SYSTEM, lambda: Site(world))
