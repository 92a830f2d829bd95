# SPDX-License-Identifier: Apache-2.0
"""Books that hold what real ones do, closed from Acumatica: its own period field, its ledgers, its currencies."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.tui_ledger import LARGEST
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import BALANCES, LINES, SAME_CODES, Cells, booked, held
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose, opened_closes
from tests.unit.pipeline.tui_close import books_of

FLOW = Path(__file__).parent / "tui_acumatica.yaml"
LISTS = ("Load Accounts", "Load Cost Centres")
LAST_OF_YEAR, ADJUSTING = "FY2026-P12", "FY2026-P13"

Closed = dict[str, tuple[SandboxClose, Outcome]]


@pytest.fixture(scope="module")
def closed(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Closed]:
    """All periods up to today, closed once."""
    control.ensure_members("Entities", ["Tūī"])
    done: Closed = {}
    folder = tmp_path_factory.mktemp("tui")
    with opened_closes(folder, trail_template, sandbox, control, FLOW) as opened:
        for period in books_of(sandbox).periods:
            if books_of(sandbox).count(period.key):
                close = opened(period.key)
                close.imports = (*(() if done else LISTS), LINES, BALANCES)
                done[period.key] = (close, close.run("whole"))
        yield done


def in_the_books(books: Books, key: str) -> Cells:
    """Return what was posted to a period, adjustments after a year's last one included."""
    return booked(books, *((key, ADJUSTING) if key == LAST_OF_YEAR else (key,)), centres=SAME_CODES)


def test_every_period_of_the_model_holds_what_was_posted_to_it(closed, sandbox, control):
    assert len(closed) == 16
    for key, (close, _) in closed.items():
        assert held(control, close) == in_the_books(books_of(sandbox), key), key


def test_every_run_reconciles_to_the_penny(closed):
    for key, (_, done) in closed.items():
        assert done.report.agrees, (key, done.report.problems)
        assert done.report.difference == "0.00"


def test_lines_dated_outside_their_period_are_loaded_into_the_one_that_they_were_posted_to(closed, sandbox, control):
    books = books_of(sandbox)
    outside = [line for line in books.lines("FY2026-P02") if not books.period("FY2026-P02").contains(line.posting_date)]
    assert len(outside) == 8
    without = in_the_books(books, "FY2026-P02")
    for line in outside:
        without[line.account, line.department or "NONE"] -= line.amount
    assert held(control, closed["FY2026-P02"][0]) != {cell: amount for cell, amount in without.items() if amount}


def test_documents_in_other_currencies_are_loaded_in_the_ledgers_own(closed, sandbox, control):
    abroad = [line for line in books_of(sandbox).lines("FY2026-P04") if line.currency != "NZD"]
    assert {line.currency for line in abroad} == {"USD", "JPY"}
    sums = sum(
        line.amount
        for line in books_of(sandbox).lines("FY2026-P04")
        if line.account == "40;4" and line.department == "ŌTARA"
    )
    assert held(control, closed["FY2026-P04"][0])["40;4", "ŌTARA"] == sums


def test_adjustments_count_as_the_last_period_and_the_next_year_opens_with_its_result(closed, control):
    close, done = closed[LAST_OF_YEAR]
    assert done.load(LINES).prepared.rows_left_out == 0, "a year's end has no journal in this ledger"
    adjusting = done.batches["journal_lines"].rows
    assert adjusting > closed["FY2026-P11"][1].batches["journal_lines"].rows
    rows = control.cells("GL Balances", Time="Aug 26", Entity="Tūī")
    opening = {row["Account"]: Decimal(row["Opening"] or 0) for row in rows}
    assert opening["40,1"] == 0
    assert opening["30200"] != 0
    assert close.period.key == LAST_OF_YEAR


def test_a_cent_and_nineteen_digits_arrive_exactly(closed, control):
    assert held(control, closed["FY2026-P03"][0])["60800", "🐝"] == LARGEST


def test_codes_arrive_letter_by_letter(closed, sandbox, control):
    posted = {cell for close, _ in closed.values() for cell in held(control, close)}
    assert {'40"2', "40'3", "40,1", "40;4", "6-100", "6=1+1", "6🐝", "0070", "00070"} <= {cell[0] for cell in posted}
    assert {"007", "07", "1E5", "=SUM(A1)", "A,B", "NULL", 'Q"1', "R;D", "ייצור", "🐝"} <= {cell[1] for cell in posted}
