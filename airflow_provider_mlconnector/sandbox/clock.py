# SPDX-License-Identifier: Apache-2.0
"""Virtual time: real time plus an offset, so that a test may let a token expire without waiting for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Aware UTC time that can be moved forward and stopped. Reading it never blocks; each change is one assignment."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._frozen_at: datetime | None = None

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._frozen_at or datetime.now(UTC) + self._offset

    def timestamp(self) -> float:
        """Return the virtual time in seconds since the epoch."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> datetime:
        """Move the time forward and return it; a stopped clock stays stopped."""
        step = timedelta(seconds=seconds)
        if self._frozen_at is not None:
            self._frozen_at += step
        else:
            self._offset += step
        return self.now()

    def freeze(self, at: datetime | None = None) -> datetime:
        """Stop the time, at a moment or now, and return it."""
        self._frozen_at = at or self.now()
        return self._frozen_at

    def unfreeze(self) -> datetime:
        """Let the time run on from where it stands."""
        if self._frozen_at is not None:
            self._offset = self._frozen_at - datetime.now(UTC)
            self._frozen_at = None
        return self.now()
