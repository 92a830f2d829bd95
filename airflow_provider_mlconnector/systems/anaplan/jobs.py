# SPDX-License-Identifier: Apache-2.0
"""What to do about a remote task: start it, take up one that runs, wait, stop. Decisions only, no I/O.

The worker's loop and the trigger both ask here, so that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import msgspec

from airflow_provider_mlconnector.errors import MlconnectorError
from airflow_provider_mlconnector.systems.anaplan.tasks import TaskState, TaskStatus, TaskSummary

WORKER_FIRST_WAIT = 0.05  # a small import is over at once; the wait doubles up to the regular one
TRIGGER_FIRST_WAIT = 10.0  # the triggerer must not see an event before the worker has let go of the task
POLL_EVERY = 5.0  # Anaplan asks for no more than one status call in 5 seconds, fewer for long tasks
POLL_GROWTH = 1.25
POLL_AT_MOST = 60.0
ERRORS_TOLERATED = 5
LOOK_EVERY = 5.0


class Step(StrEnum):
    """What to do next with a task that was started.

    ``WAIT`` asks again later; ``DONE`` and ``FAILED`` mean over, with an outcome to read; ``CANCELLED`` means that its
    work was rolled back; ``TIMEOUT`` wants it cancelled; ``GIVE_UP`` leaves it running, for a later try to take up.
    """

    WAIT = "wait"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step, the seconds to wait before it, and a sentence for the log."""

    step: Step
    wait: float
    message: str


class TaskPoller:
    """Decides about one running task, from each answer about it.

    :param deadline: epoch seconds after which the task is to be cancelled.
    :param first_wait: seconds before the first poll; see ``WORKER_FIRST_WAIT`` and ``TRIGGER_FIRST_WAIT``.
    """

    def __init__(self, deadline: float, *, first_wait: float = WORKER_FIRST_WAIT) -> None:
        self._deadline = deadline
        self._first_wait = first_wait
        self._wait = min(POLL_EVERY, 2 * first_wait)
        self._errors = 0

    def first(self, now: float) -> Decision:
        """Decide before the first poll."""
        return self._wait_for(self._first_wait, now, "The task was started.")

    def on_status(self, status: TaskStatus, now: float) -> Decision:
        """Decide after an answer."""
        self._errors = 0
        if status.state is TaskState.CANCELLED:
            by = f" by {status.cancelled_by}" if status.cancelled_by else ""
            return Decision(Step.CANCELLED, 0.0, f"Task {status.task_id} was cancelled{by}; its work was rolled back.")
        if status.state is TaskState.COMPLETE:
            return _ended(status)
        where = f"{status.state}, {status.progress:.0%}" + (f", {status.step}" if status.step else "")
        return self._next_wait(now, f"Task {status.task_id}: {where}")

    def on_error(self, exc: Exception, now: float) -> Decision:
        """Decide after a poll that failed; a few in a row are borne if a later try can help."""
        self._errors += 1
        if not (isinstance(exc, MlconnectorError) and exc.retryable):
            return Decision(Step.GIVE_UP, 0.0, f"The task cannot be followed: {exc}")
        if self._errors > ERRORS_TOLERATED:
            return Decision(Step.GIVE_UP, 0.0, f"The task could not be followed {self._errors} times in a row: {exc}")
        return self._next_wait(now, f"Poll {self._errors} of {ERRORS_TOLERATED} failed: {exc}")

    def _next_wait(self, now: float, message: str) -> Decision:
        wait = self._wait
        self._wait = min(POLL_EVERY, 2 * wait) if wait < POLL_EVERY else min(POLL_AT_MOST, wait * POLL_GROWTH)
        return self._wait_for(wait, now, message)

    def _wait_for(self, wait: float, now: float, message: str) -> Decision:
        left = self._deadline - now
        if left <= 0:
            return Decision(Step.TIMEOUT, 0.0, f"{message.rstrip('.')}. The deadline has passed.")
        return Decision(Step.WAIT, min(wait, left), message)


def _ended(status: TaskStatus) -> Decision:
    outcome = status.outcome
    if outcome is None:
        return Decision(Step.FAILED, 0.0, f"Task {status.task_id} is over, but Anaplan does not say how it ended.")
    sentence = f"{outcome.sentence()} {outcome.hint}".rstrip()
    return Decision(Step.FAILED if outcome.failed else Step.DONE, 0.0, f"Task {status.task_id}: {sentence}")


