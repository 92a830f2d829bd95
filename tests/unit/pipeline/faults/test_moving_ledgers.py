# SPDX-License-Identifier: Apache-2.0
"""What happens in the midst of a whole read: each row comes once, and what came too late comes with the next run."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.sandbox.books import NewLine
from airflow_provider_mlconnector.sandbox.syspro import site_of
from tests.unit.pipeline.faults.table import Rehearsal
from tests.unit.pipeline.faults.test_fault_tables import EACH, TABLES

PAGED = [param for param in EACH if param.values[0].shrink]


def post(ledger: Rehearsal) -> None:
    """Post two lines into the period."""
    lines = [NewLine("60310", Decimal("7.89"), "ADM"), NewLine("20400", Decimal("-7.89"))]
    ledger.books.post_document(ledger.close.period.end, lines)


def paged(ledger: Rehearsal) -> Rehearsal:
    """Have the server give its journals in several pages."""
    if ledger.table.paged:
        ledger.bring_about(ledger.table.paged)
    return ledger


@pytest.mark.parametrize("table", PAGED)
def test_pages_that_become_smaller_are_read_to_the_end(rehearse, sandbox, table):
    ledger: Rehearsal = paged(rehearse(table))
    with ledger.happening(2, lambda: table.shrink(sandbox)) as came:
        ledger.check_whole_read()
    assert len(came) > 5


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("table", EACH)
def test_what_is_posted_meanwhile_moves_no_row_over_the_edge_of_a_page(rehearse, table, at):
    ledger: Rehearsal = paged(rehearse(table))
    with ledger.happening(at, lambda: post(ledger)):
        done = ledger.close.run("whole")
    ledger.check_unique(done.batches["journal_lines"])
    ledger.check_complete(ledger.close.run())


@pytest.mark.parametrize(("place", "at"), [(0, 3), (-1, 1)], ids=["one that was read", "one that was not yet read"])
@pytest.mark.parametrize("table", EACH)
def test_a_line_that_changes_meanwhile_comes_once_and_as_it_is_with_the_next_run(rehearse, table, place, at):
    ledger: Rehearsal = paged(rehearse(table))
    with ledger.happening(at, lambda: ledger.change_a_line(place)):
        done = ledger.close.run("whole")
    ledger.check_unique(done.batches["journal_lines"])
    ledger.check_complete(ledger.close.run())


def test_a_journal_that_appears_before_the_place_of_reading_doubles_and_hides_nothing(rehearse, sandbox):
    """A key that cannot be filtered is paged by its place, and a late commit moves every row by some places."""
    ledger: Rehearsal = rehearse(TABLES["SYSPRO"])
    first = min(line.entry_number for line in ledger.books.lines(ledger.table.key)) // 25 + 1
    ledger.bring_about({"unfilterable": ["EntryNumber"], "page_size": 5, "in_flight": [first], "history_from": 2030})

    def commit() -> None:
        site_of(sandbox.world).switches.in_flight = ()

    with ledger.happening(2, commit):
        done = ledger.close.run("whole")
    ledger.check_unique(done.batches["journal_lines"])
    ledger.check_complete(ledger.close.run())
