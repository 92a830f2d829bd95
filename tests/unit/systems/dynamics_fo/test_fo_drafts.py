# SPDX-License-Identifier: Apache-2.0
"""A plan's journals written over HTTP into the sandbox's general journals, and what people do with them."""

from dataclasses import replace as with_
from decimal import Decimal

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DataError,
    SchemaDriftError,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import JournalName, NewVoucher
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.drafting import DraftState, stands
from airflow_provider_mlconnector.systems.dynamics_fo.connection import DisplayFormat, PublishedSet
from airflow_provider_mlconnector.systems.dynamics_fo.drafts import FinanceOperationsDrafts
from tests.unit.systems.dynamics_fo.fo_desk import NAME, FoDesk, held, holds, journal

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
    one.close()


def found(desk, wanted=WANTED):
    return desk.drafting().find(wanted)


def number_of(desk):
    (only,) = desk.told_journals()
    return only["number"]


def test_a_journal_is_written_header_first_then_line_by_line_under_one_voucher(desk):
    done = desk.write(WANTED)
    number = number_of(desk)
    assert done == [
        f"create journal {WANTED.key} under {NAME}",
        *(f"add line {line} of {WANTED.key} to journal {number}" for line in (1, 2, 3)),
    ]
    assert holds(desk) == held(WANTED)
    (header,) = desk.told_journals()
    assert (header["description"], header["name"], header["layer"]) == (WANTED.key, NAME, "Current")
    assert len({line["voucher"] for line in header["lines"]}) == 1
    draft = found(desk)
    assert stands(WANTED, draft)
    assert (draft.state, draft.number) == (DraftState.DRAFT, number)
    assert desk.write(WANTED) == []
    assert desk.post_calls == 0


def test_nothing_is_found_before_anything_is_written(desk):
    assert found(desk).state is DraftState.MISSING
    assert desk.drafting().steps(replace(WANTED, lines=())) == []


@pytest.mark.parametrize("how", NewVoucher)
def test_all_lines_share_a_voucher_whenever_the_journal_name_begins_a_new_one(desk, how):
    desk.journals.put_name(JournalName(NAME, new_voucher=how))
    wanted = journal(("60210", "SALES", "5"), ("20400", "", "-5"), ("60210", "ADM", "7"), ("20400", "", "-7"))
    assert len(desk.write(wanted)) == 1 + len(wanted.lines)
    (header,) = desk.told_journals()
    assert len({line["voucher"] for line in header["lines"]}) == 1
    assert desk.write(wanted) == []


def test_large_and_small_amounts_arrive_to_the_penny(desk):
    wanted = journal(("60210", "SALES", "99999999999.99"), ("60210", "ADM", "0.01"), ("20400", "", "-100000000000.00"))
    desk.write(wanted)
    assert holds(desk) == held(wanted)
    assert stands(wanted, found(desk, wanted))


def test_a_dimension_may_be_written_as_the_environment_does_or_in_capitals(desk):
    lines = [
        replace(line, dimensions=tuple(("Department", value) for _, value in line.dimensions)) for line in WANTED.lines
    ]
    wanted = replace(WANTED, lines=tuple(lines))
    assert desk.drafting().problems([wanted]) == []
    desk.write(wanted)
    assert stands(wanted, found(desk, wanted))
    assert stands(WANTED, found(desk))


def test_a_line_without_a_text_has_that_of_its_journal(desk):
    wanted = replace(WANTED, lines=tuple(replace(line, description=" ") for line in WANTED.lines))
    desk.write(wanted)
    assert {line["text"] for line in desk.told_journals()[0]["lines"]} == {"Budget"}


@pytest.mark.parametrize("delimiter", ["Hyphen", "Bar", "DoubleHyphen", "DoublePeriod"])
def test_values_with_the_delimiter_or_a_backslash_in_them_arrive_whole(desk, delimiter):
    books = desk.world.books
    books.add_value(with_(books.value("DEPARTMENT", "ADM"), code="A-B.C|D\\E-"))
    desk.switch(delimiter=delimiter)
    wanted = journal(("60210", "A-B.C|D\\E-", "5"), ("20400", "", "-5"))
    assert desk.drafting().problems([wanted]) == []
    desk.write(wanted)
    assert holds(desk) == held(wanted)
    assert stands(wanted, found(desk, wanted))


def test_segments_are_written_in_the_order_of_the_format_or_of_the_connection(desk):
    desk.switch(dimension_format=["Project", "MainAccount", "Department"])
    desk.write(WANTED)
    assert holds(desk) == held(WANTED)
    desk.clear()
    desk.switch(dimension_format=["Department", "MainAccount"])
    api = desk.api(display_format=DisplayFormat(("Department", "MainAccount"), "-"))
    desk.write(WANTED, FinanceOperationsDrafts(api, NAME))
    assert holds(desk) == held(WANTED)


