# SPDX-License-Identifier: Apache-2.0
"""Access tokens: 35 minutes from their issue or refresh, on the virtual clock."""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

LIFE_SECONDS = 2100


@dataclass(slots=True)
class Session:
    """A token in force; ``value`` is what the client sends."""

    user: User
    value: str
    token_id: str
    refresh_id: str
    expires_at: datetime

    @property
    def expires_ms(self) -> int:
        """Return the end of its life in milliseconds since the epoch."""
        return int(self.expires_at.timestamp() * 1000)


class Sessions:
    """All tokens that were handed out and not revoked. Safe for threads."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_value: dict[str, Session] = {}

    def issue(self, user: User) -> Session:
        """Make a new token."""
        session = Session(user, secrets.token_urlsafe(48), str(uuid.uuid4()), str(uuid.uuid4()), self._end())
        with self._lock:
            self._by_value[session.value] = session
        return session

    def find(self, value: str) -> Session | None:
        """Return the session of a token, unless it is over."""
        with self._lock:
            session = self._by_value.get(value)
        return session if session and session.expires_at > self._clock.now() else None

    def refresh(self, session: Session, *, new_value: bool) -> Session:
        """Give a token its full life again; with a new value the old one is dead."""
        with self._lock:
            session.expires_at = self._end()
            if new_value:
                del self._by_value[session.value]
                session.value = secrets.token_urlsafe(48)
                self._by_value[session.value] = session
        return session

    def revoke(self, value: str) -> None:
        """End a token."""
        with self._lock:
            self._by_value.pop(value, None)

    def revoke_all(self) -> int:
        """End every token and return how many there were."""
        with self._lock:
            count = len(self._by_value)
            self._by_value.clear()
            return count

    def _end(self) -> datetime:
        return self._clock.now() + timedelta(seconds=LIFE_SECONDS)
