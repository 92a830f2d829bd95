# SPDX-License-Identifier: Apache-2.0
"""Access tokens, and what keeps one of them for a whole deployment.

The trail's vault implements the store for a deployment, a local one for a single process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as the server gave it; ``scheme`` is the word before it in the Authorization header."""

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
