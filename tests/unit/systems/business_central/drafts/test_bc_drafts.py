# SPDX-License-Identifier: Apache-2.0
"""A plan's journals as journal lines: what is written, what is left as it is, and what is put right."""

from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.sandbox.business_central.posting_rules import DefaultDimension
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.systems.drafting import DraftState, stands
from tests.unit.systems.business_central.drafts.desk import held, holds, journal

PACKAGE = Path(__file__).parents[5] / "airflow_provider_mlconnector"


def test_a_journal_becomes_lines_with_their_dimensions_and_nothing_is_posted(desk):
    wanted = journal()
    desk.write(wanted)
    assert holds(desk) == held(wanted)
    draft = desk.drafting().find(wanted)
    assert (draft.state, draft.number, draft.complete) == (DraftState.DRAFT, wanted.key, True)
    assert draft.lines == wanted.lines
    assert stands(wanted, draft)
    assert desk.post_calls == 0


def test_no_code_outside_the_sandbox_knows_the_request_that_posts_a_batch():
    files = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts]
    assert files
    assert [path for path in files if "nav.post" in path.read_text().lower()] == []


def test_nothing_is_found_before_something_is_written(desk):
    assert desk.drafting().find(journal()).state is DraftState.MISSING


def test_a_second_run_of_the_same_version_writes_nothing(desk):
    desk.write(journal())
    before = desk.writes()
    assert desk.write(journal()) == []
    assert desk.writes() == before


def test_journals_share_a_batch_and_no_line_number(desk):
    first, second = sorted((journal(), journal("7", "8", part="2")), key=lambda one: one.key)
    desk.write(first)
    desk.write(second)
    assert holds(desk) == held(first, second)
    assert [line["number"] for line in desk.lines()] == [10_000 * place for place in range(1, 8)]


def test_the_smallest_and_the_largest_amounts_arrive_to_the_cent(desk):
    wanted = journal("0.01", "99999999999.99", "-99999999999.98")
    desk.write(wanted)
    assert holds(desk) == held(wanted)
    assert stands(wanted, desk.drafting().find(wanted))


def test_a_changed_version_changes_the_lines_that_changed(desk):
    desk.write(journal())
    changed = journal("1200.50", "7.77", "-300")
    assert desk.write(changed) == [f"set values of 2 lines (2 to 4) of {changed.key}"]
    assert holds(desk) == held(changed)


def test_one_change_is_one_plain_request(desk):
    wanted = journal()
    desk.write(wanted)
    desk.control.call("PATCH", "/business_central/journals/ANAPLAN/lines/20000", {"amount": "1.00"})
    before = desk.batches()
    assert desk.write(wanted) == [f"set amount of line 2 of {wanted.key}"]
    assert desk.batches() == before
    assert holds(desk) == held(wanted)


def test_a_shorter_version_leaves_no_line_behind(desk):
    desk.write(journal("1", "2", "3", "4"))
    shorter = journal("1", "2")
    desk.write(shorter)
    assert holds(desk) == held(shorter)


def test_a_line_of_another_account_is_written_anew(desk):
    desk.write(journal())
    wanted = journal()
    lines = [line if line.number > 1 else JournalLine(**as_dict(line) | {"account": "60220"}) for line in wanted.lines]
    changed = journal(lines=tuple(lines))
    desk.write(changed)
    assert holds(desk) == held(changed)


def test_a_journal_without_lines_takes_its_draft_away_and_leaves_the_others(desk):
    other = journal("5", part="2")
    desk.write(journal())
    desk.write(other)
    desk.write(journal(lines=()))
    assert holds(desk) == held(other)


def test_default_dimensions_of_an_account_give_way_to_those_of_the_journal(desk):
    desk.journals.rules.put_default(DefaultDimension("60210", "DEPARTMENT", "ADM"))
    desk.journals.rules.put_default(DefaultDimension("20400", "DEPARTMENT", "ADM"))
    plain = journal()
    lines = [as_dict(line) | {"dimensions": line.dimensions[:1]} for line in plain.lines]
    wanted = journal(lines=tuple(JournalLine(**line) for line in lines))
    assert desk.write(wanted) == [
        f"add 4 lines (1 to 4) of {wanted.key} to batch ANAPLAN",
        f"set dimensions of 3 lines (1 to 4) of {wanted.key}",
    ]
    assert holds(desk) == held(wanted)


def test_a_line_without_a_description_is_called_as_its_account(desk):
    wanted = journal()
    plain = tuple(JournalLine(**as_dict(line) | {"description": ""}) for line in wanted.lines)
    desk.write(journal(lines=plain))
    assert {line["description"] for line in desk.lines()} == {"Rent", "Accrued Expenses"}


@pytest.mark.parametrize(
    "edit",
    [{"amount": "1.00"}, {"description": "x"}, {"department": "LOG"}, {"document": "G00042"}],
    ids=["amount", "description", "dimension", "document number"],
)
def test_what_a_person_typed_over_is_put_right(desk, edit):
    wanted = journal()
    desk.write(wanted)
    desk.control.call("PATCH", "/business_central/journals/ANAPLAN/lines/10000", edit)
    assert not stands(wanted, desk.drafting().find(wanted))
    desk.write(wanted)
    assert holds(desk) == held(wanted)


