# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a plan's journals in Dynamics GP is told before anybody is asked, all at once."""

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace as otherwise

from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import DraftOptions
from tests.unit.pipeline.gp_close import Database
from tests.unit.systems.dynamics_gp.drafts.desk import journal


@pytest.fixture
def database(desk, tmp_path):
    return Database(desk.control, tmp_path / "gp.db", "LARKFIELD")


def sentences(desk, *journals, **options):
    return {(one.line, one.subject): one.sentence for one in desk.drafting(**options).problems(journals)}


def with_line(**change):
    lines = journal("5").lines
    return journal(lines=(otherwise(lines[0], **change), lines[1]))


def test_a_sound_journal_has_no_problem_and_the_look_changes_nothing(desk, database):
    assert sentences(desk, journal(), database=database) == {}
    assert sentences(desk, journal()) == {}
    assert desk.held() == []
    assert desk.drafts.batches == {}


@pytest.mark.parametrize(
    ("change", "subject", "sentence"),
    [
        ({"account": "99999"}, "99999-300", "no such account"),
        ({"account": "10200"}, "10200-300", "does not allow account entry"),
        ({"dimensions": (("Department", "555"),)}, "60210-555", "each combination"),
        ({"dimensions": (("Department", "1234567890"),)}, "1234567890", "room for 9"),
        ({"dimensions": (("Department", "1-2"),)}, "1-2", "joins segments"),
        ({"dimensions": (("Department", "300"), ("PROJECT", "P100"))}, "PROJECT", "no such segment"),
        ({"description": "x" * 31}, "x" * 31, "room for 30"),
    ],
    ids=["account", "no entry", "combination", "length", "separator", "extra segment", "description"],
)
def test_a_line_that_cannot_be_entered_is_told(desk, change, subject, sentence):
    found = sentences(desk, with_line(**change))
    assert list(found) == [(1, subject)]
    assert sentence in found[1, subject]


def test_amounts_that_the_ledger_cannot_hold_are_told(desk):
    odd = journal("0.005", "100000000000000", "-100000000000000.00")
    assert {place for place, _ in sentences(desk, odd)} == {1, 2, 3, 4}


def test_a_segment_without_a_value_is_told_where_the_flow_has_none_for_it(desk):
    found = sentences(desk, journal("5"), options=DraftOptions())
    assert found == {(2, "Department"): "the segment has no value, and the flow names none for lines without one"}


def test_an_inactive_account_is_told(desk):
    desk.world.books.block_account("60210", blocked=True)
    try:
        assert sentences(desk, journal("5")) == {(1, "60210-300"): "the account is inactive"}
    finally:
        desk.world.books.block_account("60210", blocked=False)


def test_a_journal_that_does_not_balance_is_told(desk):
    lopsided = journal(lines=journal("5").lines[:1])
    assert sentences(desk, lopsided) == {(None, lopsided.key): "debits and credits differ by 5"}


def test_a_closed_period_is_told_where_the_database_can_be_asked(desk, database):
    closed = journal(posting_date=date(2026, 6, 30))
    assert sentences(desk, closed) == {}
    found = sentences(desk, closed, database=database)
    assert found == {(None, "2026-06-30"): "period 12 of 2026 is closed for the financial series"}
    nowhere = journal(posting_date=date(2099, 1, 1))
    assert "no period" in sentences(desk, nowhere, database=database)[None, "2099-01-01"]


@pytest.mark.parametrize(
    ("batch", "sentence"),
    [
        ({"status": 1}, "marked for posting"),
        ({"approved": True}, "was approved"),
        ({"frequency": "Monthly"}, "again and again"),
    ],
)
def test_a_batch_that_cannot_be_written_into_is_told(desk, database, batch, sentence):
    desk.control.call("PUT", "/dynamics_gp/batches/ANAPLAN", batch)
    database.refresh()
    found = sentences(desk, journal(), database=database)
    assert list(found) == [(None, "ANAPLAN")]
    assert sentence in found[None, "ANAPLAN"]


def test_a_batch_whose_name_is_too_long_or_missing_is_told(desk):
    assert "room for 15" in sentences(desk, journal(), batch="A" * 16)[None, "A" * 16]
    assert sentences(desk, journal(), batch="") == {(None, "batch"): "the flow names no batch"}


def test_a_policy_that_reverses_each_entry_is_told(desk):
    desk.control.call("PATCH", "/dynamics_gp/switches", {"reversing": True})
    assert "reverses each of them" in sentences(desk, journal())[None, "ANAPLAN"]


def test_another_version_that_stands_is_told_since_a_person_has_to_delete_it(desk):
    desk.write(journal())
    assert sentences(desk, journal()) == {}
    (found,) = desk.drafting().problems([journal("9")])
    assert (found.key, found.subject) == (journal().key, desk.drafting().find(journal()).number)
    assert "delete the entry" in found.sentence


def test_all_problems_of_all_journals_come_in_one_report(desk, database):
    lines = (
        JournalLine(number=1, account="99999", amount=Decimal(5), description="y" * 31),
        JournalLine(number=2, account="60210", dimensions=(("REGION", "1"),), amount=Decimal(-4)),
    )
    bad = journal(lines=lines, posting_date=date(2026, 6, 30))
    other = otherwise(bad, key=journal(part="2").key)
    found = desk.drafting("A" * 16, database=database).problems([bad, other])
    per_journal = [(None, "2026-06-30"), (None, bad.key), (1, "99999-000"), (1, "y" * 31), (2, "REGION")]
    assert [(one.line, one.subject) for one in found if one.key == bad.key] == per_journal
    assert len([one for one in found if one.key == other.key]) == len(per_journal)
    assert [one.subject for one in found if not one.key] == ["A" * 16]


def test_a_unit_account_takes_no_money(desk):
    found = sentences(desk, with_line(account="99000", dimensions=()), company="Tūī & Co.")
    assert ["counts units" in found[place] for place in found if place[0] == 1] == [True]
