# SPDX-License-Identifier: Apache-2.0
"""The fourth step of the way back: approved journals are brought about as drafts, each exactly once.

Every round begins with a look at the ledger and does what is missing, one request after the other. Before each of them
its intent is on the trail. A request whose answer is lost, or whose process died, may take effect until the server's
own time-out has passed: until then nothing is repeated, unless a look shows that it took effect. So whatever happens
between two requests, there is one complete set of drafts in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from airflow_provider_mlconnector.errors import (
    ConflictError,
    LeaseTakenError,
    LostAnswerError,
    MlconnectorError,
    NotApprovedError,
    PostedError,
    ProtocolError,
    ServerError,
    TrailError,
)
from airflow_provider_mlconnector.finance.drafts import Journal, Payload, payload_digest
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.leasing import LEASE_SECONDS, kept
from airflow_provider_mlconnector.systems.drafting import Draft, Drafting, DraftState, Step, stands
from airflow_provider_mlconnector.trail.documents import DocumentRow, Documents, DocumentScope, DocumentState
from airflow_provider_mlconnector.trail.leases import Lease
from airflow_provider_mlconnector.trail.records import EventKind, Manifest

LOOK_SECONDS = 5.0
"""Between two looks for a request whose answer was lost."""
ROUNDS = 20
"""Rounds after which a draft that is never as it should be counts as broken."""
LOST_AT_MOST = 3
"""Lost answers after which the task is left to a later try."""

_UNCERTAIN = (LostAnswerError, ServerError, ProtocolError)
"""Answers that leave open whether a request took effect."""


class Receipt(Manifest, frozen=True, kw_only=True):
    """What became of one journal; ``written`` says whether anything had to be sent for it."""

    key: str
    state: DocumentState
    number: str
    lines: int
    written: bool


def write_back(
    bench: Bench, payload: Payload, drafting: Drafting, *, run_id: str, owner: str, resource: str
) -> list[Receipt]:
    """Bring all journals of an approved payload about, and remove the drafts that the plan has no more.

    One writer per batch: the lease of the batch is held meanwhile.

    :param owner: name of the task instance, the same for all of its tries.
    :param resource: names the batch in the ledger.
    :raises LeaseTakenError: when somebody else writes into the batch: come back later.
    :raises NotApprovedError: when a later run has written something else since.
    :raises PostedError: when a person posted a draft that is to be changed.
    :raises ProtocolError: when a draft never becomes what it is to be.
    """
    documents = Documents(bench.trail.engine, bench.clock)
    with _lease(bench, resource, owner) as lease:
        writer = _Writer(bench, payload, drafting, documents, run_id, lease)
        receipts = [writer.remove(row) for row in gone(documents, payload)]
        return receipts + [writer.bring_about(journal) for journal in payload.journals]


def verify(bench: Bench, payload: Payload, drafting: Drafting, *, run_id: str) -> list[Receipt]:
    """Read every document back and compare it line by line; its number goes to the trail.

    :raises PostedError: when one differs from what was approved, since a person changed or removed it.
    """
    documents = Documents(bench.trail.engine, bench.clock)
    receipts = []
    for journal in payload.journals:
        draft = drafting.find(journal)
        if not stands(journal, draft):
            raise PostedError(
                f"Document {journal.key} is not what was approved: {draft.state}, {len(draft.lines)} lines.",
                hint="Somebody changed it after it was written; run the plan again to put it right, or leave it.",
            )
        state = DocumentState.POSTED if draft.state is DraftState.POSTED else DocumentState.VERIFIED
        documents.settle(journal.key, state, draft.number, run_id, EventKind.VERIFIED, {"lines": len(draft.lines)})
        receipts.append(receipt_of(journal, draft, state, written=False))
    return receipts


def gone(documents: Documents, payload: Payload) -> list[DocumentRow]:
    """Return the documents that earlier runs wrote for this plan and these periods, and that it has no more."""
    kept_keys = {journal.key for journal in payload.journals}
    rows = [row for period in payload.periods for row in documents.of(_scope(payload, period))]
    return [row for row in rows if row.key not in kept_keys and row.state is not DocumentState.REMOVED]


def emptied(row: DocumentRow) -> Journal:
    """Return the journal that a document is to become when the plan has it no more: one without lines."""
    return Journal(key=row.key, period=row.scope.period, posting_date=date.min, description="", lines=())


def _scope(payload: Payload, period: str) -> DocumentScope:
    return DocumentScope(
        flow=payload.flow, plan=payload.plan, version=payload.version, company=payload.company, period=period
    )


def receipt_of(journal: Journal, draft: Draft, state: DocumentState, *, written: bool) -> Receipt:
    """Return the receipt of a journal as the ledger holds it."""
    return Receipt(key=journal.key, state=state, number=draft.number, lines=len(draft.lines), written=written)


@contextmanager
def _lease(bench: Bench, resource: str, owner: str) -> Iterator[Lease]:
    """Hold the lease of a batch; one that expired is taken over, since open intents are waited out anyway."""
    try:
        lease = bench.leases.acquire(resource, owner, LEASE_SECONDS)
    except LeaseTakenError as taken:
        if not taken.expired:
            raise
        lease = bench.leases.takeover(resource, owner, taken.token, LEASE_SECONDS)
    try:
        yield lease
    finally:
        bench.leases.release(lease)


@dataclass(slots=True)
class _Writer:
    """Brings documents about, one after the other, under a lease."""

    bench: Bench
    payload: Payload
    drafting: Drafting
    documents: Documents
    run_id: str
    lease: Lease

    def bring_about(self, journal: Journal) -> Receipt:
        """Make the ledger hold exactly this journal under its key."""
        sha256 = payload_digest(msgspec.json.encode(journal, order="deterministic"))
        self._begin(journal, sha256)
        draft = self.drafting.find(journal)
        if draft.state is DraftState.POSTED:
            return self._posted(journal, draft)
        written = self._converge(journal)
        draft = self.drafting.find(journal)
        if not stands(journal, draft):
            raise ProtocolError(f"Document {journal.key} was written, and reads back otherwise.")
        state = DocumentState.DRAFTED
        self._settle(journal, state, draft.number, {"sha256": sha256, "lines": len(draft.lines), "written": written})
        return receipt_of(journal, draft, state, written=written)

    def remove(self, row: DocumentRow) -> Receipt:
        """Remove a draft that the plan has no more."""
        self._see_latest(row)
        journal = emptied(row)
        self._begin(journal, row.sha256)
        draft = self.drafting.find(journal)
        if draft.state is DraftState.POSTED:
            raise self._theirs(journal, draft)
        written = self._converge(journal)
        self._settle(journal, DocumentState.REMOVED, "", {"written": written})
        return receipt_of(journal, Draft(DraftState.MISSING), DocumentState.REMOVED, written=written)

    def _begin(self, journal: Journal, sha256: str) -> None:
        """Take the document up; a request of an earlier process that may be on its way is waited out first."""
        before = self.documents.get(journal.key)
        same = before is not None and before.sha256 == sha256
        if before is not None and not same:
            self._see_latest(before)
        self._wait_out(journal, before, look=same)
        self.documents.begin(journal.key, _scope(self.payload, journal.period), sha256, self.run_id)

    def _see_latest(self, row: DocumentRow) -> None:
        """See that no later run has written the document: what was approved before that must not undo it.

        :raises NotApprovedError: when one has.
        """
        trail = self.bench.trail
        if row.run_id == self.run_id or row.state is DocumentState.REMOVED:
            return
        try:
            other = trail.run(row.run_id)
        except TrailError:  # retention took it, and takes the oldest first
            return
        if other.opened_at > trail.run(self.run_id).opened_at:
            raise NotApprovedError(
                f"Document {row.key} was written by a later run ({other.run_id}), which this one would undo.",
                hint="Start a new run, and let a person approve what the plan says by now.",
            )

    def _posted(self, journal: Journal, draft: Draft) -> Receipt:
        if not stands(journal, draft):
            raise self._theirs(journal, draft)
        self._settle(journal, DocumentState.POSTED, draft.number, {"sentence": "a person posted it"})
        return receipt_of(journal, draft, DocumentState.POSTED, written=False)

    def _theirs(self, journal: Journal, draft: Draft) -> PostedError:
        return PostedError(
            f"A person posted document {journal.key} ({draft.number or 'no number'}), which the plan would change.",
            hint="Correct what was posted in the ledger, or take the change back in the plan.",
        )

    def _converge(self, journal: Journal) -> bool:
        """Do what is missing until nothing is; return whether anything was sent."""
        sent, lost = False, 0
        for _ in range(ROUNDS):
            steps = self.drafting.steps(journal)
            if not steps:
                return sent
            sent = True
            try:
                for step in steps:
                    self._do(journal, step)
            except ConflictError as error:  # somebody is at work on it too: look again
                self.bench.log.info("%s: %s", journal.key, error.message)
            except _UNCERTAIN as error:
                lost += 1
                if lost >= LOST_AT_MOST:
                    raise
                self.bench.log.warning("%s: %s Looking whether it took effect.", journal.key, error.message)
                self._wait_out(journal, self.documents.get(journal.key), look=True)
        raise ProtocolError(f"Document {journal.key} is not what it is to be after {ROUNDS} rounds.")

    def _do(self, journal: Journal, step: Step) -> None:
        self.lease = kept(self.bench, self.lease)
        self.documents.intend(journal.key, step.sentence)
        self.bench.log.info("%s", step.sentence)
        try:
            step.do()
        except _UNCERTAIN:
            raise
        except MlconnectorError:
            self.documents.answered(journal.key)
            raise
        self.documents.answered(journal.key)

    def _wait_out(self, journal: Journal, row: DocumentRow | None, *, look: bool) -> None:
        """Wait until a request that may be on its way took effect, or can do so no longer.

        :param look: whether the ledger tells: it does not, when the journal was another one when it was sent.
        """
        if row is None or row.intent is None:
            return
        until = row.intent.at + timedelta(seconds=self.drafting.settle)
        while (left := (until - self.bench.clock.now()).total_seconds()) > 0:
            if look and row.intent.sentence not in {step.sentence for step in self.drafting.steps(journal)}:
                break
            self.lease = kept(self.bench, self.lease)
            self.bench.clock.sleep(min(LOOK_SECONDS, left))
        self.documents.answered(journal.key)

    def _settle(self, journal: Journal, state: DocumentState, number: str, detail: dict[str, object]) -> None:
        self.documents.settle(journal.key, state, number, self.run_id, EventKind.DRAFTED, detail)
