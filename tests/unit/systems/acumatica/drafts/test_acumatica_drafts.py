# SPDX-License-Identifier: Apache-2.0
"""A plan's journals in Acumatica: made whole, left alone, changed, removed, released only where the flow says so."""

from dataclasses import replace as otherwise
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DataError,
    LostAnswerError,
    ServerError,
)
from airflow_provider_mlconnector.systems.acumatica.draft_options import DraftOptions, read_options
from airflow_provider_mlconnector.systems.acumatica.drafts import QUEUE_SECONDS
from airflow_provider_mlconnector.systems.drafting import DraftState, stands
from tests.unit.systems.acumatica.drafts.desk import OPTIONS, held, journal, planned, without
from tests.unit.systems.acumatica.opening import password_grant

RELEASING = otherwise(OPTIONS, release=True)


def test_a_batch_on_hold_gets_its_lines_in_portions(desk):
    wanted = journal("99999999999.99", "0.01", "-300", "4")
    done = desk.write(wanted)
    assert [sentence.split()[0] for sentence in done] == ["make", "add", "add", "add"]
    assert held(desk) == planned(wanted)
    (batch,) = desk.batches
    assert (batch["status"], batch["ledger"], batch["period"]) == ("On Hold", "ACTUAL", "052027")
    assert batch["posting_date"] == "2026-11-30"
    assert desk.post_calls == 0


def test_what_stands_is_found_with_its_number_and_is_not_written_again(desk):
    wanted = journal()
    drafts = desk.drafting()
    assert drafts.find(wanted).state is DraftState.MISSING
    desk.write(wanted, drafts)
    draft = drafts.find(wanted)
    assert (draft.state, draft.number) == (DraftState.DRAFT, desk.batches[0]["number"])
    assert stands(wanted, draft)
    assert desk.drafting().steps(wanted) == []


def test_a_journal_that_changed_takes_the_place_of_its_draft(desk):
    desk.write(journal("1", "2", "3"))
    number = desk.batches[0]["number"]
    wanted = journal("1", "5", description="Forecast", posting_date=date(2026, 11, 1))
    assert not stands(wanted, desk.drafting().find(wanted))
    desk.write(wanted)
    assert held(desk) == planned(wanted)
    assert [batch["number"] for batch in desk.batches] == [number]
    assert desk.batches[0]["posting_date"] == "2026-11-01"


def test_a_posting_date_that_changed_alone_is_set(desk):
    desk.write(journal("1", "2"))
    wanted = journal("1", "2", posting_date=date(2026, 11, 2))
    assert not stands(wanted, desk.drafting().find(wanted))
    (done,) = desk.write(wanted)
    assert done.startswith(f"set TransactionDate of {wanted.key}")
    assert stands(wanted, desk.drafting().find(wanted))


def test_a_line_goes_with_another_department_or_text_alone(desk):
    old = journal("1", "2")
    desk.write(old)
    first = replace(old.lines[0], dimensions=(("DEPARTMENT", "LOG"),))
    second = replace(old.lines[1], description="Rent, corrected")
    wanted = replace(old, lines=(first, second, *old.lines[2:]))
    assert not stands(wanted, desk.drafting().find(wanted))
    desk.write(wanted)
    assert held(desk) == planned(wanted)


def test_a_draft_that_was_taken_off_hold_is_put_back_before_it_is_changed(desk):
    wanted = journal("1", "2")
    desk.write(wanted)
    desk.edit(wanted.key, Hold=False)
    assert desk.drafting().steps(wanted) == [], "off hold is no reason to write"
    changed = journal("3", "4")
    desk.write(changed)
    assert held(desk) == planned(changed)
    assert desk.batches[0]["status"] == "On Hold"


def test_a_journal_that_goes_to_another_ledger_is_made_there_anew(desk):
    wanted = journal("1", "2")
    desk.write(wanted)
    drafts = desk.drafting(ledger="TAX")
    assert not stands(wanted, drafts.find(wanted))
    desk.write(wanted, drafts)
    assert [batch["ledger"] for batch in desk.batches] == ["TAX"]
    assert held(desk) == planned(wanted)


