# SPDX-License-Identifier: Apache-2.0
"""Whether a person approved exactly the bytes that are about to be written. Only the trail is believed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_mlconnector.errors import NotApprovedError
from airflow_provider_mlconnector.finance.drafts import Payload
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.resolve import ResolvedManifest, read_payload
from airflow_provider_mlconnector.trail.approvals import Approvals, Decision
from airflow_provider_mlconnector.trail.records import EventKind, Manifest

APPROVE = "Approve"
"""What Airflow's approval task calls the option that approves."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Airflow says about an answer; ``by`` is None when a default was taken."""

    chosen: str
    by: str | None
    at: datetime | None
    reason: str = ""


class Question(Manifest, frozen=True, kw_only=True):
    """What a person is asked: about which bytes, and in which words."""

    plan: str
    sha256: str
    body: str
    changes: bool


def question_of(bench: Bench, run_id: str, plan: str) -> Question:
    """Return what the preflight of this run found fit to be asked; not what tasks handed on.

    :raises NotApprovedError: when no preflight passed.
    """
    for event in reversed(bench.trail.events(run_id)):
        if event.kind == EventKind.CHECKED and event.detail.get("plan") == plan:
            return Question.from_json(event.detail)
    raise NotApprovedError(f"No preflight of {plan} passed in this run.", hint="Clear the preflight task.")


def note_asked(bench: Bench, run_id: str, question: Question) -> None:
    """Note, before a person is asked, about which bytes.

    :raises NotApprovedError: when somebody was asked about others in this run: Airflow keeps the text of the first
        question of a task, so that people would approve what they are not shown.
    """
    if any(sha256 != question.sha256 for sha256 in _asked(bench, run_id, question.plan)):
        raise NotApprovedError(
            f"{question.plan} is another one than this run asked about before, and Airflow shows the old question.",
            hint="Start a new run.",
        )
    bench.trail.record(run_id, EventKind.ASKED, {"plan": question.plan, "sha256": question.sha256})


def note_answer(bench: Bench, run_id: str, plan: str, answer: Answer) -> Decision:
    """Put an answer on the trail: it is about the bytes that were asked about last."""
    asked = _asked(bench, run_id, plan)
    if not asked:
        raise NotApprovedError(f"Nobody was asked about {plan} in this run.")
    decision = Decision(
        run_id=run_id,
        subject=plan,
        sha256=asked[-1],
        chosen=answer.chosen,
        requested_by=bench.trail.run(run_id).requested_by,
        responded_by=answer.by,
        responded_at=answer.at,
        reason=answer.reason,
    )
    Approvals(bench.trail.engine, bench.clock).add(decision)
    return decision


def approved_payload(
    bench: Bench, run_id: str, resolved: ResolvedManifest, *, four_eyes: bool, approvers: Collection[str] = ()
) -> Payload:
    """Return the journals, after making sure that a person approved their bytes in this run.

    :param run_id: the run that is going on; what is handed on may name another.
    :param four_eyes: the one who approved must not be the one who asked for the run.
    :param approvers: names of those who may approve; empty: whoever could answer.
    :raises NotApprovedError: when nothing proves it, and says what there is instead.
    :raises TamperedError: when the decision, or the file, is not what the trail says.
    """
    payload, sha256 = read_payload(bench, resolved)
    see_approved(bench, run_id, payload.plan, sha256, four_eyes=four_eyes, approvers=approvers)
    return payload


def see_approved(
    bench: Bench, run_id: str, plan: str, sha256: str, *, four_eyes: bool, approvers: Collection[str] = ()
) -> Decision:
    """Return the decision that allows some bytes to be written: the first one, if none says otherwise.

    :param sha256: their digest, as they were just read.
    """
    approvals = Approvals(bench.trail.engine, bench.clock)
    decisions = approvals.about(run_id, plan, sha256)
    if not decisions:
        raise NotApprovedError(
            f"Nobody approved {plan} as it is (sha256 {sha256[:12]}…): {_instead(approvals, run_id)}",
            hint="Start a new run, and let a person answer it.",
        )
    for one in decisions:
        if one.chosen != APPROVE:
            raise NotApprovedError(
                f"{plan} was answered '{one.chosen}' by {one.responded_by or 'nobody'}.",
                hint="In this run that holds, whatever else was answered; start a new one.",
            )
    decision = decisions[0]
    if not decision.responded_by or decision.responded_at is None:
        raise NotApprovedError(
            f"No person answered about {plan} in time; a default approves nothing.",
            hint="Start a new run, and let a person answer it.",
        )
    if approvers and decision.responded_by not in approvers:
        raise NotApprovedError(
            f"{decision.responded_by} approved {plan}; the flow wants {' or '.join(sorted(approvers))}.",
            hint="Start a new run, and let one of them approve it.",
        )
    requested_by = bench.trail.run(run_id).requested_by
    if four_eyes and decision.responded_by in (requested_by, decision.requested_by):
        raise NotApprovedError(
            f"{decision.responded_by} asked for the run and approved {plan}; the flow wants four eyes.",
            hint="Start a new run, and let somebody else approve it.",
        )
    return decision


def _asked(bench: Bench, run_id: str, plan: str) -> list[str]:
    """Return the digests of what people were asked about in a run, in order."""
    events = [event for event in bench.trail.events(run_id) if event.kind == EventKind.ASKED]
    return [event.detail["sha256"] for event in events if event.detail["plan"] == plan]


def _instead(approvals: Approvals, run_id: str) -> str:
    others = [decision.sha256[:12] for decision in approvals.of_run(run_id) if decision.chosen == APPROVE]
    if others:
        return f"approved was sha256 {', '.join(others)}…; it changed since."
    return "its approval task wrote no answer to the trail. Marking a task as successful is no answer."