def test_a_line_that_a_person_took_away_or_added_is_put_right(desk):
    wanted = journal()
    desk.write(wanted)
    desk.control.call("DELETE", "/business_central/journals/ANAPLAN/lines/20000")
    batch = next(batch for batch in desk.journals.batches if batch.code == "ANAPLAN")
    own = {"accountNumber": "60220", "amount": Decimal(5)}
    desk.journals.insert(batch, own | {"documentNumber": wanted.key, "externalDocumentNumber": "BY HAND"})
    desk.journals.insert(batch, own | {"documentNumber": "G00001"})
    assert not stands(wanted, desk.drafting().find(wanted))
    desk.write(wanted)
    assert [row for row in holds(desk) if row[0] == wanted.key] == held(wanted)
    assert [row[0] for row in holds(desk) if row[0] != wanted.key] == ["G00001"]


def test_of_two_equal_lines_one_is_left(desk):
    wanted = journal()
    desk.write(wanted)
    first = desk.lines()[0]
    batch = next(batch for batch in desk.journals.batches if batch.code == "ANAPLAN")
    desk.journals.insert(
        batch,
        {
            "accountNumber": first["account"],
            "amount": Decimal(first["amount"]),
            "documentNumber": wanted.key,
            "externalDocumentNumber": first["external_document"],
        },
    )
    assert not stands(wanted, desk.drafting().find(wanted))
    desk.write(wanted)
    assert holds(desk) == held(wanted)


def test_a_line_whose_dimensions_cannot_be_read_is_written_anew(desk):
    wanted = journal()
    desk.write(wanted)
    desk.control.call("PUT", "/books/dimensions/DEPARTMENT/GONE", {})
    desk.control.call("PATCH", "/business_central/journals/ANAPLAN/lines/10000", {"department": "GONE"})
    desk.control.call("DELETE", "/books/dimensions/DEPARTMENT/GONE")
    assert not desk.drafting().find(wanted).complete
    desk.write(wanted)
    assert holds(desk) == held(wanted)


def test_a_replica_that_is_behind_is_not_asked(desk):
    desk.control.call("PATCH", "/business_central/switches", {"replica_lag": 3600})
    desk.write(journal())
    assert holds(desk) == held(journal())


def test_a_batch_of_another_template_is_found_by_its_template(desk):
    desk.journals.put_batch("ANAPLAN", template="ASSETS")
    for step in desk.drafting("ASSETS").steps(journal("5")):
        step.do()
    assert desk.lines() == []
    assert desk.drafting("ASSETS").find(journal("5")).state is DraftState.DRAFT


def test_a_batch_that_is_gone_or_balances_each_line_is_not_written_into(desk):
    desk.journals.put_batch("ANAPLAN", balancing_account="10130")
    with pytest.raises(ConfigurationError, match="balancing account 10130"):
        desk.drafting().steps(journal())
    with pytest.raises(ConfigurationError, match="no such journal batch"):
        desk.drafting("ASSETS").steps(journal())
    assert desk.drafting("ASSETS").find(journal()).state is DraftState.MISSING
    assert desk.drafting("ASSETS").steps(journal(lines=())) == []
    assert desk.lines() == []


def test_lines_that_balance_themselves_are_written_anew(desk):
    wanted = journal()
    desk.journals.put_batch("ANAPLAN", balancing_account="10130")
    batch = next(batch for batch in desk.journals.batches if batch.code == "ANAPLAN")
    line = {"accountNumber": "60210", "documentNumber": wanted.key, "externalDocumentNumber": f"{wanted.key}-1"}
    desk.journals.insert(batch, line)
    desk.journals.put_batch("ANAPLAN")
    desk.write(wanted)
    assert holds(desk) == held(wanted)
    assert {line["balancing_account"] for line in desk.lines()} == {""}


def test_a_posted_document_is_found_and_left_alone(desk):
    wanted = journal()
    desk.write(wanted)
    desk.post_by_hand()
    draft = desk.drafting().find(wanted)
    assert (draft.state, draft.number) == (DraftState.POSTED, wanted.key)
    assert stands(wanted, draft)
    changed = journal("9", part="1")
    assert not stands(changed, desk.drafting().find(changed))
    assert desk.write(changed) == []
    assert desk.lines() == []
    assert desk.post_calls == 0


def test_a_document_that_was_posted_under_another_number_is_known_by_its_reference(desk):
    wanted = journal(part="renumbered")
    desk.write(wanted)
    desk.post_by_hand(document=wanted.key, number="PG0001")
    drafting = desk.drafting(source=FinanceApi.AUTO)
    draft = drafting.find(wanted)
    assert (draft.state, draft.number) == (DraftState.POSTED, "PG0001")
    assert stands(wanted, draft)
    assert drafting.steps(wanted) == []
    assert drafting.find(journal(part="renumbered", lines=())).state is DraftState.POSTED


def as_dict(line):
    return {name: getattr(line, name) for name in line.__struct_fields__}