def test_what_people_did_to_a_draft_is_put_right(desk):
    wanted = journal("1", "2")
    desk.write(wanted)
    first = {"id": desk.batches[0]["lines"][0]["id"], "DebitAmount": 9}
    desk.edit(wanted.key, PostPeriod="062027", Details=[first, {"Account": "60310"}])
    assert not stands(wanted, desk.drafting().find(wanted))
    desk.write(wanted)
    assert held(desk) == planned(wanted)
    assert desk.batches[0]["period"] == "052027"


def test_a_line_that_a_person_moved_is_read_back_with_all_that_its_subaccount_says(desk):
    wanted = journal("1", "2")
    desk.write(wanted)
    desk.edit(wanted.key, Details=[{"id": desk.batches[0]["lines"][0]["id"], "Subaccount": "LOG     00"}])
    moved, other, *_ = desk.drafting().find(wanted).lines
    assert moved.dimensions == (("DEPARTMENT", "LOG"), ("LOCATION", "00"))
    assert other.dimensions == wanted.lines[1].dimensions


def test_a_second_batch_that_was_made_by_mistake_is_removed(desk):
    desk.turn(finds_by_filter=False)
    wanted = journal("1", "2")
    late = desk.drafting().steps(wanted)[0]
    desk.write(wanted)
    late.do()
    assert len(desk.batches) == 2
    assert not desk.drafting().find(wanted).complete
    desk.write(wanted)
    assert held(desk) == planned(wanted)
    assert len(desk.batches) == 1


def test_lines_that_were_added_twice_stand_once_in_the_end(desk):
    wanted = journal("1", "2")
    drafts = desk.drafting()
    drafts.steps(wanted)[0].do()
    for step in drafts.steps(wanted):
        step.do()
        step.do()
    assert len(held(desk)) == 2 * len(wanted.lines)
    desk.write(wanted)
    assert held(desk) == planned(wanted)


def test_a_copy_that_a_person_made_of_a_draft_is_theirs(desk):
    wanted = journal("1", "2")
    desk.write(wanted)
    desk.call("POST", f"/acumatica/journals/{wanted.key}/copy")
    ours, theirs = (batch["number"] for batch in desk.batches)
    draft = desk.drafting().find(wanted)
    assert (draft.number, stands(wanted, draft)) == (ours, True)
    assert desk.write(wanted) == []
    with pytest.raises(DataError, match=f"{ours} .* {theirs}"):
        desk.write(without(wanted))
    desk.edit(theirs, Description="Budget of the next month")
    desk.write(without(wanted))
    assert [batch["number"] for batch in desk.batches] == [theirs]


def test_a_journal_that_the_plan_has_no_more_is_removed_wholly_and_twice_does_no_harm(desk):
    wanted, other = journal("1", "2"), journal("3", "4", part="2")
    desk.write(wanted)
    desk.write(other)
    (step,) = desk.drafting().steps(without(wanted))
    step.do()
    step.do()
    assert held(desk) == planned(other)
    assert desk.drafting().find(without(wanted)).state is DraftState.MISSING
    assert desk.drafting().steps(without(wanted)) == []


def test_what_a_person_posted_is_found_with_its_lines_and_left_alone(desk):
    wanted = journal("1", "2")
    desk.write(wanted)
    number = desk.batches[0]["number"]
    desk.post_by_hand(wanted.key)
    draft = desk.drafting().find(wanted)
    assert (draft.state, draft.number) == (DraftState.POSTED, number)
    assert stands(wanted, draft)
    changed = journal("1", "3")
    assert not stands(changed, desk.drafting().find(changed))
    assert desk.drafting().steps(changed) == []
    assert desk.drafting().steps(without(wanted)) == []


def test_without_a_flows_word_nothing_is_released_and_with_it_each_whole_batch_once(desk):
    wanted = journal("1", "2")
    desk.write(wanted)
    assert desk.post_calls == 0
    done = desk.write(wanted, desk.drafting(RELEASING))
    assert [sentence.split()[0] for sentence in done] == ["take", "release"]
    assert (desk.post_calls, desk.batches) == (1, [])
    assert desk.drafting().find(wanted).state is DraftState.POSTED
    assert desk.write(wanted, desk.drafting(RELEASING)) == []
    assert desk.post_calls == 1


def test_a_released_batch_that_waits_to_be_posted_is_a_persons_already(desk):
    desk.turn(posts_on_release=False, release_seconds=0)
    wanted = journal("1", "2")
    desk.write(wanted, desk.drafting(RELEASING))
    assert desk.batches[0]["status"] == "Unposted"
    assert desk.drafting().find(wanted).state is DraftState.POSTED


