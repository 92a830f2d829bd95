# SPDX-License-Identifier: Apache-2.0
"""A plan's journals as batches of the general ledger on hold, which wait for a person to release them.

What this module guarantees: nothing is released unless the flow says so. A batch is made without lines first; then its
lines are added in portions, each of which the server saves whole or not at all. A line without an id is always added,
so only lines that a look at the batch did not show are sent. The request that makes a batch carries the filter of that
look and forbids a change of what is found, so that a server that heeds it makes no second one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from itertools import chain, repeat
from typing import TypeVar

from airflow_provider_mlconnector.errors import (
    DataError,
    LostAnswerError,
    NotFoundError,
    TransportError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.drafts import Journal
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.company import Company
from airflow_provider_mlconnector.systems.acumatica.draft_checks import Checker
from airflow_provider_mlconnector.systems.acumatica.draft_options import Coding, DraftOptions
from airflow_provider_mlconnector.systems.acumatica.draft_records import STANDING, StandingJournal, where_standing
from airflow_provider_mlconnector.systems.acumatica.draft_values import Values
from airflow_provider_mlconnector.systems.acumatica.posting_setup import read_setup
from airflow_provider_mlconnector.systems.drafting import ONLY_DRAFTS, Draft, DraftState, Problem, Step
from airflow_provider_mlconnector.systems.http.odata import address

QUEUE_SECONDS = 600.0
"""How long the server keeps a request in its queue before it declines it."""
SLACK = 15.0
"""Seconds more, after which a request counts as over: clocks are not exact."""

RELEASE = "ReleaseJournalTransaction"
RELEASE_SECONDS = 900.0
"""How long the end of a release is waited for before the ledger is looked at instead."""
POLLS = (1.0, 2.0, 5.0, 10.0)
"""Seconds between two questions whether a release is over; the last one from then on."""

Item = TypeVar("Item")

ONLY_NEW, ONLY_KNOWN = {"If-None-Match": "*"}, {"If-Match": "*"}


class AcumaticaDrafts:
    """Writes drafts into one ledger of one company, in one session. Not shared between threads; close it, always.

    :param api: of a connection that names the ledger, or leaves it to the only actual one of the branch.
    """

    def __init__(self, api: AcumaticaApi, options: DraftOptions) -> None:
        self._api = api
        self._options = options
        self._coding = Coding(api.connection.segments, options.segments)
        self._company = Company(api)
        self.effect = "writes the journals and releases them, which posts them" if options.release else ONLY_DRAFTS
        self.settle = QUEUE_SECONDS + sum(api.session.transport.timeout) + SLACK

    def problems(self, journals: Sequence[Journal]) -> list[Problem]:
        """Check journals against ledger, branch, accounts, subaccounts, periods and lengths; report all there is."""
        connection = self._api.connection
        try:
            ledger_id = connection.ledger or self._company.ledger_id
        except UnknownNameError as error:
            return [Problem("", None, connection.branch, error.message)]
        setup = read_setup(self._api, self._company)
        return list(Checker(setup, self._coding, ledger_id, connection.branch).problems(journals))

    def find(self, journal: Journal) -> Draft:
        """Look for the document by its key, among released batches and among those that are not."""
        standing = self._standing(journal)
        if not standing:
            return Draft(DraftState.MISSING)
        released = next((batch for batch in standing if not batch.is_open), None)
        batch, *others = [released] if released else standing
        lines = tuple(sorted(self._values.lines(journal, batch), key=lambda line: line.number))
        if released:
            return Draft(DraftState.POSTED, lines, batch.number)
        complete = not any(other.is_bare for other in others) and self._values.stand(journal, batch)
        return Draft(DraftState.DRAFT, lines, batch.number, complete=complete)

    def steps(self, journal: Journal) -> list[Step]:
        """Look at the ledger and return what is still to be done; none for a document that a person released.

        A batch in another ledger, branch or currency is removed and made anew. One that was taken off hold is put back
        before anything of it is changed, as it would have to balance after every portion of lines. A second batch under
        the key is removed while it has no lines, for so one of ours came about; with lines it is a person's copy.

        :raises DataError: when the batch is to be removed, and a copy stands beside it that would be taken for it next.
        """
        batches = self._standing(journal)
        if not all(batch.is_open for batch in batches):
            return []
        if not batches:
            return [self._creation(journal)] if journal.lines else []
        batch, *others = batches
        removals = [self._removal(journal, other) for other in others if other.is_bare]
        if not journal.lines or self._values.is_elsewhere(batch):
            _check_no_copy(journal, batch, others)
            return [*removals, self._removal(journal, batch)]
        if self._values.stand(journal, batch):
            return removals or self._release_steps(journal, batch)
        if not batch.Hold.value:
            return [*removals, self._hold(journal, batch, on_hold=True)]
        return [*removals, *self._mendings(journal, batch)]

    def close(self) -> None:
        """Log out and release connections."""
        self._api.close()

    @cached_property
    def _values(self) -> Values:
        ledger, connection = self._company.ledger, self._api.connection
        return Values(self._coding, self._company.ledger_id, connection.branch, ledger.Currency.value or "")

    def _standing(self, journal: Journal) -> list[StandingJournal]:
        """Return the batches under a journal's key, in order of their numbers; they are few, and asked for at once."""
        return sorted(self._api.records(STANDING, [], where=where_standing(journal)), key=lambda batch: batch.number)

    def _creation(self, journal: Journal) -> Step:
        path = address(STANDING.name, {"$filter": where_standing(journal), "$select": "BatchNbr"})
        body = self._values.header(journal)
        return Step(f"make a batch for {journal.key}", partial(self._api.change, "PUT", path, body, match=ONLY_NEW))

    def _mendings(self, journal: Journal, batch: StandingJournal) -> Iterator[Step]:
        """Yield the steps that make a batch on hold what it is to be: header, lines to remove, lines to add."""
        what, size = f"{journal.key} ({batch.number})", self._options.chunk
        changed = self._values.changed(journal, batch)
        if changed:
            yield self._update(f"set {', '.join(sorted(changed))} of {what}", batch, changed)
        kept, surplus = self._values.sort_out(journal, batch)
        for portion in _portions(surplus, size):
            rows = [{"id": line.id, "delete": True} for line in portion]
            numbers = [line.LineNbr.value for line in portion]
            yield self._update(f"remove lines {_span(numbers)} of {what}", batch, {"Details": rows})
        missing = [line for line in journal.lines if line.number not in kept]
        for added in _portions(missing, size):
            details = [self._values.line(journal, line) for line in added]
            numbers = [line.number for line in added]
            yield self._update(f"add lines {_span(numbers)} of {what}", batch, {"Details": details})

    def _hold(self, journal: Journal, batch: StandingJournal, *, on_hold: bool) -> Step:
        sentence = f"{'put' if on_hold else 'take'} {journal.key} ({batch.number}) {'on' if on_hold else 'off'} hold"
        return self._update(sentence, batch, {"Hold": {"value": on_hold}})

    def _update(self, sentence: str, batch: StandingJournal, values: dict[str, object]) -> Step:
        path = address(STANDING.name, {"$select": "BatchNbr"})
        return Step(sentence, partial(self._api.change, "PUT", path, batch.keys | values, match=ONLY_KNOWN))

    def _removal(self, journal: Journal, batch: StandingJournal) -> Step:
        return Step(f"remove batch {batch.number} of {journal.key}", partial(self._remove, batch))

    def _remove(self, batch: StandingJournal) -> None:
        try:
            self._api.change("DELETE", f"{STANDING.name}/{batch.Module.value}/{batch.number}")
        except NotFoundError:
            return  # somebody else removed it since the look

    def _release_steps(self, journal: Journal, batch: StandingJournal) -> list[Step]:
        """Return what releases a whole batch, where the flow says so and nobody has to approve it before."""
        if not self._options.release:
            return []
        if batch.Hold.value:
            return [self._hold(journal, batch, on_hold=False)]
        if batch.Status.value != "Balanced":
            return []
        return [Step(f"release {journal.key} ({batch.number})", partial(self._release, batch))]

    def _release(self, batch: StandingJournal) -> None:
        """Start the release and wait until it is over; what became of it is seen by the next look."""
        location = self._api.start(f"{STANDING.name}/{RELEASE}", {"entity": batch.keys})
        waits = chain(POLLS, repeat(POLLS[-1]))
        deadline = self._api.session.transport.clock.monotonic() + RELEASE_SECONDS
        while location and not self._is_over(location):
            if self._api.session.transport.clock.monotonic() >= deadline:
                raise LostAnswerError(f"The release of {batch.number} was not over after {RELEASE_SECONDS:.0f} s.")
            self._api.session.transport.clock.sleep(next(waits))

    def _is_over(self, location: str) -> bool:
        """Ask whether a release is over; without an answer it may still go on."""
        try:
            return self._api.is_over(location)
        except TransportError as error:
            raise LostAnswerError(error.message, path=error.path) from error


def _check_no_copy(journal: Journal, batch: StandingJournal, others: Sequence[StandingJournal]) -> None:
    copies = [other.number for other in others if not other.is_bare]
    if copies:
        raise DataError(
            f"Batch {batch.number} of {journal.key} is to be removed, and so would be {', '.join(copies)}, which has "
            "the same key.",
            hint="Take the key out of the description of what is a copy (form GL301000), and run the plan again.",
        )


def _portions(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _span(numbers: Sequence[int | None]) -> str:
    """Name lines by the first and the last of them, and how many they are."""
    return f"no. {numbers[0]} to {numbers[-1]} ({len(numbers)})"
