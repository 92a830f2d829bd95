# SPDX-License-Identifier: Apache-2.0
"""What keeps a journal from being written or posted is found before a person is asked, all of it at once."""

from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, document_key
from airflow_provider_mlconnector.sandbox.business_central.posting_rules import DefaultDimension, Validation
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.systems.drafting import Problem
from tests.unit.systems.business_central.drafts.desk import BATCH, DAY, held, holds, journal


@pytest.fixture
def problems(desk):
    """Check journals with the finance API; tell the problems as line, subject and sentence."""

    def check(*journals, template="", **options):
        drafting = desk.drafting(template, **{"source": FinanceApi.AUTO} | options)
        found = drafting.problems(journals)
        assert all(isinstance(problem, Problem) for problem in found)
        return [(problem.line, problem.subject, problem.sentence) for problem in found]

    return check


def of_lines(*lines: tuple[str, str, dict[str, str]], day: date = DAY, **more: str) -> Journal:
    """Return a journal of account, amount and dimensions per line."""
    made = tuple(
        JournalLine(
            number=number,
            account=account,
            amount=Decimal(amount),
            dimensions=tuple(sorted(dimensions.items())),
            description=more.get("description", "Plan"),
        )
        for number, (account, amount, dimensions) in enumerate(lines, start=1)
    )
    key = more.get("key", document_key(repr(made)))
    return journal(lines=made, posting_date=day, key=key)


def balanced(account: str, amount: str = "5", **dimensions: str) -> Journal:
    return of_lines((account, amount, dimensions), ("20400", f"-{amount}", {}))


def test_a_journal_that_can_be_posted_has_no_problems(desk, problems):
    wanted = journal(part="whole")
    assert problems(wanted) == []
    desk.write(wanted)
    desk.post_by_hand()


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ("60800", "the account is blocked"),
        ("20100", "the account does not allow direct posting"),
        ("60200", "the account is a Begin-Total, and only Posting accounts carry entries"),
        ("99999", "there is no such account"),
    ],
)
def test_an_account_that_cannot_be_posted_to_is_told(problems, account, sentence):
    assert problems(balanced(account)) == [(1, account, sentence)]


@pytest.mark.parametrize(
    ("dimensions", "subject", "sentence"),
    [
        ({"DEPARTMENT": "LEGACY"}, "LEGACY", "the value of dimension DEPARTMENT is blocked"),
        ({"DEPARTMENT": "OPS"}, "OPS", "the value of dimension DEPARTMENT is a Begin-Total"),
        ({"DEPARTMENT": "NOWHERE"}, "NOWHERE", "dimension DEPARTMENT has no such value"),
        ({"REGION": "NORTH"}, "REGION", "there is no such dimension"),
    ],
)
def test_a_dimension_value_that_cannot_be_posted_is_told(problems, dimensions, subject, sentence):
    assert problems(balanced("60210", **dimensions)) == [(1, subject, sentence)]


def test_without_the_finance_api_it_is_not_known_which_values_are_blocked(desk, problems):
    desk.control.call("PATCH", "/business_central/switches", {"reports_finance": False})
    assert problems(balanced("60210", DEPARTMENT="LEGACY")) == []
    told = problems(balanced("60210", DEPARTMENT="NOWHERE"))
    assert told == [(1, "NOWHERE", "dimension DEPARTMENT has no such value")]


@pytest.mark.parametrize(
    ("default", "dimensions", "sentence"),
    [
        (("", Validation.CODE_MANDATORY), {}, "the account demands a value of dimension DEPARTMENT"),
        (
            ("ADM", Validation.SAME_CODE),
            {"DEPARTMENT": "SALES"},
            "the account demands the value ADM of dimension DEPARTMENT, not SALES",
        ),
        (
            ("ADM", Validation.SAME_CODE),
            {},
            "the account demands the value ADM of dimension DEPARTMENT, not none",
        ),
        (
            ("", Validation.NO_CODE),
            {"DEPARTMENT": "SALES"},
            "the account allows no value of dimension DEPARTMENT",
        ),
    ],
)
def test_what_an_account_demands_of_dimensions_is_told(desk, problems, default, dimensions, sentence):
    desk.journals.rules.put_default(DefaultDimension("60210", "DEPARTMENT", *default))
    assert problems(balanced("60210", **dimensions)) == [(1, "60210", sentence)]


