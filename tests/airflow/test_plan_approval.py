# SPDX-License-Identifier: Apache-2.0
"""What lets a plan be written is a person's answer about exactly its bytes, in this run. All else writes nothing."""

import pytest
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped

from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plan_spec import ApproverSpec
from tests.airflow.closing_runs import FLOW, changed
from tests.airflow.plan_runs import PlanRun, drafts, set_budget


@pytest.fixture(scope="module")
def flow():
    return load_flow(FLOW)


@pytest.fixture
def run(site, flow):
    """A run of a plan that passed its preflight; its person has been asked."""
    set_budget(site)
    made = PlanRun(flow)
    made.prepare()
    made.ask()
    return made


def with_approval(flow, **approval):
    """Return a flow with other rules for the approval of its plan."""
    (plan,) = flow.spec.plan
    return changed(flow, plan=(plan.model_copy(update={"approval": plan.approval.model_copy(update=approval)}),))


def refuses(site, run, sentence, **more):
    """See that the write step refuses, says why, and that the ledger holds nothing."""
    with pytest.raises(AirflowFailException, match=sentence):
        run.execute("write", **more)
    assert drafts(site) == []
    assert site.trail.runs()[0].outcome == "failed"


# Around the person


def test_an_approval_that_is_marked_as_successful_writes_nothing(site, run):
    refuses(site, run, "Marking a task as successful is no answer")


def test_an_edited_xcom_of_the_approval_writes_nothing(site, run):
    answer = {"chosen_options": ["Approve"], "responded_by_user": {"id": "bella", "name": "bella"}}
    run.results["approve"] = answer
    refuses(site, run, "Marking a task as successful is no answer")


def test_an_edited_xcom_of_the_preflight_asks_about_nothing_else(site, run):
    run.results["preflight"] = {"sha256": "0" * 64, "changes": True}
    run.answer()
    (asked,), (approved,) = site.events("asked"), site.events("approved")
    assert asked.detail["sha256"] == approved.detail["sha256"] == run.results["resolve"]["sha256"]


@pytest.mark.parametrize("handed_on", [None, {}, {"plan": "Approved Budget", "payload": "all of it"}])
def test_a_resolve_that_was_marked_as_successful_writes_nothing(site, run, handed_on):
    run.answer()
    run.results["resolve"] = handed_on
    refuses(site, run, "is no resolved plan")


def test_an_approval_of_other_bytes_than_those_handed_on_writes_nothing(site, run):
    run.answer()
    set_budget(site, {("60210", "CC300"): "9999.99", ("20400", "NONE"): "-10300.00"})
    for task_id in ("export", "resolve"):  # what somebody put in the place of what was approved
        run.execute(task_id)
    refuses(site, run, "Nobody approved .* as it is .*; it changed since")


def test_a_file_that_was_changed_after_its_approval_writes_nothing(site, run, home):
    run.answer()
    key = run.results["resolve"]["payload"]["key"]
    (file,) = [path for path in home.rglob("*.json") if str(path).endswith(key)]
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"1200.50", b"1200.51"))
    refuses(site, run, "is not what was written")


def test_journals_of_another_plan_are_not_written_whoever_approved_them(site, run, flow):
    run.answer()
    (plan,) = flow.spec.plan
    other = changed(
        flow, plan=(plan.model_copy(update={"journal": plan.journal.model_copy(update={"name": "DEFAULT"})}),)
    )
    elsewhere = PlanRun(other)
    elsewhere.results, elsewhere.contexts = run.results, run.contexts
    refuses(site, elsewhere, "What was handed on are journals of Approved Budget")


def test_the_approval_of_an_older_run_writes_nothing_in_this_one(site, run, flow):
    run.answer()
    again = PlanRun(flow, run_id="manual__2")
    again.prepare()
    again.results["resolve"] = run.results["resolve"]
    refuses(site, again, "its approval task wrote no answer")


# Which person


def test_who_asked_for_the_run_cannot_approve_it(site, run):
    run.answer(by="anna")
    refuses(site, run, "anna asked for the run and approved Approved Budget; the flow wants four eyes")


def test_two_eyes_are_enough_where_the_flow_says_so(site, run, flow):
    alone = PlanRun(with_approval(flow, four_eyes=False), run_id="manual__2")
    alone.prepare()
    alone.ask()
    alone.answer(by="anna")
    alone.execute("write")
    assert len(drafts(site)) == 3


def test_the_users_who_may_answer_are_those_of_the_flow(site, flow):
    set_budget(site)
    named = with_approval(flow, approvers=("carla", ApproverSpec(name="dora", id="7")))
    run = PlanRun(named)
    run.prepare()
    assert run.ask().assigned_users == [{"id": "carla", "name": "carla"}, {"id": "7", "name": "dora"}]
    run.answer(by="bella")  # as when every user is an admin, and Airflow lets them all answer
    refuses(site, run, "bella approved Approved Budget; the flow wants carla or dora")


# No answer, and several


def test_a_default_that_stands_for_an_answer_writes_nothing(site, run):
    run.answer(by=None)
    refuses(site, run, "No person answered about Approved Budget in time")


def test_when_nobody_answers_the_run_fails_without_another_try(site, run):
    event = {"error": "The response timeout has passed without a response.", "error_type": "timeout"}
    with pytest.raises(AirflowFailException, match="Nobody answered about Approved Budget: The response timeout"):
        run.wake(event)
    assert site.trail.runs()[0].outcome == "failed"
    refuses(site, run, "Marking a task as successful is no answer")


def test_a_rejection_skips_what_follows_and_ends_the_run_with_its_reason(site, run):
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        run.answer(chosen="Reject", reason="Too much rent.")
    assert set(skipped.value.tasks) == {"write", "verify"}
    (told,) = site.trail.runs()
    assert told.outcome == "cancelled"
    (answer,) = site.events("approved")
    assert (answer.detail["chosen"], answer.detail["reason"]) == ("Reject", "Too much rent.")
    refuses(site, run, "answered 'Reject' by bella")


@pytest.mark.parametrize("first", ["Approve", "Reject"])
def test_a_rejection_holds_before_and_after_an_approval_in_the_same_run(site, run, first):
    other = {"Approve": "Reject", "Reject": "Approve"}[first]
    for chosen, by in ((first, "bella"), (other, "carla")):
        run.ask(clear_number=1)
        try:
            run.answer(by=by, chosen=chosen, clear_number=1)
        except DownstreamTasksSkipped:
            assert chosen == "Reject"
    refuses(site, run, "answered 'Reject'", clear_number=1)


def test_a_run_never_asks_about_other_bytes_than_at_first_since_airflow_shows_the_first_question(site, run):
    set_budget(site, {("60210", "CC300"): "9999.99", ("20400", "NONE"): "-10300.00"})
    run.prepare(clear_number=1)
    with pytest.raises(AirflowFailException, match=r"Airflow shows the old question\. Start a new run"):
        run.ask(clear_number=1)


def test_an_approval_task_that_is_tried_again_asks_about_the_same(site, run):
    assert run.results["resolve"]["sha256"] in run.ask().body
    run.answer()
    run.execute("write")
    assert len(drafts(site)) == 3
