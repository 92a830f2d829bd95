# SPDX-License-Identifier: Apache-2.0
"""A plan's journals in SYSPRO, which has no drafts: handed to a person, or posted where the flow says so.

What this module guarantees: before anything is handed over or posted, the posted entries are looked for the journal's
key, which each of them carries as its reference. Only :class:`Posting` posts, and only where the flow says so: in one
request per journal, so that there is none, or one whole journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import LostAnswerError
from airflow_provider_mlconnector.finance.drafts import Journal
from airflow_provider_mlconnector.systems.drafting import Draft, DraftState, Problem, Step
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.draft_checks import find_problems
from airflow_provider_mlconnector.systems.syspro.draft_options import Coding
from airflow_provider_mlconnector.systems.syspro.hand_over import Render
from airflow_provider_mlconnector.systems.syspro.posted_journals import posted_journal
from airflow_provider_mlconnector.systems.syspro.posting import JournalObject, refused

SEEN_WITHIN = 60.0
"""Seconds within which the entries of a journal that was posted have to show."""

_LOOK_SECONDS = 5.0


class Delivery(Protocol):
    """How a journal that is not posted yet is brought about."""

    @property
    def settle(self) -> float:
        """Seconds after which a request that was sent can no longer take effect."""

    @property
    def effect(self) -> str:
        """What a person sets off by approving."""

    def look(self, journal: Journal) -> Draft:
        """Return what stands under the journal's key."""

    def steps(self, journal: Journal) -> list[Step]:
        """Return what is still to be done."""

    def close(self) -> None:
        """Release what is held."""


class SysproDrafts:
    """Brings journals about in one company. Not shared between threads.

    :param api: shows posted entries; the service reads the ERP's own database.
    :param checker: the business object that checks journals; None leaves its check out.
    """

    def __init__(
        self, api: SysproApi, coding: Coding, render: Render, delivery: Delivery, checker: JournalObject | None = None
    ) -> None:
        self._api = api
        self._coding = coding
        self._render = render
        self._delivery = delivery
        self._checker = checker
        self.settle = delivery.settle
        self.effect = delivery.effect

    def problems(self, journals: Sequence[Journal]) -> list[Problem]:
        """Check journals against GL codes and texts, and by the business object; report all there is."""
        return find_problems(self._api, self._coding, self._render, self._checker, journals)

    def find(self, journal: Journal) -> Draft:
        """Look for the document among posted entries, then where it was handed over."""
        return posted_journal(self._api, self._coding, journal) or self._delivery.look(journal)

    def steps(self, journal: Journal) -> list[Step]:
        """Look, and return what is still to be done; nothing for a document that was posted."""
        if posted_journal(self._api, self._coding, journal) is not None:
            return []
        return self._delivery.steps(journal)

    def close(self) -> None:
        """Log off and release connections."""
        self._delivery.close()
        if self._checker:
            self._checker.close()
        self._api.close()


class Posting:
    """Posts journals through a business object.

    :param posted: looks for a journal among posted entries.
    """

    def __init__(
        self,
        through: JournalObject,
        render: Render,
        posted: Callable[[Journal], Draft | None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._through = through
        self._render = render
        self._posted = posted
        self._clock = clock
        self._checked: set[str] = set()
        self.settle = through.settle
        self.effect = f"posts the journals at once through {through.name}, for good: SYSPRO keeps no drafts"

    def look(self, journal: Journal) -> Draft:
        """Return that there is nothing: what is not posted is nowhere."""
        return Draft(DraftState.MISSING)

    def steps(self, journal: Journal) -> list[Step]:
        """Return the request that posts a journal, once the business object has nothing against it.

        Checks and logon come before the step, so that the step is one request.

        :raises BadRequestError: when the journal is refused.
        """
        if not journal.lines:
            return []
        document = self._render(journal)
        if document not in self._checked:
            refusals = self._through.validate(document)
            if refusals:
                raise refused(refusals)
            self._checked.add(document)
        self._through.open()
        sentence = f"post {journal.key} through {self._through.name}"
        return [Step(sentence, partial(self._post, journal, document))]

    def close(self) -> None:
        """Log off and release connections."""
        self._through.close()

    def _post(self, journal: Journal, document: str) -> None:
        """Post, and see that it shows: nobody may post it again because it was not seen.

        :raises LostAnswerError: when it does not.
        """
        number = self._through.post(document)
        until = self._clock.monotonic() + SEEN_WITHIN
        while self._posted(journal) is None:
            if self._clock.monotonic() >= until:
                raise LostAnswerError(f"{journal.key} was posted as journal {number}, which is not seen yet.")
            self._clock.sleep(_LOOK_SECONDS)