@pytest.mark.parametrize(
    ("amount", "default", "dimensions"),
    [
        ("11", ("ADM", Validation.NONE), {}),
        ("12", ("", Validation.CODE_MANDATORY), {"DEPARTMENT": "SALES"}),
        ("13", ("ADM", Validation.SAME_CODE), {"DEPARTMENT": "ADM"}),
        ("14", ("", Validation.NO_CODE), {}),
    ],
)
def test_what_keeps_to_the_rules_of_an_account_can_be_written_and_posted(desk, problems, amount, default, dimensions):
    desk.journals.rules.put_default(DefaultDimension("60210", "DEPARTMENT", *default))
    wanted = balanced("60210", amount, **dimensions)
    assert problems(wanted) == []
    desk.write(wanted)
    assert holds(desk) == held(wanted)
    desk.post_by_hand()


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (date(2026, 10, 31), "the accounting period that begins on 2026-10-01 is closed"),
        (date(2020, 1, 1), "the first accounting period begins on 2025-07-01"),
    ],
)
def test_a_day_in_no_open_period_is_told(problems, day, sentence):
    assert problems(of_lines(("60210", "5", {}), ("20400", "-5", {}), day=day)) == [(None, str(day), sentence)]


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"first": "2026-12-01"}, "posting is allowed from 2026-12-01 only (General Ledger Setup)"),
        (
            {"first": "2026-11-01", "last": "2026-11-15"},
            "posting is allowed from 2026-11-01 to 2026-11-15 only (General Ledger Setup)",
        ),
        ({"last": "2026-11-15"}, "posting is allowed up to 2026-11-15 only (General Ledger Setup)"),
    ],
)
def test_a_day_outside_the_posting_window_is_told(desk, problems, window, sentence):
    desk.control.call("PUT", "/business_central/posting-window", window)
    assert problems(balanced("60210")) == [(None, str(DAY), sentence)]


def test_a_batch_that_cannot_be_used_is_told_once(desk, problems):
    desk.journals.put_batch(BATCH, balancing_account="10130")
    (told,) = problems(balanced("60210"), journal("7", part="2"))
    assert (told[0], told[1]) == (None, "ANAPLAN")
    assert told[2].startswith("the batch has the balancing account 10130")
    (missing,) = problems(balanced("60210"), template="ASSETS")
    assert missing[1:] == (
        "ANAPLAN of template ASSETS",
        "there is no such journal batch in template ASSETS; make one, without a balancing account",
    )


def test_what_does_not_balance_or_fit_is_told(problems):
    wanted = of_lines(("60210", "5.005", {}), ("20400", "-4", {}), key="K" * 21, description="x" * 101)
    assert problems(wanted) == [
        (None, wanted.key, "debits and credits differ by 1.005"),
        (None, wanted.key, "the document number has 21 characters; there is room for 20"),
        (1, "x" * 101, "the description has 101 characters; there is room for 100"),
        (1, "5.005", "no amount that the ledger can hold; it keeps two decimals"),
        (2, "x" * 101, "the description has 101 characters; there is room for 100"),
    ]


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_written(desk, problems):
    desk.journals.put_batch(BATCH, balancing_account="10130")
    desk.journals.rules.put_default(DefaultDimension("60210", "PROJECT", "", Validation.CODE_MANDATORY))
    day = date(2026, 10, 31)
    wrong = of_lines(
        ("60800", "5", {}), ("60210", "1", {"DEPARTMENT": "LEGACY", "REGION": "X"}), ("99999", "1", {}), day=day
    )
    before = desk.writes()
    told = [(line, subject) for line, subject, _ in problems(wrong, journal("7", part="2"))]
    assert told == [
        (None, "ANAPLAN"),
        (None, str(day)),
        (None, wrong.key),
        (1, "60800"),
        (2, "60210"),
        (2, "LEGACY"),
        (2, "REGION"),
        (3, "99999"),
    ]
    assert desk.writes() == before
