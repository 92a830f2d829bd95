# SPDX-License-Identifier: Apache-2.0
"""A plan's journals as unposted entries of the general journal, in a batch that waits for a person to post it.

What this module guarantees: nothing is posted; the web services know no such request, and what a customer's own
services offer is not used. An entry is sent whole, in one request, so it is there with all of its lines or not at all.
It is known by its reference, which is the journal's key, and by its lines, which name the key as the document that they
came from. The service can neither change nor delete an entry: another version of a draft that stands is refused, and a
person deletes it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

from airflow_provider_mlconnector.errors import CapabilityError, ConflictError
from airflow_provider_mlconnector.finance.drafts import Journal
from airflow_provider_mlconnector.systems.drafting import ONLY_DRAFTS, Draft, DraftState, Problem, Step, stands
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.draft_checks import Checker
from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import Coding, DraftOptions
from airflow_provider_mlconnector.systems.dynamics_gp.entries import (
    CREATE,
    WORK,
    StandingEntry,
    enter,
    numbers_of,
    standing_entries,
)
from airflow_provider_mlconnector.systems.dynamics_gp.posting_setup import read_setup
from airflow_provider_mlconnector.systems.dynamics_gp.tables import GpTables

SLACK = 15.0
"""Seconds more than both time-outs after which a request counts as over: clocks and queues are not exact."""


class DynamicsGpDrafts:
    """Writes drafts into one batch of one company. Not to be shared between threads: a connection is what is logged in.

    :param batch: of the general journal; made with the first entry where there is none.
    :param tables: the company's database; without it, neither periods nor the state of the batch are checked.
    """

    effect = ONLY_DRAFTS

    def __init__(
        self, api: GpApi, batch: str, options: DraftOptions | None = None, tables: GpTables | None = None
    ) -> None:
        self._api = api
        self._batch = batch
        self._defaults = (options or DraftOptions()).segments
        self._tables = tables
        self.settle = sum(api.timeout) + SLACK

    def problems(self, journals: Sequence[Journal]) -> list[Problem]:
        """Check journals against batch, accounts, segments, periods and lengths; report all there is."""
        setup = read_setup(self._api, self._batch, self._policy, self._tables)
        found = list(Checker(setup, self._coding, self._batch).problems(journals))
        for journal in journals:
            entry = self._entry(journal.key)
            if entry is not None and entry.state == WORK and not stands(journal, self._draft(journal, entry)):
                sentence = (
                    f"batch {entry.batch} has another version of it, which the service can neither change nor delete; "
                    "delete the entry in Dynamics GP"
                )
                found.append(Problem(journal.key, None, str(entry.number), sentence))
        return found

    def find(self, journal: Journal) -> Draft:
        """Look for the document by its numbers, among posted entries and among those that are not."""
        entry = self._entry(journal.key)
        return self._draft(journal, entry) if entry is not None else Draft(DraftState.MISSING)

    def steps(self, journal: Journal) -> list[Step]:
        """Look at the ledger and return what is still to be done: entering the journal; nothing once it was posted.

        :raises CapabilityError: when another version of the draft stands.
        :raises ConflictError: when other entries have all the numbers that the document may have.
        """
        entries = standing_entries(self._api, journal.key)
        entry = _ours(entries, journal.key)
        if entry is None:
            return [self._entering(journal, {other.number for other in entries})] if journal.lines else []
        if entry.state == WORK and not stands(journal, self._draft(journal, entry)):
            raise CapabilityError(
                f"Journal entry {entry.number} of {journal.key} is not as the plan has it by now, and the services of "
                "Dynamics GP can neither change nor delete it.",
                hint=f"Delete entry {entry.number} of batch {entry.batch} in Transaction Entry and run the plan again.",
            )
        return []

    def close(self) -> None:
        """Release connections, which logs off."""
        self._api.close()

    @cached_property
    def _coding(self) -> Coding:
        return Coding(self._api.account_format, self._defaults)

    @cached_property
    def _policy(self) -> Any:
        """The policy of creating entries, with the options that the customer's administrator selected."""
        return self._api.soap.call("GetPolicyByOperation", self._api.context, operation=CREATE)

    def _entry(self, key: str) -> StandingEntry | None:
        return _ours(standing_entries(self._api, key), key)

    def _draft(self, journal: Journal, entry: StandingEntry) -> Draft:
        found = [(line.account, line.amount, line.description) for line in entry.lines]
        lines = self._coding.as_journal_lines(journal, found)
        if entry.state != WORK:
            return Draft(DraftState.POSTED, lines, str(entry.number))
        return Draft(DraftState.DRAFT, lines, str(entry.number), complete=entry.day == journal.posting_date)

    def _entering(self, journal: Journal, taken: set[int]) -> Step:
        number = next((one for one in numbers_of(journal.key) if one not in taken), None)
        if number is None:
            raise ConflictError(
                f"Other journal entries have all the numbers that {journal.key} may have.",
                hint=f"Leave numbers from {min(taken)} on to plans; Dynamics GP numbers its own entries far below.",
            )
        sentence = f"enter {journal.key} as journal entry {number} of batch {self._batch}"
        act = partial(enter, self._api, self._batch, number, journal, self._coding, self._policy)
        return Step(sentence, act)


def _ours(entries: Sequence[StandingEntry], key: str) -> StandingEntry | None:
    """Return the entry of a document that counts: what was posted before what was not."""
    found = [entry for entry in entries if entry.is_of(key) and not entry.voided]
    return min(found, key=lambda entry: entry.state == WORK, default=None)
