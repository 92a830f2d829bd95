# SPDX-License-Identifier: Apache-2.0
"""Drafts that people post, and runs that come too late to change what a later one wrote."""

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import NotApprovedError, PostedError
from airflow_provider_mlconnector.pipeline.posted import look_for_posted
from airflow_provider_mlconnector.pipeline.writeback import verify, write_back
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from tests.unit.pipeline.plan.fake_drafts import Books, FakeDrafts
from tests.unit.pipeline.plan.test_writeback import PLAN, RESOURCE, journal, payload

FIRST, SECOND = PLAN.journals


class Ledger(FakeDrafts):
    """Counts what is looked for."""

    looks = 0

    def find(self, wanted):
        self.looks += 1
        return super().find(wanted)


@pytest.fixture
def books(clock):
    return Books(clock)


@pytest.fixture
def ledger(books):
    return Ledger(books)


@pytest.fixture
def run(bench, ledger, new_run, clock):
    """Return a run that writes and verifies a plan; each opens a second after the one before."""

    def go(plan=PLAN):
        clock.sleep(1)
        opened = new_run()
        write(opened.run_id, plan)
        verify(bench, plan, ledger, run_id=opened.run_id)
        return opened.run_id

    def write(run_id, plan=PLAN):
        return write_back(bench, plan, ledger, run_id=run_id, owner=run_id, resource=RESOURCE)

    go.write = write
    return go


def test_each_document_is_told_once_when_it_is_posted(bench, books, ledger, run):
    run_id = run()
    assert look_for_posted(bench, PLAN, ledger, run_id).open == (FIRST.key, SECOND.key)
    books.posted.add(SECOND.key)
    found = look_for_posted(bench, PLAN, ledger, run_id)
    assert ([one.key for one in found.posted], found.open) == ([SECOND.key], (FIRST.key,))
    before = ledger.looks
    assert look_for_posted(bench, PLAN, ledger, run_id) == found
    assert ledger.looks == before + 1
    books.posted.add(FIRST.key)
    found = look_for_posted(bench, PLAN, ledger, run_id)
    assert [one.number for one in found.posted] == [f"N-{FIRST.key}", f"N-{SECOND.key}"]
    told = [event.detail["document"] for event in bench.trail.events(run_id) if event.kind == "posted"]
    assert told == [SECOND.key, FIRST.key]
    assert {row.state for row in Documents(bench.trail.engine).of_flow()} == {DocumentState.POSTED}


def test_a_document_that_is_gone_is_an_error(bench, books, ledger, run):
    run_id = run()
    books.headers.clear()
    with pytest.raises(PostedError, match=f"{FIRST.key} was written and is not in the ledger any more"):
        look_for_posted(bench, PLAN, ledger, run_id)


def test_an_earlier_run_does_not_undo_what_a_later_one_wrote(bench, books, run):
    earlier = run()
    changed = payload(replace(FIRST, lines=SECOND.lines), SECOND)
    run(changed)
    before = list(books.lines)
    with pytest.raises(NotApprovedError, match=f"Document {FIRST.key} was written by a later run"):
        run.write(earlier)
    assert books.lines == before
    assert [one.written for one in run.write(earlier, changed)] == [False, False]


def test_nor_does_it_remove_what_only_the_later_one_has(books, run):
    earlier = run()
    third = journal(3, ("4000", "-7.00"), ("6100", "7.00"))
    later = run(payload(*PLAN.journals, third))
    with pytest.raises(NotApprovedError, match=f"Document {third.key} was written by a later run"):
        run.write(earlier)
    assert third.key in books.headers
    assert [one.written for one in run.write(later, PLAN)] == [True, False, False]
