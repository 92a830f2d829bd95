# SPDX-License-Identifier: Apache-2.0
"""The last step of the way back, where a flow asks for it: people post the drafts, and the trail learns of it.

Posting is theirs. Here the ledger is looked at, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_mlconnector.errors import PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.writeback import Receipt, receipt_of
from airflow_provider_mlconnector.systems.drafting import Drafting, DraftState, stands
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from airflow_provider_mlconnector.trail.records import EventKind


@dataclass(frozen=True, slots=True)
class Posting:
    """How far people are with the documents of a run.

    :param posted: those that are posted, with the ERP's numbers.
    :param open: keys of those that are not.
    """

    posted: tuple[Receipt, ...]
    open: tuple[str, ...]


def look_for_posted(bench: Bench, payload: Payload, drafting: Drafting, run_id: str) -> Posting:
    """Look which documents are posted, and put those that were not before on the trail.

    A document that a later run of the plan has taken over is that run's to wait for.

    :raises PostedError: when a document is not in the ledger any more.
    """
    documents = Documents(bench.trail.engine, bench.clock)
    posted: list[Receipt] = []
    still: list[str] = []
    for journal in payload.journals:
        row = documents.get(journal.key)
        if row is not None and row.run_id != run_id:
            bench.log.info("%s is the business of the later run %s.", journal.key, row.run_id)
        elif row is not None and row.state is DocumentState.POSTED:
            posted.append(_known(journal, row.number))
        elif receipt := _look(bench, drafting, documents, journal, run_id):
            posted.append(receipt)
        else:
            still.append(journal.key)
    return Posting(tuple(posted), tuple(still))


def _look(bench: Bench, drafting: Drafting, documents: Documents, journal: Journal, run_id: str) -> Receipt | None:
    """Return the receipt of a document that was posted since the last look; None while it is a draft."""
    draft = drafting.find(journal)
    if draft.state is DraftState.MISSING:
        raise PostedError(
            f"Document {journal.key} was written and is not in the ledger any more, neither as a draft nor posted.",
            hint="Somebody removed it; run the plan again to write it anew, or leave it.",
        )
    if draft.state is not DraftState.POSTED:
        return None
    approved = stands(journal, draft)
    if draft.lines and not approved:
        bench.log.warning("%s was posted as %s, with other lines than were approved.", journal.key, draft.number)
    detail = {"lines": len(draft.lines), "as_approved": approved if draft.lines else None}
    documents.settle(journal.key, DocumentState.POSTED, draft.number, run_id, EventKind.POSTED, detail)
    return receipt_of(journal, draft, DocumentState.POSTED, written=False)


def _known(journal: Journal, number: str) -> Receipt:
    return Receipt(key=journal.key, state=DocumentState.POSTED, number=number, lines=len(journal.lines), written=False)
