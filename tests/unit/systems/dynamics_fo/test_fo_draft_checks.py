# SPDX-License-Identifier: Apache-2.0
"""What stands in the way of a plan's journals is found before a person is asked, all of it, and nothing is changed."""

from dataclasses import replace as with_
from datetime import date

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sandbox.books.company import DimensionValue, ValueType
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import JournalName, NewVoucher
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import AccountRule, Side, Span, ValueRule
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.dynamics_fo.draft_options import Demand, JournalOptions
from tests.unit.systems.dynamics_fo.fo_desk import NAME, PERIOD, FoDesk, journal

WANTED = journal()


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_fo"], scale=0.02) as running:
        yield running


@pytest.fixture
def desk(sandbox):
    one = FoDesk(sandbox)
    one.clear()
    yield one
    one.world.books.reopen_period(PERIOD)
    one.close()


def told(desk, *journals, name=NAME, **options):
    """Return line, subject and sentence of every problem."""
    before = desk.writes()
    problems = desk.drafting(name, **options).problems(journals or [WANTED])
    assert desk.writes() == before
    return [(problem.line, problem.subject, problem.sentence) for problem in problems]


def one(desk, *journals, **more):
    (only,) = told(desk, *journals, **more)
    return only


def test_a_journal_that_can_be_written_and_posted_has_no_problem(desk):
    assert told(desk) == []


def test_everything_is_in_one_report(desk):
    desk.world.books.close_period(PERIOD)
    bad = journal(("60210", "NOPE", "5"), ("99999", "", "-4"), ("60210", "LEGACY", "0.005"))
    found = told(desk, bad, journal(part="2"), name="NOPE")
    assert [(line, subject) for line, subject, _ in found] == [
        (None, "NOPE"),
        (None, "2026-11-30"),
        (None, bad.key),
        (1, "NOPE"),
        (2, "99999"),
        (3, "LEGACY"),
        (3, "0.005"),
        (None, "2026-11-30"),
    ]


@pytest.mark.parametrize(
    ("setup", "sentence"),
    [
        ({"type": "Allocation"}, "of type Allocation"),
        ({"workflow": True}, "need an approval in the ledger"),
        ({"approval": True}, "need an approval in the ledger"),
        ({"offset_account": "20400"}, "offset account 20400--"),
        ({"new_voucher": NewVoucher.MANUAL}, "entered by hand"),
        ({"line_limit": 2}, "at most 2 lines"),
    ],
)
def test_a_journal_name_that_is_not_fit_is_told(desk, setup, sentence):
    desk.journals.put_name(JournalName(NAME, **setup))
    line, subject, text = one(desk)
    assert (line, subject) == (None, NAME)
    assert sentence in text


def test_a_journal_name_that_is_not_there_and_an_approval_that_is_expected(desk):
    assert "no such journal name" in one(desk, name="anaplan")[2]
    desk.journals.put_name(JournalName(NAME, workflow=True))
    assert told(desk, workflow="allowed") == []


@pytest.mark.parametrize(
    ("account", "rule", "sentence"),
    [
        ("99999", None, "no such main account"),
        ("20100", None, "manual entry"),
        ("60210", AccountRule(side=Side.CREDIT), "takes credits alone"),
        ("60210", AccountRule(active=Span(first=date(2027, 1, 1))), "active from 2027-01-01"),
        ("60210", AccountRule(active=Span(last=date(2026, 1, 1))), "active until 2026-01-01"),
    ],
)
def test_an_account_that_takes_no_such_line_is_told(desk, account, rule, sentence):
    if rule:
        desk.rules.accounts[account] = rule
    line, subject, text = one(desk, journal((account, "", "5"), ("20400", "", "-5")))
    assert (line, subject) == (1, account)
    assert sentence in text


def test_a_suspended_account_and_a_total_are_told(desk):
    books = desk.world.books
    total = next(account for account in books.accounts if account.type != "Posting")
    books.block_account("60310")
    found = told(desk, journal(("60310", "", "5"), (total.number, "", "-5")))
    books.block_account("60310", blocked=False)
    assert "suspended" in found[0][2]
    assert "carries no entries" in found[1][2]


@pytest.mark.parametrize(
    ("value", "rule", "sentence"),
    [
        ("NOPE", None, "no such value"),
        ("sales", None, "no such value"),
        ("LEGACY", None, "is suspended"),
        ("SALES", ValueRule(manual=False), "blocked for manual entry"),
        ("SALES", ValueRule(active=Span(last=date(2026, 1, 1))), "active until"),
        ("ALLDEPS", None, "is a total"),
    ],
)
def test_a_dimension_value_that_cannot_be_posted_is_told(desk, value, rule, sentence):
    desk.world.books.add_value(DimensionValue("DEPARTMENT", "ALLDEPS", "All", type=ValueType.TOTAL))
    if rule:
        desk.rules.values["Department", value] = rule
    line, subject, text = one(desk, journal(("60210", value, "5"), ("20400", "", "-5")))
    assert (line, subject) == (1, value)
    assert sentence in text