class Phase(StrEnum):
    """How far a job was written down: meant to start, known to run, known to be over."""

    INTENT = "intent"
    RUNNING = "running"
    DONE = "done"


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down about a job before and after its POST, so that no second task is started for it.

    :param generation: how often the Airflow task was cleared; a cleared one starts anew.
    :param fingerprint: digest of what is sent; other input is another job.
    :param listed_before: tasks of the action that were listed before the POST.
    :param posted_at: epoch seconds just before the POST, or when its answer was found to be lost; None while it was
        not sent.
    :param found: the start was not answered, and the task was taken from the task list.
    :param rows: rows of the file that was uploaded for it, None where they are not known.
    """

    phase: Phase
    generation: int
    fingerprint: str
    task_id: str = ""
    listed_before: tuple[str, ...] = ()
    posted_at: float | None = None
    found: bool = False
    rows: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return msgspec.json.decode(msgspec.json.encode(self))  # type: ignore[no-any-return]  # a struct is an object

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return msgspec.convert(dict(data), cls)


class Move(StrEnum):
    """How to come by a running task.

    ``POST`` starts one; ``ADOPT`` takes up one that exists; ``WAIT_FOR`` lets several of unknown origin end and decides
    again; ``LOOK_AGAIN`` lists the tasks once more, for the answer was lost and the request may still be under way;
    ``ASK`` stops, since only a person can say whether the work may be done twice.
    """

    POST = "post"
    ADOPT = "adopt"
    WAIT_FOR = "wait_for"
    LOOK_AGAIN = "look_again"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class StartDecision:
    """A move, the tasks that it is about, and the seconds to wait for it."""

    move: Move
    task_ids: tuple[str, ...] = ()
    wait: float = 0.0
    message: str = ""


def decide_start(
    record: JobRecord | None,
    *,
    generation: int,
    fingerprint: str,
    listed: Sequence[TaskSummary],
    now: float,
    request_timeout: float,
    repeatable: bool,
) -> StartDecision:
    """Decide how to come by a task for this job.

    :param record: what was written down last; None for a new job.
    :param listed: the action's tasks as listed now.
    :param request_timeout: seconds after which a request that was sent can no longer take effect.
    :param repeatable: doing the work twice does no harm, as with a file of totals.
    """
    if record is None or record.generation != generation or record.fingerprint != fingerprint:
        return StartDecision(Move.POST)
    if record.task_id:
        return StartDecision(Move.ADOPT, (record.task_id,), message=f"Task {record.task_id} was started before.")
    if record.posted_at is None:
        return StartDecision(Move.POST)
    new = tuple(task for task in listed if task.task_id not in record.listed_before)
    if not new:
        return _nothing_listed(record.posted_at + request_timeout - now)
    if len(new) == 1:
        message = f"The start was not answered, but task {new[0].task_id} appeared since: it is taken for ours."
        return StartDecision(Move.ADOPT, (new[0].task_id,), message=message)
    return _several(new, repeatable)


def _nothing_listed(left: float) -> StartDecision:
    if left <= 0:
        return StartDecision(Move.POST, message="The start that was not answered made no task; starting again.")
    message = "The start was not answered; looking for its task until the request can no longer take effect."
    return StartDecision(Move.LOOK_AGAIN, wait=min(LOOK_EVERY, left), message=message)


def _several(new: Sequence[TaskSummary], repeatable: bool) -> StartDecision:
    """More than one task appeared: a person started the same action, and ours may be any of them, or none."""
    ids = tuple(task.task_id for task in new)
    names = ", ".join(ids)
    if not repeatable:
        message = (
            f"The start was not answered, and {len(ids)} tasks appeared since: which is ours cannot be told: {names}."
        )
        return StartDecision(Move.ASK, ids, message=message)
    running = tuple(task.task_id for task in new if not task.state.over)
    if running:
        message = f"The start was not answered, and several tasks appeared since; waiting until they are over: {names}."
        return StartDecision(Move.WAIT_FOR, running, LOOK_EVERY, message)
    message = f"The tasks that appeared after a start without an answer are over; starting once more: {names}."
    return StartDecision(Move.POST, message=message)
