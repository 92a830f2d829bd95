# SPDX-License-Identifier: Apache-2.0
"""An update of Business Central that changes its columns: what does no harm is told, what does ends the run whole."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows.plans import read_plans
from airflow_provider_mlconnector.pipeline.extract import book_scope, extract
from airflow_provider_mlconnector.trail.records import CellScope, EventKind

PERIOD = "FY2026-P05"


@pytest.fixture
def drift(control):
    """Change the columns of the server, and change them back at the end."""

    def switch(**fields):
        control.call("PATCH", "/business_central/switches", fields)

    nothing = {"dropped_fields": [], "added_fields": [], "text_fields": [], "reports_finance": True}
    yield switch
    switch(**nothing)


@pytest.fixture(params=[True, False], ids=["finance API", "API v2.0"])
def close(request, closing, drift):
    """A close that was loaded once before the update."""
    drift(reports_finance=request.param)
    opened = closing(PERIOD)
    opened.run()
    opened.imports = ("Load GL Actuals",)
    return opened


def read(close, dataset=Dataset.JOURNAL_LINES, mode="whole"):
    run = close.open_run(mode)
    plan = next(plan for plan in read_plans(close.flow) if plan.dataset is dataset)
    return run, lambda: extract(close.bench, close.ledger, plan, run, close.period)


def found(close, run):
    """Return the findings of a run on its trail."""
    events = [event.detail for event in close.bench.trail.events(run.run_id) if event.kind == EventKind.FINDING]
    return {(one["kind"], one["subject"]) for detail in events for one in detail["findings"]}


def test_what_does_no_harm_is_told_and_the_run_goes_on(close, drift, caplog):
    drift(
        added_fields=["shinyNewField"],
        dropped_fields=["accountId", "globalDimension2Code"],
        text_fields=["additionalCurrencyAmount", "additionalCurrencyDebitAmount"],
    )
    with caplog.at_level(logging.WARNING):
        outcome = close.run("whole")
    assert outcome.report.agrees
    seen = found(close, outcome.run)
    assert ("column_new", "shinyNewField") in seen
    assert {("column_missing", "accountId"), ("column_missing", "globalDimension2Code")} & seen
    assert {kind for kind, name in seen if name.startswith("additionalCurrency")} == {"column_retyped"}
    for kind, subject in seen:
        assert f"journal_lines: {kind} {subject}: " in caplog.text


HARMFUL = [
    ("whole", {"dropped_fields": ["accountNumber"]}, "column_missing", "accountNumber", "has no column accountNumber"),
    ("changes", {"dropped_fields": ["debitAmount"]}, "column_missing", "debitAmount", "has no column debitAmount"),
    ("changes", {"text_fields": ["debitAmount"]}, "column_retyped", "debitAmount", "column debitAmount came as text"),
]


@pytest.mark.parametrize(("mode", "fields", "kind", "column", "sentence"), HARMFUL)
def test_a_column_that_is_needed_ends_the_run_with_its_sentence_and_nothing_half_written(
    close, drift, caplog, control, mode, fields, kind, column, sentence
):
    before, cells = kept(close), control.amounts("Nov 25")
    entry = control.lines(PERIOD)[0]["entry_number"]
    control.change_line(entry, description=f"touched before {column} was {kind}")
    drift(**fields)
    run, reading = read(close, mode=mode)
    with caplog.at_level(logging.WARNING), pytest.raises(SchemaDriftError, match=sentence):
        reading()
    assert (kind, column) in found(close, run)
    assert f"journal_lines: {kind} {column}: " in caplog.text
    assert (kept(close), control.amounts("Nov 25")) == (before, cells)
    [batch] = close.bench.trail.batches(run_id=run.run_id)
    assert (batch.finished_at, batch.file, batch.rows) == (None, None, 0)
    assert list(close.bench.stage.scratch().iterdir()) == []

    drift(dropped_fields=[], text_fields=[])
    assert close.run().report.agrees, "the next run after the repair goes on where the last good one ended"


def kept(close):
    """Return what runs stand on: the book of the lines and the cells that Anaplan accepted."""
    run = close.open_run("changes")
    lines = next(plan for plan in read_plans(close.flow) if plan.dataset is Dataset.JOURNAL_LINES)
    cells = CellScope(flow=close.flow.name, import_name="Load GL Actuals", period=PERIOD)
    return close.bench.trail.book(book_scope(lines, run)), close.bench.trail.accepted(cells)
