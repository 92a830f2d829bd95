# SPDX-License-Identifier: Apache-2.0
"""How errors of the work become outcomes of an Airflow task: fail for good, try again, or leave and come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException

from airflow_provider_mlconnector.errors import (
    DeadlineError,
    LeaseTakenError,
    MlconnectorError,
    ModelBusyError,
    RateLimitedError,
)
from airflow_provider_mlconnector.trail.records import EventKind

if TYPE_CHECKING:
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.systems.anaplan.tasks import Outcome

_SHORTEST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(minutes=5)
_WAITED_FOR = (LeaseTakenError, ModelBusyError, RateLimitedError)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a task waits for the model: from when it first ran, over all tries and repetitions, to its deadline."""

    bench: Bench
    run_id: str
    began: datetime
    deadline: datetime

    def leave(self, error: MlconnectorError) -> NoReturn:
        """Give worker and pool slot back and come again, a while later from time to time; the wait is on the trail.

        :raises AirflowRescheduleException: while there is time; it costs no try.
        :raises DeadlineError: when there is none left.
        """
        now = self.bench.clock.now()
        asked = timedelta(seconds=getattr(error, "retry_after", None) or 0.0)
        wait = max(min(max((now - self.began) / 4, _SHORTEST_WAIT), _LONGEST_WAIT), asked)
        if now + wait > self.deadline:
            raise DeadlineError(
                f"Waited in vain for {self.waited(now)}: {error.message}",
                hint="Clear the task when the model is free, or give the flow a later deadline.",
            ) from error
        self.bench.log.info("%s Coming back in %d s.", error, wait.total_seconds())
        detail: Mapping[str, Any] = {"for": error.message, "code": error.code, "seconds": int(wait.total_seconds())}
        self.bench.trail.record(self.run_id, EventKind.WAITED, detail)
        raise AirflowRescheduleException(now + wait) from error

    def waited(self, now: datetime) -> str:
        """Say for how long the task has been at it, and since when."""
        minutes = int((now - self.began).total_seconds() // 60)
        return f"{minutes // 60} h {minutes % 60} min (since {self.began:%Y-%m-%d %H:%M} UTC)"


@contextmanager
def airflow_outcomes(patience: Patience | None = None) -> Iterator[None]:
    """Fail for good what no repetition can cure, with its hint; leave and come back while the model is not to be had.

    All else goes through, for the task's retry policy to judge.
    """
    try:
        try:
            yield
        except _WAITED_FOR as error:
            if patience is None:
                raise
            patience.leave(error)
    except MlconnectorError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from error


def event_of(event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a trigger's event, which came through Airflow's database, once it is seen to be one.

    :raises AirflowFailException: when it is missing or malformed.
    """
    if not event or not isinstance(event.get("status"), str) or not isinstance(event.get("message"), str):
        raise AirflowFailException(f"The trigger came back with {event!r}, which is no event of ours.")
    return event


def counts_of(outcome: Outcome | None) -> dict[str, Any]:
    """Return what became of a remote task's rows, as JSON."""
    if outcome is None:
        return {}
    return {
        "successful": not outcome.failed,
        "sent": outcome.sent,
        "loaded": outcome.loaded,
        "rejected": outcome.rejected,
        "ignored": outcome.ignored,
        "warned": outcome.warned,
        "message": outcome.sentence(),
    }
