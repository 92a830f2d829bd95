# SPDX-License-Identifier: Apache-2.0
"""The budgets of four more ledgers come home side by side, out of one model; then people post them."""

import pytest

from tests.e2e.ledger_runs import AGAIN, CHANGED, LEDGERS, books_of, budget, each_ledger
from tests.e2e.local_agent import NAME
from tests.e2e.sections import overlaps

AT_LEDGER = ("preflight", "write", "verify")

pytestmark = pytest.mark.parametrize("site", ["postgres"], indirect=True)


@each_ledger
def test_drafts_have_the_totals_of_the_budget_and_nothing_is_posted(site, plans, ledger):
    documents = plans.documents[ledger.system]
    assert len(documents) == 1
    assert ledger.totals(documents) == budget(ledger)


def test_what_is_handed_to_a_person_was_checked_and_not_posted(site, plans):
    told = site.sandbox.call("GET", "/syspro/journals")
    assert told["validations"] > 0
    assert told["post_calls"] == 0


def test_four_plans_share_the_model_one_after_the_other(site, plans):
    assert len([event for event in plans.events if event["kind"] == "start"]) == len(LEDGERS)
    assert overlaps(plans.events) == []


def test_a_local_agent_talks_to_the_ledger_and_does_nothing_else(site, plans):
    places = {name: run.tasks() for name, run in plans.runs.items()}
    agents = {(name, task) for name, tasks in places.items() for task in tasks if tasks[task]["hostname"] == NAME}
    assert agents == {("dynamics_gp", task) for task in AT_LEDGER}


def test_a_plan_that_is_in_the_ledger_is_neither_asked_about_nor_written_again(site, plans, second_plans):
    states = {name: task["state"] for name, task in second_plans.same.tasks().items()}
    assert (states["preflight"], states["approve"], states["write"]) == ("success", "skipped", "skipped")
    assert second_plans.same_documents == plans.documents[AGAIN.system]


def test_a_changed_plan_replaces_its_draft(site, plans, second_plans):
    assert second_plans.changed_documents.keys() == plans.documents[CHANGED.system].keys()
    assert CHANGED.totals(second_plans.changed_documents) == budget(CHANGED, 2)


@each_ledger
def test_once_a_person_posted_the_drafts_the_next_close_leaves_actuals_as_they_are(site, plans, closes, ledger):
    assert books_of(site, ledger) != plans.before[ledger.system]
    assert closes.actuals[ledger.system] == plans.before[ledger.system]
    close = closes.runs[ledger.system]
    loaded = close.dag.xcom(close.run_id, "load_gl_actuals.load")
    assert "our own plan document" in loaded["prepared"]["left_out"]
