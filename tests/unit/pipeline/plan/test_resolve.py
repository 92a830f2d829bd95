# SPDX-License-Identifier: Apache-2.0
"""The lines of an exported plan become journals, or are told why not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import DataError, HeaderError
from airflow_provider_mlconnector.finance.grouping import Place
from airflow_provider_mlconnector.pipeline.resolve import read_payload, read_problems, resolve
from tests.unit.pipeline.plan.plans import AUGUST, JULY, PLAN, Lists, exported, line


@pytest.fixture
def resolved(bench, new_run):
    run = new_run()

    def go(*lines, plan=PLAN, periods=(JULY,), lists=None, **more):
        manifest = resolve(bench, plan, exported(bench, run, lines, **more), periods, "Budget", lists or Lists())
        return manifest, read_payload(bench, manifest)[0], read_problems(bench, manifest)

    return go


def posted(payload):
    return [
        (one.period, one.posting_date, [(ln.account, ln.dimension, ln.amount) for ln in one.lines])
        for one in payload.journals
    ]


def test_members_become_accounts_and_dimensions_by_the_code_book_read_backwards(resolved):
    manifest, payload, problems = resolved(
        line("4000", "-150", "NONE"), line("6100", "100.50", "CC100"), line("6100", "49.50", "CC200")
    )

    assert problems == []
    assert posted(payload) == [
        (
            "FY2027-P01",
            JULY.end,
            [
                ("4000", {}, Decimal("-150.00")),
                ("6100", {"DEPARTMENT": "ADM"}, Decimal("100.50")),
                ("6100", {"DEPARTMENT": "SALES"}, Decimal("49.50")),
            ],
        )
    ]
    assert (manifest.rows, manifest.posted, manifest.journals, manifest.debit) == (3, 3, 1, "150.00")


def test_members_exported_by_name_mean_the_same(resolved):
    _, by_name, problems = resolved(line("Sales", "-1", "No department"), line("Salaries", "1", "Administration"))
    _, by_code, _ = resolved(line("4000", "-1", "NONE"), line("6100", "1", "CC100"))

    assert problems == []
    assert by_name == by_code


def test_lines_of_other_periods_versions_entities_and_of_nothing_are_counted_with_their_sums(resolved):
    manifest, payload, _ = resolved(
        line("4000", "-1"),
        line("6100", "1"),
        line("6100", "2", time="Aug 26"),
        line("6100", "3", version="Forecast"),
        line("6100", "4", entity="Meadow"),
        line("6100", "5", entity="Meadow"),
        line("6200", "0"),
        line("6200", ""),
    )

    assert manifest.left_out == {
        "another period": "1 lines, 2.00",
        "Version is not Budget": "1 lines, 3.00",
        "Entity is not Larkfield": "2 lines, 9.00",
        "an amount of 0": "2 lines, 0.00",
    }
    assert manifest.rows == manifest.posted + 6
    assert len(payload.journals[0].lines) == 2


def test_several_periods_come_to_a_journal_each(resolved):
    _, payload, _ = resolved(
        line("4000", "-1"),
        line("6100", "1"),
        line("4000", "-2", time="Aug 26"),
        line("6100", "2", time="Aug 26"),
        periods=(AUGUST, JULY),
    )

    assert payload.periods == ("FY2027-P01", "FY2027-P02")
    assert [(one.period, one.debit) for one in payload.journals] == [
        ("FY2027-P01", Decimal(1)),
        ("FY2027-P02", Decimal(2)),
    ]


def test_everything_that_is_wrong_with_the_plan_is_collected_line_by_line(resolved):
    _, _, problems = resolved(
        line("4000", "-1"),
        line("9999", "1"),
        line("6100", "1", "CC999"),
        line("6100", "one"),
        line("", "1", "CC999"),
    )

    assert [(problem.where, problem.subject) for problem in problems] == [
        ("line 3 of the export", "9999"),
        ("line 4 of the export", "CC999"),
        ("line 5 of the export", "Amount"),
        ("line 6 of the export", "CC999"),
        ("FY2027-P01", problems[-1].subject),
    ]
    assert "has none of that name or code" in problems[0].sentence
    assert "'one' is not an amount" in problems[2].sentence
    assert "differ by -1.00" in problems[-1].sentence


def test_a_member_that_the_code_book_does_not_know_is_a_problem_though_the_model_has_it(resolved):
    lists = Lists()
    lists.lists["Cost Centres"]["CC300"] = "Production"

    _, _, problems = resolved(line("6100", "1", "CC300"), line("4000", "-1"), lists=lists)

    assert "unmapped: cost_centres.csv has no code" in problems[0].sentence


def test_a_text_that_is_one_members_code_and_anothers_name_is_not_guessed_at(resolved):
    lists = Lists()
    lists.lists["Accounts"]["7000"] = "6100"

    _, _, problems = resolved(line("6100", "1"), lists=lists)

    assert "the name of another" in problems[0].sentence


def test_a_balancing_account_takes_what_a_one_sided_plan_leaves_open(resolved):
    _, payload, problems = resolved(
        line("6100", "10"), plan=replace(PLAN, balancing=Place("2900", (("DEPARTMENT", "ADM"),)))
    )

    assert problems == []
    assert posted(payload)[0][2][-1] == ("2900", {"DEPARTMENT": "ADM"}, Decimal("-10.00"))


def test_a_file_that_speaks_of_no_such_period_is_an_error_and_not_an_empty_plan(resolved):
    with pytest.raises(DataError, match=r"No line of Approved Budget is Budget of Jul 26: 1 lines: another period"):
        resolved(line("6100", "1", time="2026-07"))


def test_a_file_without_a_column_is_refused(resolved):
    with pytest.raises(HeaderError, match="no column Entity"):
        resolved(("6100", "CC100"), header=("Account", "Cost Centre", "Version", "Time", "Amount"))


def test_the_same_file_gives_the_same_bytes_in_every_run(resolved):
    lines = [line("4000", "-1"), line("6100", "1")]

    assert resolved(*lines)[0].sha256 == resolved(*lines)[0].sha256
