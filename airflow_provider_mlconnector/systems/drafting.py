# SPDX-License-Identifier: Apache-2.0
"""The questions that a ledger answers when a plan comes home as a draft.

A draft is brought about in small steps, each one remote request that creates, changes or removes one thing, or several
where the ledger does them all or none. Before every round of steps the ledger is looked at, so that a draft that a dead
process left half done is finished, never written twice. The order of requests, what is written down before each, and
how long a lost answer is waited for are decided once, in ``pipeline/writeback``, for all ledgers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine

ONLY_DRAFTS = "writes drafts; it posts nothing"
"""The effect that approving has unless a customer has asked for another one."""


Found = tuple[str, str]
"""What a problem is about, and its sentence, before it is said of which journal and line."""


def too_long(what: str, text: str, room: int) -> Iterator[Found]:
    """Yield that a text does not fit, if it does not.

    :param room: characters.
    """
    if len(text) > room:
        yield text, f"the {what} has {len(text)} characters; there is room for {room}"


class DraftState(StrEnum):
    """What the ledger holds under a document's key."""

    MISSING = "missing"
    DRAFT = "draft"
    """Lines, or a header alone, that a person can still change."""
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as it was read back.

    :param lines: in the order of their numbers; a posted document may have none that can be read.
    :param number: the ERP's own number of it, which a person looks it up by; "" while it has none.
    :param complete: whether nothing is missing besides lines, such as dimensions or a header's field.
    """

    state: DraftState
    lines: tuple[JournalLine, ...] = ()
    number: str = ""
    complete: bool = True


def stands(journal: Journal, draft: Draft) -> bool:
    """Say whether a document is what a journal says: whole, and with exactly its lines, in whatever order."""
    wanted = sorted((line.account, line.dimensions, line.amount) for line in journal.lines)
    return draft.complete and wanted == sorted((line.account, line.dimensions, line.amount) for line in draft.lines)


@dataclass(frozen=True, slots=True)
class Step:
    """One request that brings a draft nearer to what it is to be.

    :param sentence: what it does, such as "add line 3 of AP12… to batch ANAPLAN": the same words for the same request,
        and other ones than those of any step that is still to be done after it took effect.
    :param do: sends it, once. A lost answer is a LostAnswerError; nothing here repeats it. That the ledger has changed
        since the look is a ConflictError: look again.
    """

    sentence: str
    do: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a journal cannot be written, or not posted afterwards, found before a person is asked.

    :param key: of the journal; "" where it concerns all of them, such as a batch that is missing.
    :param line: number of the journal's line; None where it concerns the journal as a whole.
    :param subject: the account, value, period or name that is meant.
    """

    key: str
    line: int | None
    subject: str
    sentence: str


class Drafting(Protocol):
    """Writes journals as drafts into one company of a ledger. Not shared between threads.

    ``settle`` is the seconds after which a request that was sent can no longer take effect, whatever became of it.
    """

    settle: float

    @property
    def effect(self) -> str:
        """What a person sets off by approving, as the end of a sentence that begins with "Approving"."""

    def problems(self, journals: Sequence[Journal]) -> list[Problem]:
        """Check all journals against the ledger as it stands, without changing anything; report all there is."""

    def find(self, journal: Journal) -> Draft:
        """Look for the document by its key, among drafts and among posted documents."""

    def steps(self, journal: Journal) -> list[Step]:
        """Look at the ledger and return what is still to be done, in order; none when the draft is as it is to be.

        There is nothing to do either for a document that a person has posted: it is theirs. What stands under the key
        and does not belong there (lines of an earlier version, doubled lines) is removed by steps, too. Steps of one
        round do not need each other's results.
        """

    def close(self) -> None:
        """Log off and release connections."""
