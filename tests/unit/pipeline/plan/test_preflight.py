# SPDX-License-Identifier: Apache-2.0
"""Everything that is wrong is told before anybody is asked; what they are asked shows totals and a digest."""

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import CapabilityError, PreflightError
from airflow_provider_mlconnector.pipeline.preflight import preflight
from airflow_provider_mlconnector.pipeline.resolve import read_payload, resolve
from airflow_provider_mlconnector.pipeline.writeback import write_back
from airflow_provider_mlconnector.systems.drafting import Problem
from airflow_provider_mlconnector.systems.port import PeriodStatus
from tests.unit.pipeline.plan.fake_drafts import Books, FakeDrafts
from tests.unit.pipeline.plan.plans import JULY, PLAN, Lists, exported, line

CATEGORIES = {"4000": "income", "6100": "expense"}


@pytest.fixture
def books(clock):
    return Books(clock)


@pytest.fixture
def plan_of(bench, new_run):
    run = new_run()

    def go(*lines):
        return resolve(bench, PLAN, exported(bench, run, lines), [JULY], "Budget", Lists())

    return go


@pytest.fixture
def check(bench, books):
    def go(resolved, *, problems=(), status=PeriodStatus.OPEN, drafting=None):
        return preflight(bench, resolved, {JULY: status}, drafting or FakeDrafts(books, problems), CATEGORIES)

    return go


@pytest.fixture
def write(bench, books):
    def go(resolved):
        payload, _ = read_payload(bench, resolved)
        write_back(bench, payload, FakeDrafts(books), run_id=resolved.run.run_id, owner="o", resource="r")

    return go


def test_a_person_is_shown_totals_groups_lines_what_is_left_out_and_the_digest(plan_of, check):
    resolved = plan_of(line("4000", "-150"), line("6100", "100"), line("6200", "50"), line("6100", "7", time="Aug 26"))

    passed = check(resolved)

    assert passed.changes
    assert passed.sha256 == resolved.sha256
    assert "3 lines, debits and credits of 150.00 each" in passed.body
    assert "| expense | 6100 | 100.00 | 0.00 | 100.00 |" in passed.body
    assert "By group: expense 100.00; income -150.00; other 50.00" in passed.body
    assert "another period (1 lines, 7.00)" in passed.body
    assert f"sha256 `{resolved.sha256}`" in passed.body


def test_the_plan_the_ledger_and_the_period_are_wrong_in_one_report(bench, plan_of, check):
    resolved = plan_of(line("4000", "-150"), line("9999", "150"))
    refused = Problem("AP1", 1, "4000", "the account is blocked")

    with pytest.raises(PreflightError) as error:
        check(resolved, problems=[refused], status=PeriodStatus.CLOSED)

    told = str(error.value)
    assert "has 4 problems" in told
    for part in ("line 3 of the export: 9999", "differ by -150.00", "FY2027-P01: the period is closed", "is blocked"):
        assert part in told
    assert len(bench.trail.rejects(resolved.run.run_id)) == 4


def test_a_period_of_which_the_ledger_says_nothing_is_not_held_against_the_plan(plan_of, check):
    assert check(plan_of(line("4000", "-1"), line("6100", "1")), status=PeriodStatus.UNKNOWN).changes


def test_a_plan_that_is_in_the_ledger_already_changes_nothing(plan_of, check, write):
    resolved = plan_of(line("4000", "-1"), line("6100", "1"))
    write(resolved)

    assert not check(resolved).changes


def test_a_changed_plan_is_shown_beside_the_draft_that_it_replaces(plan_of, check, write):
    write(plan_of(line("4000", "-150"), line("6100", "150")))

    passed = check(plan_of(line("4000", "-90"), line("6100", "90")))

    assert passed.changes
    assert "| income | 4000 | -90.00 | -150.00 | 60.00 |" in passed.body


def test_a_draft_that_the_plan_has_no_more_is_a_change_that_is_told(plan_of, check, write):
    write(plan_of(line("4000", "-150"), line("6100", "150")))

    passed = check(plan_of(line("4000", "0"), line("6100", "0")))

    assert passed.changes
    assert "1 draft of earlier runs is removed" in passed.body


def test_a_draft_that_only_a_person_can_remove_is_told_before_anybody_is_asked(plan_of, check, write, books):
    class Fixed(FakeDrafts):
        def steps(self, journal):
            raise CapabilityError("Drafts cannot be removed from outside.", hint="Delete it in the ledger.")

    write(plan_of(line("4000", "-150"), line("6100", "150")))

    with pytest.raises(PreflightError, match=r"cannot be removed from outside. Delete it in the ledger"):
        check(plan_of(line("4000", "0"), line("6100", "0")), drafting=Fixed(books))


def test_a_document_that_a_person_posted_is_refused_only_when_the_plan_changed(plan_of, check, write, books):
    resolved = plan_of(line("4000", "-150"), line("6100", "150"))
    write(resolved)
    books.posted = set(books.headers)

    assert not check(resolved).changes
    with pytest.raises(PreflightError, match="a person has posted this document"):
        check(plan_of(line("4000", "-90"), line("6100", "90")))
    with pytest.raises(PreflightError, match="a person has posted this document"):
        check(plan_of(line("4000", "0"), line("6100", "0")))


def test_nothing_is_changed_by_a_preflight(plan_of, check, books):
    check(plan_of(line("4000", "-1"), line("6100", "1")))

    assert books.requests == 0


def test_only_the_first_of_many_problems_are_in_the_message_and_all_are_on_the_trail(bench, plan_of, check):
    resolved = plan_of(*[line(f"9{n:03d}", "1") for n in range(50)])

    with pytest.raises(PreflightError, match=r"has 50 problems.*\n(.*\n)*… and 20 more"):
        check(replace(resolved))

    assert len(bench.trail.rejects(resolved.run.run_id)) == 50
