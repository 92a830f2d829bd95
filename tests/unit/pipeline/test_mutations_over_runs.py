# SPDX-License-Identifier: Apache-2.0
"""What is broken shows only over several runs, or harms nothing, or cannot be seen and is said to be unchecked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_mlconnector.pipeline import acceptance, book, load
from airflow_provider_mlconnector.pipeline.manifests import ReconcileReport
from airflow_provider_mlconnector.pipeline.plan import Tolerance
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.mutations import Mutant
from tests.unit.pipeline.mutations_onwards import FIRST, on_mapped
from tests.unit.pipeline.support import actuals
from tests.unit.pipeline.test_reconcile_sources import Sources

VIEW = "GL Actuals by Period"


@pytest.fixture
def mutant(monkeypatch: pytest.MonkeyPatch) -> Mutant:
    return Mutant(monkeypatch)


@pytest.fixture
def runs(bench: Any, ledger: Any, new_run: Callable[..., Any]) -> Callable[..., ReconcileReport]:
    """Make a run of a flow, one after the other, into one model."""
    for row in ledger.lines:
        row["dimension.DEPARTMENT"] = row["dimension.DEPARTMENT"] or "NONE"
    model = FakeModel()

    def run(mode: str = "changes", rejected: set[str] | None = None, **plan: Any) -> ReconcileReport:
        model.rejected = rejected or set()
        close = Close(bench, ledger, model, new_run(mode), plan=actuals(check=VIEW, **plan))
        close.owner = close.run.run_id
        batch = close.extract()
        return Sources(close, batch, close.load(close.prepare(batch)), bench).report()

    return run


def test_a_book_that_loses_a_change_file_is_noticed_though_no_total_of_the_ledger_shows_it(runs, ledger, mutant):
    ledger.lines.extend({**ledger.lines[0], "record_id": f"x{at}", "entry_number": 90 + at} for at in range(20))
    assert runs("whole").agrees
    ledger.change(1, **{"dimension.DEPARTMENT": "PROD"})
    assert runs().agrees

    def forgetful(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        base, changes = real(*args, **kwargs)
        return mutant.differ((base, changes), (base, changes[-1:]))

    mutant.wrap(book, "_laid_over", forgetful)
    ledger.change(2, **{"dimension.DEPARTMENT": "PROD"})
    report = runs()
    assert mutant.changed
    assert "The book has lost changes that were read: b" in report.problems[0]


def test_changes_that_get_lost_on_the_way_are_made_good_by_a_whole_read(runs, ledger, bench, mutant):
    assert runs("whole").agrees

    def lost(real: Callable[..., Any], bench: Any, ticket: Any, *args: Any) -> Any:
        mutant.changed += ticket.mode == "changes"
        return True if ticket.mode == "changes" else real(bench, ticket, *args)

    mutant.wrap(book, "join", lost)
    ledger.change(1, account="10100")
    report = runs()
    assert mutant.changed
    assert report.agrees
    kinds = [event.kind for event in bench.trail.events(report.run.run_id)]
    assert EventKind.TOTALS_DIFFER in kinds
    assert report.checks[0].summary.difference == "0.00"


def test_a_page_that_is_read_twice_harms_nothing(runs, ledger, mutant):
    def twice(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        reading = real(*args, **kwargs)
        pages = list(reading.batches)
        reading.batches = iter(mutant.differ(pages, [*pages, *pages[:1]]))
        return reading

    mutant.wrap(type(ledger), "read", twice)
    report = runs("whole")
    assert mutant.changed
    assert report.agrees, report.problems
    assert (report.checks[0].summary.rows_read, report.checks[0].summary.rows_accepted) == (9, 6)


def test_a_reject_that_is_ignored_is_noticed_by_the_count_of_loaded_rows(runs, mutant):
    def settle(real: Callable[..., Any], bench: Any, plan: Any, prepared: Any, accepted: Any, *_: Any) -> Any:
        mutant.changed += 1
        return acceptance.Settlement((), 0, prepared.cells)

    mutant.wrap(load, "settle", settle)
    report = runs("whole", rejected={"40200"}, tolerance=Tolerance(rows=1))
    assert mutant.changed
    assert "3 lines were sent, 2 came to something: 2 loaded, 0 rejected" in report.problems[0]
    assert "40200 / PROD: Amount -30.00 accepted, 0.00 in the model" in report.problems[1]


def test_a_transform_and_what_comes_of_its_lines_are_counted_apart(runs, mutant):
    on_mapped(mutant, f"SELECT * FROM {{was}} WHERE NOT {FIRST}")
    report = runs("whole", transform="tests.unit.pipeline.test_mutations_over_runs:half")
    assert mutant.changed
    assert "Of 6 lines in the book 5 are accounted for." in report.problems[0]
    figures = {one.name: one for one in report.checks[0].figures}
    assert figures["left out: transform"].value == "3 rows 150.50"
    assert figures["cells that differ from the book"].value is None


def half(rows: Any) -> Any:
    """Keep three rows."""
    return rows[rows["amount"] < 0]


def test_many_differences_are_named_up_to_the_twentieth_and_the_others_counted(runs, ledger, mutant):
    ledger.lines.extend(
        {**ledger.lines[0], "record_id": f"x{at}", "account": f"5{at:04d}", "entry_number": 90 + at} for at in range(30)
    )
    on_mapped(mutant, 'SELECT * REPLACE ("Amount" + 1 AS "Amount") FROM {was}')
    problem = runs("whole").problems[0]
    assert "cells are not what the book adds up to" in problem
    assert "; and 13 others." in problem
    assert "Amount -100.00 by the book, -99.00 in the cells" in problem
    assert problem.count("by the book") == 20
