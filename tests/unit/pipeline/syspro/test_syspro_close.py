# SPDX-License-Identifier: Apache-2.0
"""The close of Larkfield Trading against the sandbox: what SYSPRO's books say is what the model holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.systems.syspro.connection import Auth
from tests.unit.pipeline.figures import BALANCES, LINES, TURNS, balances_booked, balances_held, booked, held
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.pipeline.support import csv_rows, parquet_rows
from tests.unit.pipeline.syspro.conftest import FLOW

LISTS = ("Load Accounts", "Load Cost Centres", "Load Cost Centre Names")
Open = Callable[[str], SandboxClose]


def test_periods_of_all_kinds_hold_the_trial_balance_and_the_balances_of_the_books(closing, sandbox, control):
    for at, key in enumerate(TURNS):
        close = closing(key)
        close.imports = (*(() if at else LISTS), LINES, BALANCES)
        done = close.run("whole")
        assert done.report.agrees, done.report.problems
        assert held(control, close) == booked(sandbox.world.books, key), key
        assert balances_held(control, close) == balances_booked(sandbox.world.books, key), key


@pytest.mark.parametrize("time_stamps", ["filterable", "shown", "hidden"])
def test_a_posted_document_changes_just_its_cells_in_the_next_run(closing, sandbox, control, time_stamps):
    control.call("PATCH", "/syspro/switches", {"time_stamps": time_stamps})
    close = closing("FY2027-P03")
    close.imports = (*LISTS, LINES)
    close.run("whole")
    lines = [
        {"account": "60420", "amount": "12.34", "department": "ADM"},
        {"account": "20400", "amount": "-12.34"},
    ]
    control.call("POST", "/books/documents", {"posting_date": "2026-09-30", "lines": lines})
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    assert 2 <= done.batches["journal_lines"].rows < sandbox.world.books.count(close.period.key)
    sent = csv_rows(close.bench, done.load(LINES).prepared.file)
    assert sorted((row["Account"], row["Cost Centre"]) for row in sent) == [("20400", "NONE"), ("60420", "CC100")]
    assert held(control, close) == booked(sandbox.world.books, close.period.key)
    assert done.report.agrees, done.report.problems


def test_a_changed_line_corrects_just_its_cell(closing, sandbox, control):
    close = closing("FY2026-P08")
    close.imports = (*LISTS, LINES)
    close.run("whole")
    line = next(line for line in control.lines(close.period.key) if line["department"] == "PROD")
    control.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + 10))
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    sent = csv_rows(close.bench, done.load(LINES).prepared.file)
    assert [(row["Account"], row["Cost Centre"]) for row in sent] == [(line["account"], "CC300")]
    assert held(control, close) == booked(sandbox.world.books, close.period.key)


@pytest.mark.parametrize("time_stamps", ["filterable", "hidden"])
def test_an_entry_that_vanishes_is_noticed_by_the_ledgers_own_balances(closing, sandbox, control, time_stamps):
    control.call("PATCH", "/syspro/switches", {"time_stamps": time_stamps})
    close = closing("FY2026-P09")
    close.imports = (*LISTS, LINES)
    close.run("whole")
    control.call("DELETE", f"/books/lines/{control.lines(close.period.key)[0]['entry_number']}")
    done = close.run()
    assert done.batches["journal_lines"].mode == "whole"
    assert held(control, close) == booked(sandbox.world.books, close.period.key)


@pytest.mark.parametrize("time_stamps", ["filterable", "hidden"])
def test_a_journal_that_is_committed_after_a_later_one_is_not_missed(closing, sandbox, control, time_stamps):
    close = closing("FY2026-P01")
    journal = control.lines(close.period.key)[30]["entry_number"] // 25 + 1
    control.call("PATCH", "/syspro/switches", {"time_stamps": time_stamps, "in_flight": [journal]})
    close.imports = (*LISTS, LINES)
    close.run("whole")
    assert held(control, close) != booked(sandbox.world.books, close.period.key)
    control.call("PATCH", "/syspro/switches", {"in_flight": []})
    close.run()
    assert held(control, close) == booked(sandbox.world.books, close.period.key)


def test_an_unchanged_ledger_sends_nothing(closing, control):
    close = closing("FY2026-P07")
    close.imports = (*LISTS, LINES, BALANCES)
    close.run("whole")
    again = close.run()
    assert again.batches["journal_lines"].file is None
    assert [load.sent for load in again.loads] == [0, 0, 0, 0]
    assert again.report.agrees, again.report.problems


def test_when_row_versions_stop_being_shown_the_watermark_starts_anew(closing, sandbox, control):
    close = closing("FY2026-P10")
    close.imports = (*LISTS, LINES)
    close.run("whole")
    control.call("PATCH", "/syspro/switches", {"time_stamps": "hidden"})
    line = next(line for line in control.lines(close.period.key) if line["department"] == "PROD")
    control.change_line(line["entry_number"], department="LOG")  # which no total per account shows
    close.ledger.close()
    close.ledger = open_ledger(control, close.flow, close.bench.clock)
    done = close.run()
    assert (done.batches["journal_lines"].mode, done.batches["journal_lines"].rows) == ("changes", 1)
    assert held(control, close) == booked(sandbox.world.books, close.period.key)


@pytest.mark.parametrize("options", [{}, {"logon_path": "Utilities/Logon"}])
def test_a_close_by_sessions_leaves_none_behind(tmp_path, trail_template, sandbox, control, options):
    with opened_closes(tmp_path, trail_template, sandbox, control, FLOW, auth=Auth.SESSION, **options) as opened:
        close = opened("FY2026-P04")
        close.imports = (*LISTS, LINES)
        close.run("whole")
        assert control.call("GET", "/syspro/sessions") == {"sessions": 1}
        assert held(control, close) == booked(sandbox.world.books, close.period.key)
    assert control.call("GET", "/syspro/sessions") == {"sessions": 0}


def test_groups_are_loaded_before_their_accounts_and_an_account_that_moves_follows(closing, control):
    close = closing("FY2026-P11")
    close.imports = ("Load Accounts",)
    close.run("whole")
    accounts = control.members("Accounts")
    assert (accounts["60110"]["parent"], accounts["60100"]["parent"], accounts["60000"]["parent"]) == (
        "60100",
        "60000",
        "",
    )
    control.call("PATCH", "/books/accounts/60110", {"parent": "60300"})
    done = close.run()
    assert [row["Code"] for row in csv_rows(close.bench, done.load("Load Accounts").prepared.file)] == ["60110"]
    assert control.members("Accounts")["60110"]["parent"] == "60300"


def test_an_account_below_an_unknown_group_is_held_back_and_keeps_its_place(closing, control, sandbox):
    close = closing("FY2026-P12")
    close.imports = ("Load Accounts",)
    close.run("whole")
    books = sandbox.world.books
    books._replace_account(replace(books.account("60120"), parent="99999"))
    try:
        made = close.run().load("Load Accounts").prepared
    finally:
        books.move_account("60120", "60100")
    assert made.rows_quarantined == 1
    (held_back,) = parquet_rows(close.bench, made.quarantine)
    assert "the parent '99999' is not in the data" in str(held_back)
    assert control.members("Accounts")["60120"]["parent"] == "60100"


def test_the_folder_of_flows_holds_together(tmp_path: Path) -> None:
    from airflow_provider_mlconnector.flows.loader import load_flows

    assert "syspro_trading_close" in {flow.name for flow in load_flows(FLOW.parent)}
