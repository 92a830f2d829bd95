# SPDX-License-Identifier: Apache-2.0
"""What keeps a plan from being written to Acumatica is told before a person is asked, all of it, line by line."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.systems.acumatica.draft_options import Coding, DraftOptions
from airflow_provider_mlconnector.systems.acumatica.entities import Branch, Ledger
from airflow_provider_mlconnector.systems.acumatica.posting_setup import CustomField, PostingAccount, PostingSetup
from airflow_provider_mlconnector.systems.acumatica.subaccounts import parse_segments
from airflow_provider_mlconnector.systems.acumatica.wrapped import Wrapped
from airflow_provider_mlconnector.systems.drafting import Problem
from tests.unit.systems.acumatica.drafts.desk import journal

SALES = {"DEPARTMENT": "SALES"}


def with_lines(*lines, **more):
    """Return a journal of lines: account, dimensions, amount."""
    made = [
        JournalLine(number=at, account=account, dimensions=tuple(sorted(named.items())), amount=Decimal(amount))
        for at, (account, named, amount) in enumerate(lines, start=1)
    ]
    return journal(lines=tuple(made), **more)


def told(problems):
    return [(one.line, one.subject, one.sentence) for one in problems]


def test_a_plan_that_can_be_written_has_no_problems_and_nothing_is_changed_by_looking(desk):
    assert desk.drafting().problems([journal(), journal("5", "6", part="2")]) == []
    assert (desk.writes(), desk.batches) == (0, [])


def test_everything_that_is_wrong_is_told_at_once_with_line_and_subject(desk):
    bad = with_lines(
        ("60800", SALES, "1"),
        ("NONE", SALES, "1"),
        ("10200", SALES, "1"),
        ("60000", SALES, "1"),
        ("60210", {"DEPARTMENT": "LEGACY"}, "1"),
        ("60210", {"DEPARTMENT": "NOBODY"}, "1"),
        ("60210", {}, "1"),
        ("60210", {**SALES, "REGION": "N"}, "1"),
        ("60210", {**SALES, "PROJECT": "P100"}, "1"),
        ("60210", {"DEPARTMENT": "SALESFORCE"}, "1"),
        ("60210", {**SALES, "SUBACCOUNT": "SALES   00"}, "1"),
        ("60210", {**SALES, "BRANCH": "NOWHERE"}, "1"),
        ("60210", SALES, "0.00001"),
        ("60210", SALES, "9999999999999999"),
        period="FY2027-P04",
        description="d" * 500,
    )
    problems = desk.drafting().problems([journal(), bad])
    assert {one.key for one in problems} == {bad.key}
    assert told(problems) == [
        (None, "FY2027-P04", "the period is closed in the master calendar"),
        (None, bad.key, "debits and credits differ by 10000000000000011.00001"),
        (None, f"{bad.key} {'d' * 500}", "the description has 519 characters; there is room for 512"),
        (1, "60800", "the account is not active"),
        (2, "NONE", "there is no such account"),
        (3, "10200", "a control account of AR, which does not allow manual entry"),
        (4, "60000", "there is no such account"),
        (5, "LEGACY  00", "the subaccount is not active"),
        (6, "NOBODY  00", "there is no such subaccount"),
        (7, "DEPARTMENT", "the segment has no value, and the flow names none for lines without one"),
        (8, "REGION", "a line has no such dimension or segment; it has SUBACCOUNT, DEPARTMENT, LOCATION, BRANCH"),
        (9, "PROJECT", "a line has no such dimension or segment; it has SUBACCOUNT, DEPARTMENT, LOCATION, BRANCH"),
        (10, "SALESFORCE", "segment DEPARTMENT of the subaccount has room for 8 characters"),
        (11, "DEPARTMENT", "a line names either its whole SUBACCOUNT or segments of it, not both"),
        (12, "NOWHERE", "no such branch posts to the ledger ACTUAL"),
        (13, "0.00001", "no amount that the ledger can hold; it keeps 15 digits and four decimals"),
        (14, "9999999999999999", "no amount that the ledger can hold; it keeps 15 digits and four decimals"),
    ]


def test_lines_that_are_too_many_or_say_too_much_are_told(desk):
    one, other = journal("1").lines
    wanted = journal(lines=(replace(one, number=100_000), replace(other, description="x" * 513)))
    assert [sentence for _, _, sentence in told(desk.drafting().problems([wanted]))] == [
        "the reference has 16 characters; there is room for 15",
        "the text has 513 characters; there is room for 512",
    ]


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ("NOTHING", "there is no such ledger, only ACTUAL, BUDGET, STAT, TAX"),
        ("BUDGET", "journals cannot be posted to a ledger of type Budget; name one of type Actual or Reporting"),
    ],
)
def test_a_ledger_that_takes_no_journals_is_told_once_for_all(desk, ledger, said):
    problems = desk.drafting(ledger=ledger).problems([journal(), journal("5", part="2")])
    assert problems == [Problem("", None, ledger, said)]


def test_a_control_account_is_one_in_the_actual_ledger_alone(desk):
    wanted = with_lines(("10200", SALES, "1"), ("20400", SALES, "-1"))
    assert len(desk.drafting().problems([wanted])) == 1
    assert desk.drafting(ledger="TAX").problems([wanted]) == []


def test_statistics_need_not_balance(desk):
    assert desk.drafting(ledger="STAT").problems([with_lines(("60210", SALES, "1"))]) == []


def test_a_branch_without_a_ledger_of_its_own_is_told(desk):
    (problem,) = desk.drafting(ledger="", branch="NOWHERE").problems([journal()])
    assert "No actual ledger is kept for NOWHERE" in problem.sentence


def test_a_site_without_subaccounts_takes_lines_without_and_no_others(desk):
    desk.turn(subaccounts=False)
    wanted = with_lines(("60210", SALES, "1"), ("20400", {}, "-1"))
    bare = desk.drafting(DraftOptions(), segments=parse_segments(""))
    assert [one.sentence for one in bare.problems([with_lines(("60210", {}, "1"), ("20400", {}, "-1"))])] == []
    (_, first), (_, second) = ((one.line, one.sentence) for one in desk.drafting().problems([wanted]))
    assert first == "the company keeps no subaccounts, or the user may not see them (form GL203000)"
    assert "the segment has no value" in second


def test_a_line_without_a_subaccount_is_told_lest_the_form_takes_that_of_the_line_before(desk):
    drafts = desk.drafting(DraftOptions(), segments=parse_segments(""))
    wanted = with_lines(("60210", {"SUBACCOUNT": "SALES   00"}, "1"), ("20400", {}, "-1"))
    (problem,) = drafts.problems([wanted])
    assert (problem.line, problem.subject) == (2, "20400")
    assert "names no subaccount" in problem.sentence


def test_a_whole_subaccount_is_written_as_it_is_named(desk):
    drafts = desk.drafting(DraftOptions(), segments=parse_segments(""))
    codes = ({"SUBACCOUNT": "SALES   00"}, {"SUBACCOUNT": "0000000000"})
    wanted = with_lines(("60210", codes[0], "1"), ("20400", codes[1], "-1"))
    assert drafts.problems([wanted]) == []
    desk.write(wanted, drafts)
    assert [line["subaccount"] for line in desk.batches[0]["lines"]] == ["SALES   00", "0000000000"]
    assert [line.dimensions for line in drafts.find(wanted).lines] == [line.dimensions for line in wanted.lines]


def test_segments_are_put_in_their_places_whatever_the_order_of_the_dimensions():
    coding = Coding(parse_segments("REGION 2, DEPARTMENT 4, LINE 1"), {"LINE": "X"})
    line = JournalLine(number=1, account="1", dimensions=(("DEPARTMENT", "AB"), ("REGION", "N")), amount=Decimal(1))
    assert coding.subaccount(line) == "N AB  X"
    assert coding.dimensions("N AB  X") == {"REGION": "N", "DEPARTMENT": "AB", "LINE": "X"}
    assert list(coding.problems(line)) == []


def account(**values):
    plain = {"AccountCD": Wrapped("60210"), "Active": Wrapped(True)}
    return PostingAccount(id="a", **plain | {name: Wrapped(value) for name, value in values.items()})


def ledger(code="ACTUAL", kind="Actual", currency="GBP", branches=("MAIN",)):
    kept = tuple(Branch(id=name, BranchID=Wrapped(name)) for name in branches)
    return Ledger(id=code, LedgerID=Wrapped(code), Type=Wrapped(kind), Currency=Wrapped(currency), Branches=kept)


def setup(*accounts, ledgers=(), subaccounts=None):
    return PostingSetup(
        {one.LedgerID.value: one for one in ledgers}, {one.AccountCD.value: one for one in accounts}, subaccounts
    )


def test_an_account_that_takes_one_currency_alone_is_told():
    found = list(setup(account(CurrencyID="USD")).of_account("60210", ledger()))
    assert found == [("60210", "the account takes USD alone, and the ledger is kept in GBP")]
    assert list(setup(account(CurrencyID="GBP")).of_account("60210", ledger())) == []


def test_an_account_that_replaces_every_subaccount_by_the_default_one_is_told():
    made = setup(account(UseDefaultSubaccount=True), subaccounts={"S": True})
    assert list(made.of_subaccount("60210", "S")) == [
        ("60210", "the account takes the default subaccount alone, and the line names S")
    ]


def test_a_control_account_that_allows_manual_entry_is_none():
    one = account()
    one.custom = {"AccountRecords": {"ControlAccountModule": CustomField("AP"), "AllowManualEntry": CustomField(True)}}
    assert one.controlling == ""
    one.custom["AccountRecords"]["AllowManualEntry"] = CustomField(False)
    assert one.controlling == "AP"


def test_a_ledger_in_another_currency_than_the_branchs_books_is_told():
    made = setup(ledgers=(ledger(), ledger("GROUP", "Reporting", "USD"), ledger("OTHERS", branches=("SIDE",))))
    assert list(made.of_ledger("GROUP", "MAIN")) == ["the ledger is kept in USD, and the plan's amounts are in GBP"]
    assert list(made.of_ledger("OTHERS", "MAIN")) == ["the ledger is not associated with the branch MAIN"]
    assert list(made.of_ledger("ACTUAL", "MAIN")) == []
