# SPDX-License-Identifier: Apache-2.0
"""When a failed task is worth another try, decided by the class of its error."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from airflow_provider_mlconnector.errors import MlconnectorError

if TYPE_CHECKING:
    from airflow.sdk import Context


class RemoteRetryPolicy(RetryPolicy):
    """Fails at once what no repetition can cure; else waits, with full jitter, longer from try to try.

    A server that named its own wait (``Retry-After``) is obeyed. Errors of other packages follow the task's settings.

    :param first: longest wait before the second try, in seconds; it doubles with each further one.
    :param longest: no wait is longer.
    """

    def __init__(self, first: float = 30.0, longest: float = 900.0) -> None:
        self.first = first
        self.longest = longest

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide on the live exception, in the worker."""
        if not isinstance(exception, MlconnectorError):
            return RetryDecision.default()
        if not exception.retryable:
            return RetryDecision.fail(str(exception))
        return RetryDecision.retry(timedelta(seconds=self.wait(exception, try_number)), str(exception))

    def wait(self, error: MlconnectorError, try_number: int) -> float:
        """Return the seconds to wait before the next try."""
        asked = getattr(error, "retry_after", None) or 0.0
        ceiling = min(self.longest, self.first * 2 ** max(0, try_number - 1))
        return float(asked + random.uniform(1.0, ceiling))  # noqa: S311 - spreads load, keeps no secret

    def serialize(self) -> dict[str, Any]:
        """Return the parameters."""
        return {"first": self.first, "longest": self.longest}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RemoteRetryPolicy:
        """Read what :meth:`serialize` wrote."""
        return cls(**data)


REMOTE_RETRIES = RemoteRetryPolicy()
