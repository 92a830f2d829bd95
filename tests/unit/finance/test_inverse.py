# SPDX-License-Identifier: Apache-2.0
"""A code book read backwards: each member stands for one code, or the flow is refused."""

from datetime import date

import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.inverse import invert

TODAY = date(2026, 11, 20)


def exact(code, member, line=2, **dates):
    return Rule(MatchKind.EXACT, code, member, line=line, **dates)


def test_each_member_gives_the_code_that_came_to_it():
    inverse = invert(crosswalk("centres.csv", [exact("ADM", "CC100"), exact("", "NONE")]))

    assert inverse.code("CC100", TODAY) == "ADM"
    assert inverse.code("NONE", TODAY) == ""
    assert inverse.code("CC999", TODAY) is None


def test_a_member_that_changed_its_code_gives_the_one_of_the_day():
    book = crosswalk(
        "centres.csv",
        [exact("OLD", "CC100", valid_to=date(2026, 6, 30)), exact("NEW", "CC100", valid_from=date(2026, 7, 1))],
    )

    assert invert(book).code("CC100", date(2026, 6, 30)) == "OLD"
    assert invert(book).code("CC100", date(2026, 7, 1)) == "NEW"


@pytest.mark.parametrize(
    "rule",
    [
        Rule(MatchKind.PREFIX, "61", "CC-61", line=7),
        Rule(MatchKind.RANGE, "7000", "CC-70", until="7999", line=7),
        Rule(MatchKind.DEFAULT, "", "OTHER", line=7),
    ],
)
def test_a_rule_for_many_codes_does_not_invert(rule):
    with pytest.raises(FlowError, match=r"books/centres.csv:7: .* more than one code"):
        invert(crosswalk("centres.csv", [rule]), file="books/centres.csv")


def test_two_codes_of_one_member_on_one_day_do_not_invert():
    book = crosswalk("centres.csv", [exact("ADM", "CC100"), exact("SALES", "CC100", line=3)])

    with pytest.raises(FlowError, match="'CC100' stands for both 'ADM' and 'SALES'"):
        invert(book)
