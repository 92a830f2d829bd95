# SPDX-License-Identifier: Apache-2.0
"""What was asked of the systems: counts per system, method and path, in virtual time."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from airflow_provider_mlconnector.sandbox.clock import VirtualClock

_IDS = re.compile(r"[0-9A-Fa-f]{8}-?[0-9A-Fa-f-]{12,}|\d{3,}")


def path_template(path: str) -> str:
    """Return a path with its ids replaced by ``{id}``, such as ``/2/0/workspaces/{id}/models``."""
    return _IDS.sub("{id}", path)


@dataclass(slots=True)
class Request:
    """One request; ``at`` in virtual seconds since the epoch, ``status`` 0 while or when it got no answer."""

    at: float
    system: str
    method: str
    template: str
    status: int = 0


class Stats:
    """Every request that arrived, whatever became of it, and every login. Safe for threads."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._logins: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._most_in_flight: Counter[str] = Counter()

    def arrive(self, system: str, method: str, path: str) -> Request:
        """Count a request that arrived."""
        request = Request(self._clock.timestamp(), system, method, path_template(path))
        with self._lock:
            self._requests.append(request)
            self._in_flight[system] += 1
            self._most_in_flight[system] = max(self._most_in_flight[system], self._in_flight[system])
        return request

    def leave(self, request: Request) -> None:
        """Note that a request is over."""
        with self._lock:
            self._in_flight[request.system] -= 1

    def login(self, system: str) -> None:
        """Count a token that was handed out for credentials or a refresh."""
        with self._lock:
            self._logins[system] += 1

    def logins(self, system: str) -> int:
        """Return the number of tokens handed out."""
        return self._logins[system]

    def in_flight(self, system: str) -> int:
        """Return how many requests are under way."""
        return self._in_flight[system]

    def most_in_flight(self, system: str) -> int:
        """Return the largest number of requests that were under way at once."""
        return self._most_in_flight[system]

    def requests(self, system: str, *, method: str = "", path: str = "") -> list[Request]:
        """Return the requests to a system, in order of arrival; ``path`` is searched in the template."""
        with self._lock:
            return [
                request
                for request in self._requests
                if request.system == system and method in ("", request.method) and re.search(path, request.template)
            ]

    def count(self, system: str, *, method: str = "", path: str = "") -> int:
        """Return how many requests match."""
        return len(self.requests(system, method=method, path=path))

    def most_per_minute(self, system: str) -> int:
        """Return the largest number of requests within any 60 seconds of virtual time."""
        return busiest_window((request.at for request in self.requests(system)), 60.0)

    def clear(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self._requests.clear()
            self._logins.clear()
            self._most_in_flight.clear()

    def summary(self) -> dict[str, dict[str, object]]:
        """Return per system: requests, by ``METHOD template``, by status, logins, most per minute, most in flight."""
        systems = sorted({request.system for request in list(self._requests)} | set(self._logins))
        return {system: self._summary_of(system) for system in systems}

    def _summary_of(self, system: str) -> dict[str, object]:
        requests = self.requests(system)
        return {
            "requests": len(requests),
            "by_path": dict(Counter(f"{request.method} {request.template}" for request in requests)),
            "by_status": dict(Counter(str(request.status) for request in requests)),
            "logins": self.logins(system),
            "most_per_minute": self.most_per_minute(system),
            "most_in_flight": self.most_in_flight(system),
        }


def busiest_window(moments: Iterable[float], seconds: float) -> int:
    """Return the largest number of moments within any half-open window of that length."""
    ordered = sorted(moments)
    first = most = 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
