# SPDX-License-Identifier: Apache-2.0
"""What the Anaplan client needs from outside: a shared token, a shared budget, and a fence around the model.

The trail implements them for a deployment, :mod:`systems.anaplan.local` for a single process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as Anaplan gave it; ``scheme`` is ``AnaplanAuthToken`` or ``Bearer``."""

    value: str = field(repr=False)
    expires_at: datetime
    scheme: str = "AnaplanAuthToken"


class TokenStore(Protocol):
    """Keeps one token per login for the whole deployment."""

    def token(
        self, key: str, *, fresh: Callable[[Token | None, str | None], tuple[Token, str | None]], early: float
    ) -> Token:
        """Return a token that lives for at least ``early`` more seconds, made by one holder at a time.

        :param key: fingerprint of host and login; never a secret itself.
        :param fresh: logs in or refreshes; takes the last token and the stored refresh token, returns new ones. A
            rotated refresh token is stored durably before the access token is handed out.
        """

    def reject(self, key: str, value: str) -> None:
        """Forget a token that the server refused, unless a newer one is stored already."""

    def put_refresh_token(self, key: str, refresh_token: str) -> None:
        """Store a refresh token that a person obtained by ``airflow mlconnector login``."""


class Budget(Protocol):
    """The tenant's requests per minute, shared by all processes."""

    def take(self, key: str) -> float:
        """Take one request and return 0, or return the seconds to wait before asking again."""

    def pause(self, key: str, seconds: float) -> None:
        """Let nobody send before that time: the server said so."""


Fence = Callable[[], None]
"""Called before every request that changes the model; raises FencedError when the model's lease is no longer ours.

An upload calls it from several threads, one at a time."""


def no_fence() -> None:
    """Guard nothing, for work outside a lease."""
