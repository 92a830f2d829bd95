# SPDX-License-Identifier: Apache-2.0
"""When a request is worth sending again, and how long to wait before."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from airflow_provider_mlconnector.errors import (
    LostAnswerError,
    MlconnectorError,
    RateLimitedError,
    ServerError,
    TransportError,
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a session is. Waits are in seconds.

    A 429 is no failure: the server did nothing and says when to come back. It is bounded by time, not by tries, so that
    a burst of refusals cannot use up the tries of one request.

    :param attempts: how often a request is sent before its failure is final.
    :param base: upper end of the first wait; each further one is twice as long, up to ``cap``.
    :param throttle_wait: the wait after a 429 that does not name one.
    :param patience: how long one request waits for 429s in all.
    :param uniform: draws a number between two; the jitter.
    """

    attempts: int = 6
    base: float = 0.5
    cap: float = 60.0
    throttle_wait: float = 10.0
    patience: float = 900.0
    uniform: Callable[[float, float], float] = random.uniform

    def backoff(self, failures: int, asked: float | None) -> float:
        """Return the wait after that many failures, with full jitter, never below what the server asked for."""
        ceiling = min(self.cap, self.base * 2.0 ** (failures - 1))
        return max(self.uniform(0.0, ceiling), asked or 0.0)

    def throttled(self, asked: float | None) -> float:
        """Return the wait after a 429: what was asked for and a little more, so that not all come back at once."""
        return (self.throttle_wait if asked is None else asked) + self.uniform(0.0, self.base)


DEFAULT_POLICY = RetryPolicy()


class Attempts:
    """The tries of one request."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._throttled = 0.0

    def wait_after(self, error: MlconnectorError, *, asked: float | None, repeatable: bool) -> float | None:
        """Return the seconds to wait before the next try, or None when the error is final.

        :param asked: the wait that the server asked for.
        :param repeatable: the request may take effect twice without harm.
        """
        if isinstance(error, RateLimitedError):
            wait = self._policy.throttled(asked)
            self._throttled += wait
            return wait if self._throttled <= self._policy.patience else None
        worth_it = isinstance(error, TransportError) or (repeatable and isinstance(error, ServerError))
        if not worth_it or isinstance(error, LostAnswerError):
            return None
        self._failures += 1
        return self._policy.backoff(self._failures, asked) if self._failures < self._policy.attempts else None


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a ``Retry-After`` header: seconds, or an HTTP date (RFC 9110 §10.2.3). None when absent or unreadable."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    moment = http_date(value)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def http_date(value: str | None) -> datetime | None:
    """Read a date of a header (RFC 9110 §5.6.7), aware; None when absent or unreadable."""
    try:
        moment = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
