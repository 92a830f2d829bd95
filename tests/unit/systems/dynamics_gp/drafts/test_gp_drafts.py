# SPDX-License-Identifier: Apache-2.0
"""Plans' journals as entries of Dynamics GP that nobody posted yet."""

from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    CapabilityError,
    ConfigurationError,
    ConflictError,
    LostAnswerError,
    PermissionDeniedError,
    ServerError,
)
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import DraftEntry
from airflow_provider_mlconnector.sandbox.faults import FaultKind
from airflow_provider_mlconnector.systems.drafting import DraftState, stands
from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import DraftOptions, read_options
from airflow_provider_mlconnector.systems.dynamics_gp.entries import numbers_of
from tests.unit.systems.dynamics_gp.drafts.desk import BATCH, DAY, journal, planned

PACKAGE = Path(__file__).parents[5] / "airflow_provider_mlconnector"


def test_a_journal_becomes_one_entry_with_its_lines_and_nothing_is_posted(desk):
    wanted = journal()
    done = desk.write(wanted)
    number = numbers_of(wanted.key)[0]
    assert done == [f"enter {wanted.key} as journal entry {number} of batch {BATCH}"]
    assert desk.held() == planned(wanted)
    draft = desk.drafting().find(wanted)
    assert (draft.state, draft.number, draft.complete) == (DraftState.DRAFT, str(number), True)
    assert [line.description for line in draft.lines] == ["Rent 1", "Rent 2", "Rent 3", "Budget"]
    assert stands(wanted, draft)
    assert desk.post_calls == 0


def test_no_code_outside_the_sandbox_knows_the_header_that_lets_a_service_post():
    files = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts]
    assert files
    assert [path for path in files if "gp-custom-action" in path.read_text().lower()] == []


def test_every_line_names_its_document_and_the_batch_is_made(desk):
    wanted = journal()
    desk.write(wanted)
    entry = desk.drafts.entries[numbers_of(wanted.key)[0]]
    assert (entry.batch, entry.reference, entry.day) == (BATCH, wanted.key, DAY)
    assert {line.document for line in entry.lines} == {wanted.key}
    assert [line.sequence for line in entry.lines] == [16_384, 32_768, 49_152, 65_536]
    assert list(desk.drafts.batches) == [BATCH]


def test_a_second_run_of_the_same_version_does_nothing(desk):
    desk.write(journal())
    assert desk.write(journal()) == []
    assert desk.held() == planned(journal())


def test_nothing_is_found_before_something_is_written(desk):
    assert desk.drafting().find(journal()).state is DraftState.MISSING
    assert desk.drafting().steps(journal(lines=())) == []


def test_the_smallest_and_the_largest_amounts_arrive_to_the_cent(desk):
    wanted = journal("0.01", "99999999999.99", "-99999999999.98")
    desk.write(wanted)
    assert desk.held() == planned(wanted)
    assert stands(wanted, desk.drafting().find(wanted))


def test_a_repetition_is_refused_by_its_number_and_is_no_reason_to_give_up(desk):
    step = desk.drafting().steps(journal())[0]
    step.do()
    with pytest.raises(ConflictError, match="already exists"):
        step.do()
    assert desk.held() == planned(journal())


def test_numbers_that_others_have_are_left_to_them(desk):
    wanted = journal()
    first, second, *_ = numbers_of(wanted.key)
    desk.drafts.add(DraftEntry(first, DAY, "BY HAND", "Somebody's", "GJ", "Base", [], desk.world.clock.now()))
    desk.write(wanted)
    assert desk.drafting().find(wanted).number == str(second)
    assert desk.write(wanted) == []


def test_a_document_whose_numbers_are_all_taken_is_refused(desk):
    for number in numbers_of(journal().key):
        desk.drafts.add(DraftEntry(number, DAY, "BY HAND", "Somebody's", "GJ", "Base", [], desk.world.clock.now()))
    with pytest.raises(ConflictError, match="all the numbers"):
        desk.drafting().steps(journal())


@pytest.mark.parametrize("changed", [journal("9"), journal(lines=())], ids=["changed", "gone"])
def test_another_version_of_a_draft_is_refused_since_nothing_can_change_or_delete_it(desk, changed):
    desk.write(journal())
    with pytest.raises(CapabilityError, match="neither change nor delete") as refused:
        desk.drafting().steps(changed)
    assert "Delete entry" in refused.value.hint
    assert desk.held() == planned(journal())


def test_once_a_person_deleted_the_draft_the_new_version_is_written(desk):
    desk.write(journal())
    desk.act("DELETE", journal().key)
    desk.write(journal("9"))
    assert desk.held() == planned(journal("9"))


