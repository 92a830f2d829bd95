# SPDX-License-Identifier: Apache-2.0
"""Token store and budget of a single process: for scripts, tests and the command line."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import timedelta

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.systems.anaplan.ports import Token

MINUTE = 60.0


class LocalTokenStore:
    """Keeps tokens in memory; one thread at a time makes a new one, the others wait for it."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._refresh_tokens: dict[str, str] = {}

    def token(
        self, key: str, *, fresh: Callable[[Token | None, str | None], tuple[Token, str | None]], early: float
    ) -> Token:
        """Return a token that lives for at least ``early`` more seconds."""
        with self._lock:
            last = self._tokens.get(key)
            if last and last.expires_at - self._clock.now() > timedelta(seconds=early):
                return last
            token, rotated = fresh(last, self._refresh_tokens.get(key))
            if rotated:
                self._refresh_tokens[key] = rotated
            self._tokens[key] = token
            return token

    def reject(self, key: str, value: str) -> None:
        """Forget a token that the server refused, unless a newer one is there already."""
        with self._lock:
            token = self._tokens.get(key)
            if token and token.value == value:
                del self._tokens[key]

    def put_refresh_token(self, key: str, refresh_token: str) -> None:
        """Remember a refresh token; a token of the one before is not used any more."""
        with self._lock:
            self._refresh_tokens[key] = refresh_token
            self._tokens.pop(key, None)


class LocalBudget:
    """Keeps any sliding minute within ``per_minute - reserve`` requests; the reserve is left to people."""

    def __init__(self, *, per_minute: int = 600, reserve: int = 60, clock: Clock = SYSTEM_CLOCK) -> None:
        self._most = per_minute - reserve
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)
        self._paused: dict[str, float] = {}

    def take(self, key: str) -> float:
        """Take one request and return 0, or return the seconds to wait before asking again."""
        with self._lock:
            now = self._clock.monotonic()
            if now < self._paused.get(key, now):
                return self._paused[key] - now
            taken = self._taken[key]
            while taken and taken[0] + MINUTE <= now:
                taken.popleft()
            if len(taken) >= self._most:
                return taken[0] + MINUTE - now
            taken.append(now)
            return 0.0

    def pause(self, key: str, seconds: float) -> None:
        """Let nobody send before that time."""
        with self._lock:
            self._paused[key] = max(self._paused.get(key, 0.0), self._clock.monotonic() + seconds)
