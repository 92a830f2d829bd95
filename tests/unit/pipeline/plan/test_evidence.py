# SPDX-License-Identifier: Apache-2.0
"""Only a person's approval of exactly these bytes, in this run, lets them be written."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import NotApprovedError, TamperedError
from airflow_provider_mlconnector.pipeline.evidence import see_approved
from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.approvals import Approvals, Decision
from airflow_provider_mlconnector.trail.records import EventKind

BYTES, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def run(new_run):
    return new_run()


@pytest.fixture
def decision(run):
    return Decision(
        run_id=run.run_id,
        subject="Approved Budget",
        sha256=BYTES,
        chosen="Approve",
        requested_by="ana",
        responded_by="carla",
        responded_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
    )


@pytest.fixture
def decide(bench):
    return Approvals(bench.trail.engine, bench.clock).add


@pytest.fixture
def see(bench, run):
    def go(sha256=BYTES, *, four_eyes=True, run_id=run.run_id, approvers=()):
        return see_approved(bench, run_id, "Approved Budget", sha256, four_eyes=four_eyes, approvers=approvers)

    return go


def test_a_persons_approval_counts_and_is_on_the_trail(bench, run, decide, decision, see):
    decide(decision)

    assert see() == decision
    (event,) = [event for event in bench.trail.events(run.run_id) if event.kind == EventKind.APPROVED]
    assert event.detail["responded_by"] == "carla"
    assert event.detail["sha256"] == BYTES
    assert bench.trail.verify(run_id=run.run_id) == []


def test_an_approval_task_that_was_marked_as_successful_left_no_evidence(see):
    with pytest.raises(NotApprovedError, match="Marking a task as successful is no answer"):
        see()


def test_a_rejection_approves_nothing(decide, decision, see):
    decide(replace(decision, chosen="Reject"))

    with pytest.raises(NotApprovedError, match="'Reject' by carla"):
        see()


def test_a_default_that_was_taken_when_time_was_over_approves_nothing(decide, decision, see):
    decide(replace(decision, responded_by=None))

    with pytest.raises(NotApprovedError, match="No person answered"):
        see()


@pytest.mark.parametrize("who", ["ana", "the one the trail knows"])
def test_who_asked_for_the_run_cannot_approve_it_with_four_eyes(bench, run, decide, decision, see, who):
    asked_by = bench.trail.run(run.run_id).requested_by
    decide(replace(decision, responded_by=who if who == "ana" else asked_by))

    with pytest.raises(NotApprovedError, match="four eyes"):
        see()
    assert see(four_eyes=False).chosen == "Approve"


def test_a_plan_that_changed_after_its_approval_is_not_approved(decide, decision, see):
    decide(decision)

    with pytest.raises(NotApprovedError, match=f"approved was sha256 {BYTES[:12]}…; it changed since"):
        see(OTHER)


def test_the_approval_of_an_older_run_is_not_one_of_this_run(decide, decision, see, new_run):
    decide(decision)

    with pytest.raises(NotApprovedError):
        see(run_id=new_run().run_id)


@pytest.mark.parametrize("choices", [("Reject", "Approve"), ("Approve", "Reject"), ("Approve", "Approve", "Reject")])
def test_a_rejection_holds_whatever_else_was_answered_about_the_same_bytes(decide, decision, see, choices):
    for chosen in choices:
        decide(replace(decision, chosen=chosen))

    with pytest.raises(NotApprovedError, match="'Reject' by carla"):
        see()


def test_the_first_of_several_approvals_counts(bench, run, decide, decision, see):
    decide(decision)
    decide(replace(decision, responded_by="dora"))

    assert see() == decision
    assert len([event for event in bench.trail.events(run.run_id) if event.kind == EventKind.APPROVED]) == 1


def test_only_those_whom_the_flow_names_can_approve(decide, decision, see):
    decide(decision)

    assert see(approvers=("carla", "dora")).responded_by == "carla"
    with pytest.raises(NotApprovedError, match="carla approved Approved Budget; the flow wants dora"):
        see(approvers=("dora",))


@pytest.mark.parametrize(
    ("column", "value"), [("chosen", "Approve"), ("responded_by", "carla"), ("requested_by", "eve")]
)
def test_an_answer_that_was_edited_in_the_database_is_noticed(bench, decide, decision, see, column, value):
    decide(replace(decision, chosen="Reject", responded_by="dora"))
    with bench.trail.engine.begin() as db:
        db.execute(sa.update(schema.approvals).values({column: value}))

    with pytest.raises(TamperedError):
        see()