@pytest.mark.parametrize(
    "edit", [{"reference": "Budget of the board"}, {"batch": "MONTHEND"}], ids=["reference", "batch"]
)
def test_a_draft_is_known_though_a_person_called_it_otherwise_or_moved_it(desk, edit):
    desk.write(journal())
    desk.act("PATCH", journal().key, edit)
    assert stands(journal(), desk.drafting().find(journal()))
    assert desk.write(journal()) == []


@pytest.mark.parametrize("edit", [{"amount": "1.00"}, {"day": "2026-12-01"}], ids=["amount", "day"])
def test_what_a_person_typed_over_is_noticed_and_left_alone(desk, edit):
    desk.write(journal())
    desk.act("PATCH", journal().key, edit)
    assert not stands(journal(), desk.drafting().find(journal()))
    with pytest.raises(CapabilityError):
        desk.drafting().steps(journal())


def test_a_voided_draft_counts_for_nothing_and_keeps_its_number(desk):
    desk.write(journal())
    desk.act("POST", f"{journal().key}/void")
    assert desk.drafting().find(journal()).state is DraftState.MISSING
    desk.write(journal())
    assert desk.drafting().find(journal()).number == str(numbers_of(journal().key)[1])
    assert desk.held() == planned(journal())


def test_a_posted_document_is_found_and_left_alone(desk):
    wanted = journal(part="posted")
    desk.write(wanted)
    desk.act("POST", f"{wanted.key}/post")
    draft = desk.drafting().find(wanted)
    assert (draft.state, draft.number) == (DraftState.POSTED, str(numbers_of(wanted.key)[0]))
    assert stands(wanted, draft)
    changed = journal("9", part="posted")
    assert not stands(changed, desk.drafting().find(changed))
    assert desk.write(changed) == desk.write(wanted) == desk.held() == []
    assert desk.drafting().find(journal(part="posted", lines=())).state is DraftState.POSTED
    assert desk.post_calls == 0


def test_a_number_that_was_posted_is_not_given_again(desk):
    wanted = journal(part="posted before")
    step = desk.drafting().steps(wanted)[0]
    step.do()
    desk.act("POST", f"{wanted.key}/post")
    with pytest.raises(ConflictError):
        step.do()


def test_an_entry_that_is_posted_between_the_list_and_its_lines_is_looked_at_again(desk):
    wanted = journal(part="posted meanwhile")
    desk.write(wanted)
    fault = desk.fault(
        FaultKind.STATUS, "GetGLTransactionByKey", status=500, headers={"content-type": "text/xml"}, body=NOT_FOUND
    )
    assert desk.drafting().find(wanted).state is DraftState.DRAFT
    assert desk.world.faults.hits(fault) == 1


def test_what_the_service_refuses_is_told_in_its_own_words(desk):
    strange = journal(lines=tuple(type(one)(**as_dict(one) | {"account": "99999"}) for one in journal().lines))
    with pytest.raises(BadRequestError, match="Account 99999-300 does not exist"):
        desk.write(strange)
    assert desk.held() == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [(FaultKind.RESET, LostAnswerError), (FaultKind.LOST_ANSWER, LostAnswerError), (FaultKind.STATUS, ServerError)],
)
def test_a_creation_is_sent_once(desk, kind, error):
    fault = desk.fault(kind, times=None)
    with pytest.raises(error):
        desk.write(journal())
    assert desk.world.faults.hits(fault) == 1


def test_an_account_without_a_role_is_told_what_it_lacks(desk):
    step = desk.drafting().steps(journal())[0]
    desk.control.call("PATCH", "/dynamics_gp/switches", {"permitted": False})
    with pytest.raises(PermissionDeniedError):
        step.do()


def test_a_request_is_waited_for_as_long_as_it_may_take(desk):
    connecting, reading, slack = 10, 20, 15
    assert desk.drafting().settle == connecting + reading + slack


def test_numbers_of_a_document_are_the_same_in_every_run_and_far_from_the_ledgers_own():
    numbers = numbers_of(journal().key)
    assert numbers == numbers_of(journal().key) != numbers_of(journal(part="2").key)
    assert all(80_000_000 <= number <= 99_999_999 for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_segments_for_lines_that_name_none_are_read_from_the_flow():
    assert read_options({"segments": "Cost Centre 00, Region 1"}) == DraftOptions({"Cost Centre": "00", "Region": "1"})
    assert read_options({}) == DraftOptions()
    with pytest.raises(ConfigurationError, match="'Region' is no segment with a value"):
        read_options({"segments": "Region"})


NOT_FOUND = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
    "<faultstring>Business object not found.</faultstring></s:Fault></s:Body></s:Envelope>"
)


def as_dict(line):
    return {name: getattr(line, name) for name in line.__struct_fields__}
