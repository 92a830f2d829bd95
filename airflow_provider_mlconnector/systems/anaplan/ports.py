# SPDX-License-Identifier: Apache-2.0
"""What the Anaplan client needs from outside: a shared token, a shared budget, and a fence around the model.

The trail implements them for a deployment, :mod:`systems.anaplan.local` for a single process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from airflow_provider_mlconnector.systems.http.tokens import Token, TokenStore

__all__ = ["Budget", "Fence", "Token", "TokenStore", "no_fence"]


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
