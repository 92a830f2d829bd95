# SPDX-License-Identifier: Apache-2.0
"""Figures of a plan become journals: sums stay, to the cent."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.finance.drafts import KEY_LENGTH, document_key
from airflow_provider_mlconnector.finance.grouping import (
    Figure,
    JournalRule,
    Place,
    added_up,
    make_journals,
    rounded,
)
from airflow_provider_mlconnector.finance.money import add_money, round_money
from tests.unit.pipeline.profiles import of_the_suite

OFFSET = Place("9999")
RULE = JournalRule(
    identity=("flow", "Approved Budget", "Larkfield", "Budget"),
    period="FY2027-P01",
    posting_date=date(2026, 7, 31),
    description="Budget FY2027-P01",
)
NAMES = ("Larkfield", "Meadow")
AMOUNTS = st.decimals(min_value=-(10**14), max_value=10**14, places=6)
FIGURES = st.lists(
    st.builds(
        Figure,
        place=st.builds(
            Place,
            account=st.sampled_from(["4000", "6100", "6200", "9999"]),
            dimensions=st.sampled_from([(), (("DEPARTMENT", "ADM"),), (("DEPARTMENT", "SALES"), ("PROJECT", "P1"))]),
        ),
        amount=AMOUNTS,
        group=st.tuples(st.sampled_from(NAMES)),
    ),
    max_size=40,
)


def rule(**changes):
    return JournalRule(**{name: getattr(RULE, name) for name in RULE.__slots__} | changes)


def figure(account, amount, group=()):
    return Figure(Place(account), Decimal(amount), group)


@given(FIGURES)
@of_the_suite(examples=200, deep=5000)
def test_rounding_keeps_the_rounded_sum_and_moves_no_amount_by_a_cent(figures):
    exact = added_up(figures)
    cents = rounded(exact, 2)

    assert add_money(cents.values()) == round_money(add_money(exact.values()), 2)
    for place, amount in exact.items():
        assert abs(cents.get(place, Decimal(0)) - amount) < Decimal("0.01")
        if amount == round_money(amount, 2):
            assert cents.get(place, Decimal(0)) == amount


@given(FIGURES, st.integers(min_value=2, max_value=6))
@of_the_suite(examples=200, deep=5000)
def test_journals_with_a_balancing_account_are_balanced_short_and_keep_every_sum(figures, lines):
    grouped = make_journals(figures, rule(lines=lines, balancing=OFFSET))

    assert grouped.problems == ()
    assert len({journal.key for journal in grouped.journals}) == len(grouped.journals)
    posted = [line for journal in grouped.journals for line in journal.lines]
    for journal in grouped.journals:
        assert add_money(line.amount for line in journal.lines) == 0
        assert 0 < len(journal.lines) <= lines
        assert [line.number for line in journal.lines] == list(range(1, len(journal.lines) + 1))
    for account in ("4000", "6100", "6200"):
        planned = add_money(f.amount for f in figures if f.place.account == account)
        written = add_money(line.amount for line in posted if line.account == account)
        groups = len({f.group for f in figures})
        assert abs(written - planned) < Decimal("0.01") * 3 * max(groups, 1)


@given(FIGURES, st.integers(min_value=0, max_value=6), st.integers(min_value=2, max_value=6), st.booleans())
@of_the_suite(examples=200, deep=5000)
def test_amounts_that_need_no_rounding_are_posted_where_they_were_planned_to_the_last_decimal(
    figures, places, lines, balances
):
    exact = [replace(one, amount=round_money(one.amount, places)) for one in figures]

    grouped = make_journals(exact, rule(places=places, lines=lines, balancing=OFFSET if balances else None))

    posted = [
        Figure(Place(line.account, line.dimensions), line.amount)
        for journal in grouped.journals
        for line in journal.lines
    ]
    planned, written = added_up(exact), added_up(posted)
    for place in planned.keys() | written.keys():
        if not balances or place != OFFSET:
            assert written.get(place, Decimal(0)) == planned.get(place, Decimal(0))
    if balances:
        assert add_money(written.values()) == 0
    else:
        assert add_money(written.values()) == add_money(planned.values())


@given(FIGURES, st.booleans())
@of_the_suite(examples=100, deep=2000)
def test_a_group_gets_the_journals_that_it_would_get_alone(figures, balances):
    one_rule = rule(lines=3, balancing=OFFSET if balances else None)

    alone = [make_journals([one for one in figures if one.group == (name,)], one_rule) for name in NAMES]

    together = make_journals(figures, one_rule)
    assert together.journals == sum((grouped.journals for grouped in alone), ())
    assert together.problems == sum((grouped.problems for grouped in alone), ())


@given(FIGURES)
@of_the_suite(examples=100, deep=2000)
def test_the_same_figures_in_any_order_give_the_same_journals(figures):
    assert make_journals(figures, RULE) == make_journals(figures[::-1], RULE)


def test_a_plan_of_both_sides_needs_no_balancing_account():
    grouped = make_journals([figure("6100", "0.01"), figure("4000", "-0.01")], RULE)

    (journal,) = grouped.journals
    assert grouped.problems == ()
    assert [(line.account, line.amount) for line in journal.lines] == [
        ("4000", Decimal("-0.01")),
        ("6100", Decimal("0.01")),
    ]


def test_thirds_of_a_cent_are_not_lost():
    grouped = make_journals([figure(str(n), "33.333333") for n in (1, 2, 3)] + [figure("4", "-99.999999")], RULE)

    (journal,) = grouped.journals
    assert [line.amount for line in journal.lines] == [
        Decimal("33.34"),
        Decimal("33.33"),
        Decimal("33.33"),
        Decimal("-100.00"),
    ]


def test_a_plan_that_does_not_balance_is_told_with_the_difference():
    grouped = make_journals([figure("6100", "100"), figure("4000", "-99.99")], RULE)

    ((key, sentence),) = grouped.problems
    assert key == grouped.journals[0].key
    assert "differ by 0.01" in sentence


def test_a_long_plan_is_cut_only_where_a_balancing_account_can_close_each_part():
    figures = [figure(f"{n:04d}", "1" if n % 2 else "-1") for n in range(1, 9)]

    (whole,) = make_journals(figures, rule(lines=5)).journals
    assert len(whole.lines) == 8
    assert "at most 5" in make_journals(figures, rule(lines=5)).problems[0][1]
    assert [len(j.lines) for j in make_journals(figures, rule(lines=5, balancing=OFFSET)).journals] == [4, 4]


def test_each_group_gets_a_journal_of_its_own_and_what_comes_to_nothing_gets_none():
    figures = [
        figure("6100", "5", ("Larkfield",)),
        figure("4000", "-5", ("Larkfield",)),
        figure("6100", "3", ("Meadow",)),
        figure("6100", "-3", ("Meadow",)),
    ]

    grouped = make_journals(figures, RULE)

    assert [len(journal.lines) for journal in grouped.journals] == [2]


def test_a_document_is_known_by_what_it_is_about_and_its_key_is_short():
    key = document_key("flow", "plan", "Larkfield", "Budget", "FY2027-P01", "1")

    assert key == document_key("flow", "plan", "Larkfield", "Budget", "FY2027-P01", "1")
    assert key != document_key("flow", "plan", "Larkfield", "Budget", "FY2027-P0", "11")
    assert len(key) <= KEY_LENGTH


@pytest.mark.parametrize("amount", ["99999999999.99", "0.01", "-99999999999.99"])
def test_large_and_small_amounts_come_out_as_they_went_in(amount):
    grouped = make_journals([figure("6100", amount)], rule(balancing=OFFSET))

    assert [line.amount for line in grouped.journals[0].lines] == [Decimal(amount), -Decimal(amount)]
