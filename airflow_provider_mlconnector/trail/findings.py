# SPDX-License-Identifier: Apache-2.0
"""What a check of the trail has found so far, and what it learnt on the way that later checks need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import MsgspecError

from airflow_provider_mlconnector.trail.records import Problem, ProblemKind, StagedFile

FileCheck = Callable[[StagedFile], object]
"""Raises ``TamperedError`` or ``OSError`` for a file that is gone or changed, as ``Stage.fetch`` does."""

_ADVICE = {
    ProblemKind.RUN_CHANGED: "Compare the run with a backup of the trail, and find out who may write to its database.",
    ProblemKind.RUN_MISSING: "Take the run from a backup of the trail, and find out who may write to its database.",
    ProblemKind.EVENT_CHANGED: "Compare the event with a backup of the trail, and find out who may write to its "
    "database; the run's later events are proven only by the backup.",
    ProblemKind.EVENT_MISSING: "Take the event from a backup of the trail, and find out who may write to its database.",
    ProblemKind.ROWS_CHANGED: "Compare the rows with a backup of the trail, and find out who may write to its "
    "database; a book or accepted cells are made anew by running the period with 'full'.",
    ProblemKind.CHAIN_BROKEN: "Compare the chain with a backup of the trail and with the closing hashes in the tasks' "
    "logs; what comes after this place is not proven.",
    ProblemKind.FILE_BAD: "Take the file from a backup of the staging area; a book or accepted cells that need it are "
    "made anew by running the period with 'full'.",
}


@dataclass(frozen=True, slots=True)
class Announced:
    """A state of a book or of accepted cells, as an event announced it or as a row holds it.

    :param digest: of the state's text.
    :param at: as it is stored.
    """

    version: int
    digest: str
    run_id: str | None
    event: int | None
    at: str


@dataclass(slots=True)
class Findings:
    """The problems, and what is to be compared later.

    :param files: staged files that events announced, by key.
    :param states: per book and cell scope of the flow being checked, the highest version that an event announced.
    :param hashes: of all links that are proven.
    """

    problems: list[Problem] = field(default_factory=list)
    files: dict[str, StagedFile] = field(default_factory=dict)
    states: dict[str, Announced] = field(default_factory=dict)
    hashes: set[str] = field(default_factory=set)

    def add(self, kind: ProblemKind, subject: str, sentence: str) -> None:
        """Note a problem, with what to do about its kind."""
        self.problems.append(Problem(kind=kind, subject=subject, sentence=sentence, advice=_ADVICE[kind]))

    def guard(self, kind: ProblemKind, subject: str, check: Callable[[], None]) -> None:
        """Run a check; what was changed into something unreadable is a finding, not a crash."""
        try:
            check()
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, MsgspecError) as error:
            self.add(kind, subject, f"It can no longer be read: {error}.")
