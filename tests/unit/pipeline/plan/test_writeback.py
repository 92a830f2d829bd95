# SPDX-License-Identifier: Apache-2.0
"""Approved journals become drafts, each exactly once, whatever happens between two requests."""

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import BadRequestError, LeaseTakenError, LostAnswerError, PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, Payload, document_key
from airflow_provider_mlconnector.pipeline.writeback import verify, write_back
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.plan.fake_drafts import Books, FakeDrafts, Killed, Mishap

RESOURCE = "erp/fake/LARKFIELD/ANAPLAN"
PERIOD = "FY2027-P01"


def journal(part: int, *amounts: tuple[str, str], period: str = PERIOD) -> Journal:
    lines = tuple(
        JournalLine(
            number=number,
            account=account,
            amount=Decimal(amount),
            dimensions=(("DEPARTMENT", "ADM"),) if number > 1 else (),
        )
        for number, (account, amount) in enumerate(amounts, start=1)
    )
    key = document_key("flow", "Approved Budget", "LARKFIELD", "Budget", period, str(part))
    return Journal(key=key, period=period, posting_date=date(2026, 7, 31), description="Budget", lines=lines)


def payload(*journals: Journal) -> Payload:
    return Payload(
        flow="larkfield_close",
        plan="Approved Budget",
        company="LARKFIELD",
        periods=(PERIOD,),
        version="Budget",
        name="ANAPLAN",
        journals=journals,
    )


PLAN = payload(
    journal(1, ("4000", "-99999999999.99"), ("6100", "99999999999.98"), ("6200", "0.01")),
    journal(2, ("4000", "-5.00"), ("6100", "5.00")),
)


@pytest.fixture
def books(clock):
    return Books(clock)


@pytest.fixture
def write(bench, books, new_run):
    run = new_run()

    def go(plan=PLAN, *, owner="plan/run/write", drafting=None):
        return write_back(bench, plan, drafting or FakeDrafts(books), run_id=run.run_id, owner=owner, resource=RESOURCE)

    go.run_id = run.run_id
    return go


def written(books: Books) -> list[tuple[str, str, Decimal, dict[str, str]]]:
    return sorted((key, one.line.account, one.line.amount, one.dimensions) for key, one in books.lines)


def planned(plan: Payload) -> list[tuple[str, str, Decimal, dict[str, str]]]:
    return sorted((j.key, line.account, line.amount, dict(line.dimensions)) for j in plan.journals for line in j.lines)


def number_of_requests() -> int:
    """Two headers, five lines, three dimensions."""
    return 2 + 5 + 3


def test_all_journals_are_written_whole_with_their_numbers(bench, books, write):
    receipts = write()

    assert written(books) == planned(PLAN)
    assert books.requests == number_of_requests()
    assert [receipt.written for receipt in receipts] == [True, True]
    documents = Documents(bench.trail.engine).of_flow("larkfield_close", PERIOD)
    assert {row.state for row in documents} == {DocumentState.DRAFTED}
    assert {row.number for row in documents} == {f"N-{j.key}" for j in PLAN.journals}


@pytest.mark.parametrize("mishap", [m for m in Mishap if m is not Mishap.REFUSED])
@pytest.mark.parametrize("at", range(1, number_of_requests() + 1))
def test_one_complete_set_of_drafts_stands_whatever_happens_to_one_request(bench, books, write, at, mishap):
    books.mishaps = {at: mishap}
    try:
        write()
    except Killed:
        write()
    books.clock.sleep(3600)
    books.settle_pending()

    assert written(books) == planned(PLAN)
    assert sorted(books.headers) == sorted(j.key for j in PLAN.journals)
    assert all(row.intent is None for row in Documents(bench.trail.engine).of_flow("larkfield_close", PERIOD))