def test_a_release_that_fails_says_so_and_can_be_tried_again(desk):
    wanted = journal("1", "2")
    drafts = desk.drafting(RELEASING)
    desk.write(wanted)
    drafts.steps(wanted)[0].do()
    desk.world.books.close_period(wanted.period)
    try:
        with pytest.raises(BadRequestError, match="closed"):
            drafts.steps(wanted)[0].do()
    finally:
        desk.world.books.reopen_period(wanted.period)
    desk.write(wanted, drafts)
    assert desk.batches == []


def test_a_release_that_never_ends_is_left_to_a_look(desk):
    desk.turn(release_seconds=1_000_000)
    wanted = journal("1", "2")
    drafts = desk.drafting(RELEASING)
    with pytest.raises(LostAnswerError, match="not over"):
        desk.write(wanted, drafts)


def test_a_session_in_which_a_release_goes_on_is_in_conflict_with_other_writes(desk):
    desk.write(journal("1", "2"))
    step = desk.drafting().steps(journal("1", "3"))[0]
    desk.answer("busy", of="JournalTransaction")
    with pytest.raises(ConflictError, match="long operation"):
        step.do()


@pytest.mark.parametrize("name", ["deadlock", "recycled"])
def test_a_write_that_the_server_failed_at_is_sent_once_and_stays_uncertain(desk, name):
    step = desk.drafting().steps(journal("1", "2"))[0]
    desk.answer(name, of="JournalTransaction", times=5)
    with pytest.raises(ServerError):
        step.do()
    assert desk.writes() == 1


def test_a_refused_write_says_what_is_wrong(desk):
    wanted = journal("1", "2", period="FY2027-P04")
    with pytest.raises(BadRequestError, match="04-2027 financial period is closed"):
        desk.write(wanted)
    assert desk.batches == []


def test_a_batch_that_went_since_the_look_is_not_made_again_out_of_lines_alone(desk):
    wanted = journal("1", "2")
    drafts = desk.drafting()
    drafts.steps(wanted)[0].do()
    step = drafts.steps(wanted)[0]
    desk.call("DELETE", "/acumatica/journals")
    with pytest.raises(ConflictError):
        step.do()
    assert desk.batches == []


def test_a_batch_that_came_since_the_look_is_not_made_again(desk):
    wanted = journal("1", "2")
    early = desk.drafting().steps(wanted)[0]
    desk.write(wanted)
    with pytest.raises(ConflictError):
        early.do()
    assert held(desk) == planned(wanted)


@pytest.mark.parametrize("grant", [False, True], ids=["cookie", "token"])
def test_a_writer_takes_one_seat_and_gives_it_back(desk, grant):
    desk.turn(seats=1)
    drafts = desk.drafting(**({"login": password_grant(desk)} if grant else {}))
    desk.write(journal("1", "2"), drafts)
    assert desk.sessions() == 1
    drafts.close()
    assert desk.sessions() == 0


def test_a_session_that_ends_amid_the_lines_is_opened_again(desk):
    wanted = journal("1", "2")
    drafts = desk.drafting()
    drafts.steps(wanted)[0].do()
    desk.call("DELETE", "/acumatica/sessions")
    desk.write(wanted, drafts)
    assert held(desk) == planned(wanted)


def test_a_request_counts_as_over_only_when_it_cannot_wait_in_the_servers_queue_any_more(desk):
    assert desk.drafting(settle=None).settle > QUEUE_SECONDS + 310


def test_options_are_read_from_a_flows_words():
    assert read_options({}) == DraftOptions()
    assert read_options({"segments": "location 00, REGION: N1", "release": "True"}) == DraftOptions(
        {"LOCATION": "00", "REGION": "N1"}, release=True
    )
    for wrong in ({"segments": "LOCATION"}, {"release": "perhaps"}):
        with pytest.raises(ConfigurationError):
            read_options(wrong)


def test_amounts_travel_as_exact_numbers(desk):
    wanted = journal("99999999999.99", "0.01")
    desk.write(wanted)
    amounts = [line.amount for line in desk.drafting().find(wanted).lines]
    assert amounts == [Decimal("99999999999.99"), Decimal("0.01"), Decimal("-100000000000.00")]