def test_a_dimension_that_the_environment_or_its_format_lacks_is_told(desk):
    lines = WANTED.lines
    strange = replace(WANTED, lines=(replace(lines[0], dimensions=(("REGION", "N"),)), *lines[1:]))
    found = told(desk, strange)
    assert [(line, subject) for line, subject, _ in found] == [(1, "REGION"), (1, "REGION")]
    assert "no such dimension" in found[0][2]
    desk.switch(dimension_format=["MainAccount", "Project"])
    found = told(desk)
    assert [(line, subject) for line, subject, _ in found] == [(1, "DEPARTMENT"), (2, "DEPARTMENT")]
    assert "no segment for it, only MainAccount, Project" in found[0][2]


@pytest.mark.parametrize("segments", [[], ["Department", "Project"]])
def test_a_format_that_cannot_be_written_in_is_told_with_everything_else(desk, segments):
    desk.switch(dimension_format=segments)
    found = told(desk, journal(("60210", "NOPE", "5"), ("20400", "", "-5")))
    assert [subject for _, subject, _ in found] == ["format of ledger accounts", "NOPE"]


def test_dimensions_that_the_flow_knows_to_be_mandatory_are_missed(desk):
    found = told(desk, mandatory="Department 60000..69999, Project 20000..29999")
    assert found == [(3, "Project", "account 20400 demands a value of this dimension")]
    assert [line for line, _, _ in told(desk, mandatory="Project")] == [1, 2, 3]


def test_a_period_that_is_closed_on_hold_or_unknown_is_told(desk):
    desk.world.books.close_period(PERIOD)
    assert one(desk)[1:] == ("2026-11-30", "period FY2027 Period 5 is closed in the ledger")
    desk.world.books.reopen_period(PERIOD)
    desk.rules.on_hold.add(PERIOD)
    assert "on hold" in one(desk)[2]
    desk.rules.clear()
    assert "no period of the ledger's fiscal calendar" in one(desk, replace(WANTED, posting_date=date(2050, 1, 1)))[2]


def test_what_is_too_long_or_too_large_is_told(desk):
    lines = WANTED.lines
    long = replace(WANTED, lines=(replace(lines[0], description="x" * 256), *lines[1:]))
    assert "room for 255" in one(desk, long)[2]
    assert "room for 20" in told(desk, replace(WANTED, key="X" * 21))[0][2]
    large = journal(("60210", "", "1" + "0" * 15), ("20400", "", "-1" + "0" * 15))
    assert [line for line, _, _ in told(desk, large)] == [1, 2]
    code = "V" * 500
    desk.world.books.add_value(with_(desk.world.books.value("DEPARTMENT", "ADM"), code=code))
    assert "room for 500" in one(desk, journal(("60210", code, "5"), ("20400", "", "-5")))[2]


def test_a_journal_that_is_out_of_balance_is_told_with_the_difference(desk):
    assert one(desk, journal(("60210", "SALES", "5"), ("20400", "", "-4.99")))[2].startswith(
        "debits and credits differ by 0.01"
    )


def test_a_ledger_without_a_currency_is_told(desk, monkeypatch):
    from airflow_provider_mlconnector.systems.dynamics_fo.company import Company

    ledger = desk.drafting()._company.ledger
    monkeypatch.setattr(Company, "ledger", with_(ledger, currency=""))
    assert one(desk)[1:] == ("lark", "the ledger has no accounting currency")


def test_options_are_read_as_a_flow_writes_them():
    options = JournalOptions.read(
        {
            "layer": "CustomLayer7",
            "workflow": "allowed",
            "mandatory": "Department, Project 60000 .. 69999",
            "posting_service": "Plan/PlanService/post",
            "posting_arguments": "company, journal",
        }
    )
    assert (options.layer, options.workflow) == ("CustomLayer7", True)
    assert options.mandatory == (Demand("Department"), Demand("Project", "60000", "69999"))
    assert options.posting.path == "api/services/Plan/PlanService/post"
    assert (options.posting.company_argument, options.posting.journal_argument) == ("company", "journal")
    assert JournalOptions.read({}) == JournalOptions()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("layer", "Budget"),
        ("workflow", "yes"),
        ("mandatory", "Department 6.."),
        ("posting_service", "PlanService/post"),
        ("colour", "red"),
    ],
)
def test_an_option_that_is_nothing_known_is_refused(name, text):
    with pytest.raises(ConfigurationError, match=text):
        JournalOptions.read({name: text})