def test_what_the_format_has_no_segment_for_is_never_sent(desk):
    desk.switch(dimension_format=["MainAccount", "Project"])
    with pytest.raises(ConfigurationError, match="no segment for DEPARTMENT"):
        desk.write(WANTED)
    assert holds(desk) == []
    desk.switch()
    desk.write(WANTED)
    desk.switch(dimension_format=["MainAccount", "Project"])
    assert (found(desk).state, found(desk).complete) == (DraftState.DRAFT, False)
    desk.switch(dimension_format=["Department", "Project"])
    with pytest.raises(ConfigurationError, match="no main account"):
        desk.write(WANTED)


def test_the_flow_may_name_another_posting_layer(desk):
    desk.write(WANTED, desk.drafting(layer="Operations"))
    assert desk.told_journals()[0]["layer"] == "Operations"
    other = desk.drafting(layer="CustomLayer2")
    assert not stands(WANTED, other.find(WANTED))
    changed = desk.write(WANTED, other)
    assert changed == [f"set PostingLayer of journal {number_of(desk)} of {WANTED.key}"]
    assert desk.told_journals()[0]["layer"] == "CustomLayer2"


def test_a_changed_journal_changes_adds_and_removes_lines_and_keeps_the_header(desk):
    desk.write(journal(("60210", "SALES", "5"), ("60210", "ADM", "6"), ("20400", "", "-11")))
    before = desk.journals.lines_of(number_of(desk))[0].record
    wanted = journal(("60210", "SALES", "5"), ("20400", "", "-5"))
    done = desk.write(wanted)
    number = number_of(desk)
    assert done == [
        f"remove line 3 of {wanted.key} from journal {number}",
        f"set AccountDisplayValue, DebitAmount, CreditAmount of line 2 of {wanted.key} in journal {number}",
    ]
    assert desk.journals.lines_of(number)[0].record == before
    assert holds(desk) == held(wanted)


def test_a_journal_without_lines_is_removed_with_its_header(desk):
    desk.write(WANTED)
    desk.write(replace(WANTED, lines=()))
    assert desk.told_journals() == []


def test_what_a_person_typed_over_is_put_right(desk):
    desk.write(WANTED)
    path = f"/dynamics_fo/journals/{number_of(desk)}"
    desk.control.call("PATCH", f"{path}/lines/1", {"debit": "7", "segments": {"Project": "P100"}})
    desk.control.call("DELETE", f"{path}/lines/2")
    draft = found(desk)
    assert not stands(WANTED, draft)
    assert draft.lines[0].dimensions == (("DEPARTMENT", "SALES"), ("Project", "P100"))
    desk.write(WANTED)
    assert holds(desk) == held(WANTED)
    assert len({line["voucher"] for line in desk.told_journals()[0]["lines"]}) == 1


def test_a_journal_that_a_person_renamed_is_found_by_its_lines_and_gets_its_key_back(desk):
    desk.write(WANTED)
    desk.control.call("PATCH", f"/dynamics_fo/journals/{number_of(desk)}", {"description": "Our budget"})
    assert (found(desk).state, found(desk).complete) == (DraftState.DRAFT, False)
    assert desk.write(WANTED) == [f"set Description of journal {number_of(desk)} of {WANTED.key}"]
    assert stands(WANTED, found(desk))


@pytest.mark.parametrize("late_number", ["LARK-000000", "LARK-999999"])
def test_a_second_journal_without_lines_goes_whichever_number_it_got(desk, late_number):
    """So one of ours comes about when a request takes effect long after it was given up."""
    desk.write(WANTED)
    number = number_of(desk)
    late = desk.journals.add_header(desk.journals.names[NAME])
    late.description = WANTED.key
    desk.journals.headers[late_number], late.number = desk.journals.headers.pop(late.number), late_number
    desk.journals.lines[late_number] = {}
    assert not stands(WANTED, found(desk))
    assert desk.write(WANTED) == [f"remove journal {late_number} of {WANTED.key}"]
    assert number_of(desk) == number
    assert stands(WANTED, found(desk))


def test_a_persons_copy_is_left_alone_and_named_when_ours_is_to_go(desk):
    desk.write(WANTED)
    number = number_of(desk)
    copy = desk.control.call("POST", f"/dynamics_fo/journals/{number}/copy")["number"]
    assert stands(WANTED, found(desk))
    wanted = journal(("60210", "SALES", "5"), ("20400", "", "-5"))
    desk.write(wanted)
    assert stands(wanted, found(desk, wanted))
    assert len(desk.journals.lines_of(copy)) == len(WANTED.lines)
    with pytest.raises(DataError, match=copy):
        desk.write(replace(WANTED, lines=()))
    desk.control.call("DELETE", f"/dynamics_fo/journals/{copy}")
    desk.write(replace(WANTED, lines=()))
    assert desk.told_journals() == []


