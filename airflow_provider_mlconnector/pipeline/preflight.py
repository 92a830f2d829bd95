# SPDX-License-Identifier: Apache-2.0
"""The third step of the way back: plan and ledger are checked before a person is asked, and what they are asked.

All that is wrong is told at once: what the plan itself lacks, what the ledger would refuse, and drafts that a person
has posted meanwhile. What can be approved is shown in totals, beside what the ledger holds of it by now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.drafts import Journal
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.approvaltext import approval_body
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.evidence import Question
from airflow_provider_mlconnector.pipeline.planproblems import PlanProblem, refuse
from airflow_provider_mlconnector.pipeline.resolve import ResolvedManifest, read_payload, read_problems
from airflow_provider_mlconnector.pipeline.writeback import emptied, gone
from airflow_provider_mlconnector.systems.drafting import Draft, Drafting, DraftState, stands
from airflow_provider_mlconnector.systems.port import PeriodStatus
from airflow_provider_mlconnector.trail.documents import Documents
from airflow_provider_mlconnector.trail.records import EventKind


def preflight(
    bench: Bench,
    resolved: ResolvedManifest,
    statuses: Mapping[Period, PeriodStatus],
    drafting: Drafting,
    categories: Mapping[str, str | None],
) -> Question:
    """Check a resolved plan against its ledger, and say what would be written.

    :param statuses: whether each of the run's periods is open in the ledger, asked before: where a session is a seat,
        the one that reads must not be kept beside the one that writes.
    :param categories: of accounts, to show totals by group; an account without one is shown under "other".
    :raises PreflightError: with everything that is wrong; nothing was written.
    """
    payload, sha256 = read_payload(bench, resolved)
    drafts = {journal.key: drafting.find(journal) for journal in payload.journals}
    emptying = [emptied(row) for row in gone(Documents(bench.trail.engine), payload)]
    leftover = {journal.key: drafting.find(journal) for journal in emptying}
    problems = [
        *read_problems(bench, resolved),
        *_closed(statuses),
        *_refused(drafting, payload.journals),
        *_posted({journal.key: stands(journal, drafts[journal.key]) for journal in payload.journals}, drafts),
        *_posted(dict.fromkeys(leftover, False), leftover),
        *_fixed(drafting, emptying),
    ]
    if problems:
        raise refuse(bench, resolved.run.run_id, payload.plan, problems)
    removed = [draft for draft in leftover.values() if draft.state is not DraftState.MISSING]
    body = approval_body(resolved, payload, drafts, categories, effect=drafting.effect, removed=len(removed))
    changes = bool(removed) or any(not stands(journal, drafts[journal.key]) for journal in payload.journals)
    question = Question(plan=payload.plan, sha256=sha256, body=body, changes=changes)
    bench.trail.record(resolved.run.run_id, EventKind.CHECKED, question.to_json())
    return question


def _closed(statuses: Mapping[Period, PeriodStatus]) -> list[PlanProblem]:
    return [
        PlanProblem(where="", subject=period.key, sentence="the period is closed in the ledger")
        for period, status in statuses.items()
        if status is PeriodStatus.CLOSED
    ]


def _fixed(drafting: Drafting, emptying: Sequence[Journal]) -> Iterator[PlanProblem]:
    """Yield the drafts that the plan has no more, and that only a person can remove from this ledger."""
    for journal in emptying:
        try:
            drafting.steps(journal)
        except CapabilityError as error:
            yield PlanProblem(
                where=journal.key, subject=journal.period, sentence=f"{error.message} {error.hint}".strip()
            )


def _refused(drafting: Drafting, journals: Sequence[Journal]) -> list[PlanProblem]:
    return [
        PlanProblem(
            where=f"line {found.line} of {found.key}" if found.line else found.key,
            subject=found.subject,
            sentence=found.sentence,
        )
        for found in drafting.problems(journals)
    ]


def _posted(unchanged: Mapping[str, bool], drafts: Mapping[str, Draft]) -> list[PlanProblem]:
    return [
        PlanProblem(
            where=key,
            subject=draft.number or key,
            sentence="a person has posted this document, and the plan says something else by now",
        )
        for key, draft in drafts.items()
        if draft.state is DraftState.POSTED and not unchanged[key]
    ]
