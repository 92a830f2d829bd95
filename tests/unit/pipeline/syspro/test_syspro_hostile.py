# SPDX-License-Identifier: Apache-2.0
"""Documents that are dated back, numbers that are given twice, and what is posted to a closed period."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows.plans import read_plans
from airflow_provider_mlconnector.pipeline.sweep import sweep
from tests.unit.pipeline.figures import LINES, booked, held
from tests.unit.pipeline.syspro.test_syspro_close import LISTS


def test_a_document_that_was_dated_back_is_loaded_in_the_period_it_was_posted_to(closing, sandbox, control):
    close = closing("FY2027-P03")
    close.imports = (*LISTS, LINES)
    close.run("whole")
    lines = [{"account": "60420", "amount": "99.99", "department": "RND"}, {"account": "20400", "amount": "-99.99"}]
    body = {"posting_date": "2026-07-02", "period": close.period.key, "lines": lines}
    control.call("POST", "/books/documents", body)
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    assert held(control, close) == booked(sandbox.world.books, close.period.key)


@pytest.mark.parametrize("same_ids", [False, True])
def test_entries_that_take_over_the_numbers_of_others_replace_them(closing, sandbox, control, same_ids):
    close = closing("FY2027-P05")
    close.imports = (*LISTS, LINES)
    body = {"posting_date": "2026-11-03", "lines": [{"account": "60420", "amount": "5"}], "balanced": False}
    (entry,) = control.call("POST", "/books/documents", body)["entries"]
    close.run("whole")
    control.call("POST", f"/books/lines/{entry}/roll-back", {"same_ids": same_ids})
    body["lines"] = [{"account": "60410", "amount": "7"}]
    assert control.call("POST", "/books/documents", body)["entries"] == [entry]
    close.run()
    assert held(control, close) == booked(sandbox.world.books, close.period.key)
    control.call("DELETE", f"/books/lines/{entry}")


@pytest.mark.parametrize("time_stamps", ["filterable", "hidden"])
def test_what_is_posted_to_a_closed_period_is_found_by_the_sweep(closing, control, time_stamps):
    control.call("PATCH", "/syspro/switches", {"time_stamps": time_stamps})
    close = closing("FY2026-P02")
    close.imports = (*LISTS, LINES)
    close.run("whole")
    plan = next(plan for plan in read_plans(close.flow) if plan.dataset is Dataset.JOURNAL_LINES)
    assert sweep(close.bench, close.ledger, plan, close.open_run("changes"), [close.period]).late == ()
    lines = [{"account": "60420", "amount": "1.25", "department": "RND"}, {"account": "20400", "amount": "-1.25"}]
    control.call("POST", "/books/documents", {"posting_date": "2025-08-29", "lines": lines})
    (late,) = sweep(close.bench, close.ledger, plan, close.open_run("changes"), [close.period]).late
    assert (late.period, late.lines, late.new, late.debit) == ("FY2026-P02", 2, 2, "1.25")
