# SPDX-License-Identifier: Apache-2.0
"""Following a remote task to its end without Airflow, and what its outcome means for whoever asked for it."""

from __future__ import annotations

from contextlib import suppress

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.errors import (
    DeadlineError,
    FencedError,
    MlconnectorError,
    TaskError,
    TaskFailedError,
)
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import Tolerance
from airflow_provider_mlconnector.systems.anaplan.jobs import Decision, Step, TaskPoller
from airflow_provider_mlconnector.systems.anaplan.tasks import Outcome, TaskRef, TaskStatus

CANCEL_SECONDS = 60.0
CANCEL_LOOK_SECONDS = 2.0


def run_to_end(work: ModelWork, ref: TaskRef, clock: Clock) -> TaskStatus:
    """Wait for a task in this process and return its last status.

    :raises DeadlineError: when it was not over by its deadline; it is cancelled then.
    :raises MlconnectorError: when it can no longer be followed; it is left running, for a later try to take up.
    """
    poller = work.poller()
    decision = poller.first(clock.now().timestamp())
    while True:
        if decision.step is Step.TIMEOUT:
            work.cancel(ref)
            raise DeadlineError(decision.message, hint="Look in Anaplan what keeps the model, or give more time.")
        clock.sleep(decision.wait)
        status, decision = look(work, ref, poller, clock)
        if status and status.state.over:
            return status


def look(work: ModelWork, ref: TaskRef, poller: TaskPoller, clock: Clock) -> tuple[TaskStatus | None, Decision]:
    """Ask once how a task is, and what to do next; no status where no answer came and it is worth asking again.

    :raises MlconnectorError: when the task can no longer be followed.
    """
    try:
        status = work.status(ref)
    except FencedError:
        raise
    except MlconnectorError as error:
        decision = poller.on_error(error, clock.now().timestamp())
        if decision.step is Step.GIVE_UP:
            raise
        return None, decision
    return status, poller.on_status(status, clock.now().timestamp())


def call_off(work: ModelWork, ref: TaskRef, clock: Clock) -> bool:
    """Cancel a task that nobody waits for any more, and say whether it was seen over within ``CANCEL_SECONDS``.

    What it did until then is on the trail; its cells stay unknown, so they are sent again.
    """
    work.cancel(ref)
    until = clock.monotonic() + CANCEL_SECONDS
    while not (status := work.status(ref)).state.over:
        if clock.monotonic() >= until:
            return False
        clock.sleep(CANCEL_LOOK_SECONDS)
    with suppress(TaskError):
        work.finish(ref, status)
    return True


def judge(outcome: Outcome, tolerance: Tolerance, sent: int) -> None:
    """Decide whether an outcome is a success.

    :param sent: rows that were sent, for a tolerance in percent.
    :raises TaskFailedError: when the work was not done, or more rows were rejected than tolerated.
    """
    if outcome.failed:
        raise TaskFailedError(f"The task did not succeed: {outcome.sentence()}", hint=outcome.hint)
    if not tolerance.allows(outcome.rejected, sent):
        raise TaskFailedError(
            f"{outcome.rejected} of {sent} rows were rejected, more than the {_allowed(tolerance, sent)} tolerated: "
            f"{outcome.sentence()}",
            hint="The reasons are on the trail: airflow mlconnector trail rejects. They are sent again next time.",
        )


def _allowed(tolerance: Tolerance, sent: int) -> int:
    return max(tolerance.rows, int(tolerance.share * sent))