def test_a_request_that_may_be_on_its_way_is_not_repeated_before_the_servers_own_time_out(books, write):
    books.mishaps = {1: Mishap.KILLED_AND_LATE}
    with pytest.raises(Killed):
        write()
    began = books.clock.monotonic()

    write()

    assert books.clock.monotonic() - began == pytest.approx(30, abs=5)
    assert books.headers.count(PLAN.journals[0].key) == 1


def test_a_changed_plan_waits_out_what_its_earlier_version_may_still_do(books, write):
    """The ledger cannot tell by a look whether the other version's line is still to come."""
    books.mishaps = {2: Mishap.KILLED_AND_LATE}
    with pytest.raises(Killed):
        write()
    changed = payload(journal(1, ("4000", "-7.00"), ("6100", "7.00")))

    write(changed)
    books.clock.sleep(3600)
    books.settle_pending()

    assert written(books) == planned(changed)


def test_a_ledger_that_never_answers_is_left_to_a_later_try(books, write):
    books.mishaps = dict.fromkeys(range(1, 4), Mishap.LOST_IN_VAIN)

    with pytest.raises(LostAnswerError):
        write()

    write()
    assert written(books) == planned(PLAN)


def test_a_refusal_ends_the_try_at_once_and_leaves_nothing_to_wait_for(bench, books, write):
    books.mishaps = {3: Mishap.REFUSED}

    with pytest.raises(BadRequestError):
        write()

    assert Documents(bench.trail.engine).get(PLAN.journals[0].key).intent is None
    began = books.clock.monotonic()
    write()
    assert books.clock.monotonic() == began
    assert written(books) == planned(PLAN)


def test_the_same_plan_again_writes_nothing(books, write):
    write()
    sent = books.requests

    receipts = write()

    assert books.requests == sent
    assert [receipt.written for receipt in receipts] == [False, False]


def test_a_changed_plan_replaces_its_drafts_and_removes_those_it_has_no_more(bench, books, write):
    write()
    changed = payload(journal(1, ("4000", "-99999999999.99"), ("6100", "99999999999.99")))

    receipts = write(changed)

    assert written(books) == planned(changed)
    assert books.headers == [changed.journals[0].key]
    assert [receipt.state for receipt in receipts] == [DocumentState.REMOVED, DocumentState.DRAFTED]
    sent = books.requests
    write(changed)
    assert books.requests == sent


def test_what_a_person_posted_is_left_alone_and_refused_when_the_plan_changed(bench, books, write):
    write()
    books.posted = {j.key for j in PLAN.journals}

    assert {receipt.state for receipt in write()} == {DocumentState.POSTED}
    with pytest.raises(PostedError, match="posted"):
        write(payload(replace(PLAN.journals[0], lines=PLAN.journals[0].lines[:2]), PLAN.journals[1]))
    with pytest.raises(PostedError, match="posted"):
        write(payload(PLAN.journals[0]))
    assert written(books) == planned(PLAN)


def test_two_writers_never_work_in_one_batch(bench, books, write):
    lease = bench.leases.acquire(RESOURCE, "somebody else", 900)
    with pytest.raises(LeaseTakenError):
        write()
    assert books.requests == 0

    bench.leases.release(lease)
    write()
    assert written(books) == planned(PLAN)


def test_what_was_written_is_read_back_and_its_number_kept(bench, books, write):
    write()

    receipts = verify(bench, PLAN, FakeDrafts(books), run_id=write.run_id)

    assert {receipt.state for receipt in receipts} == {DocumentState.VERIFIED}
    kinds = [event.kind for event in bench.trail.events(write.run_id)]
    assert kinds.count(EventKind.VERIFIED) == 2


def test_a_draft_that_somebody_changed_does_not_pass_as_verified(bench, books, write):
    write()
    key, held = books.lines[0]
    held.line = replace(held.line, amount=Decimal("-1.00"))

    with pytest.raises(PostedError, match=key):
        verify(bench, PLAN, FakeDrafts(books), run_id=write.run_id)