def test_a_draft_under_another_journal_name_moves_to_the_flows_own(desk):
    desk.write(WANTED)
    desk.journals.put_name(JournalName("PLAN"))
    desk.write(WANTED, desk.drafting("PLAN"))
    assert [one["name"] for one in desk.told_journals()] == ["PLAN"]
    assert holds(desk) == held(WANTED)


def test_an_offset_account_that_the_name_got_later_is_taken_off_the_lines(desk):
    drafting = desk.drafting()
    drafting.steps(WANTED)[0].do()
    desk.journals.put_name(JournalName(NAME, offset_account="20400"))
    desk.write(WANTED)
    assert [line["offset"] for line in desk.told_journals()[0]["lines"]] == [{}] * 3
    assert stands(WANTED, found(desk))


@pytest.mark.parametrize(("debit", "whole"), [("1200.51", True), ("0", True), ("1200.50", False)])
def test_the_ledgers_own_totals_have_to_agree_where_it_added_them_up(desk, debit, whole):
    desk.write(WANTED)
    header = {
        "dataAreaId": "lark",
        "JournalBatchNumber": number_of(desk),
        "JournalName": NAME,
        "Description": WANTED.key,
        "PostingLayer": "Current",
        "IsPosted": "No",
        "JournalTotalDebit": float(debit),
        "JournalTotalCredit": float(debit),
    }
    told = Fault(FaultKind.STATUS, "dynamics_fo", "GET", "/LedgerJournalHeaders", status=200, body={"value": [header]})
    desk.world.faults.add(told)
    assert stands(WANTED, found(desk)) is whole


def test_what_a_person_posted_is_found_with_its_lines_and_left_alone(desk):
    wanted = journal(part="posted")
    desk.write(wanted)
    number = number_of(desk)
    desk.post_by_hand(number)
    draft = found(desk, wanted)
    assert (draft.state, draft.number) == (DraftState.POSTED, number)
    assert stands(wanted, draft)
    assert desk.drafting().steps(journal(("60210", "SALES", "1"), ("20400", "", "-1"), part="posted")) == []
    assert desk.drafting().steps(replace(wanted, lines=())) == []


@pytest.mark.parametrize("cleaned", [False, True])
def test_a_posted_document_is_found_when_its_lines_or_its_journal_are_gone(desk, cleaned):
    wanted = journal(part=f"cleaned {cleaned}")
    desk.journals.put_name(JournalName(NAME, deletes_lines=True))
    desk.write(wanted)
    number = number_of(desk)
    voucher = desk.told_journals()[0]["lines"][0]["voucher"]
    desk.post_by_hand(number)
    if cleaned:
        desk.control.call("DELETE", f"/dynamics_fo/journals/{number}")
    draft = found(desk, wanted)
    assert (draft.state, draft.number) == (DraftState.POSTED, voucher if cleaned else number)
    assert stands(wanted, draft)
    assert desk.drafting().steps(wanted) == []


def test_a_set_of_posted_journals_without_document_numbers_cannot_be_written_beside(desk):
    own = PublishedSet("GeneralJournalEntryBiEntities", {"DocumentNumber": "NoSuchColumn"})
    drafting = FinanceOperationsDrafts(desk.api(headers=own), NAME)
    with pytest.raises(SchemaDriftError, match="NoSuchColumn"):
        drafting.steps(WANTED)


def test_a_journal_in_a_workflow_is_left_to_the_people_who_approve_it(desk):
    desk.write(WANTED)
    desk.control.call("PATCH", f"/dynamics_fo/journals/{number_of(desk)}", {"approval": "InReview"})
    with pytest.raises(BadRequestError, match="in a workflow"):
        desk.write(journal(("60210", "SALES", "1"), ("20400", "", "-1")))


def test_a_request_for_things_as_they_were_asks_for_another_look(desk):
    drafting = desk.drafting()
    drafting.steps(WANTED)[0].do()
    first = drafting.steps(WANTED)[0]
    first.do()
    with pytest.raises(ConflictError, match="already exists"):
        first.do()
    desk.write(WANTED)
    change = drafting.steps(journal(("60210", "SALES", "1"), ("20400", "", "-1")))
    desk.control.call("PATCH", f"/dynamics_fo/journals/{number_of(desk)}/lines/1", {"debit": "8"})
    with pytest.raises(ConflictError):
        next(step for step in change if "line 1" in step.sentence).do()
    removal = next(step for step in change if "remove line 3" in step.sentence)
    removal.do()
    with pytest.raises(ConflictError):
        removal.do()
    assert Decimal(desk.told_journals()[0]["lines"][0]["amount"]) == 8


def test_one_request_is_on_its_way_at_a_time_and_a_lost_one_is_waited_for_as_long_as_it_may_take(desk):
    desk.switch(write_seconds=0.01)
    desk.write(WANTED)
    assert holds(desk) == held(WANTED)
    assert desk.drafting().settle == pytest.approx(10 + 10 + 15)
