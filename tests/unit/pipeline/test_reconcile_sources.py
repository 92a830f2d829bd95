# SPDX-License-Identifier: Apache-2.0
"""Every figure of the reconcile table has a source of its own: whoever corrupts one source moves that figure alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest, LoadManifest, ReconcileReport
from airflow_provider_mlconnector.pipeline.reconcile import reconcile
from airflow_provider_mlconnector.pipeline.stage import LocalStage, scratch_file
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import BookScope, BookState, CellScope, StagedFile
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import StandingClock
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import COMPANY, LOG, PERIOD, Ledger, actuals, line, run_ref

VIEW = "GL Actuals by Period"
BOOK, MODEL = "book sum of absolute account movements", "model sum of absolute account movements"
ERP = "ERP sum of absolute account movements"
RECOUNT, HELD = "cells that differ from the book", "accepted cells that differ from the prepared ones"
SENT, STRANGE = "sent", "sent lines that are no cell"
APART = "cells of the model that differ"


@dataclass
class Sources:
    """A finished run: everything that its reconcile step reads."""

    close: Close
    batch: BatchManifest
    load: LoadManifest
    bench: Bench

    def report(self) -> ReconcileReport:
        made = self.load.prepared
        return reconcile(
            self.bench, self.close.run, [self.close.plan], [self.batch], [made], [self.load], self.close.model, PERIOD
        )

    def figures(self) -> dict[str, str | None]:
        return figures_of(self.report())

    def made(self, **values: Any) -> None:
        """Let the preparation have said something else."""
        self.load = msgspec.structs.replace(self.load, prepared=msgspec.structs.replace(self.load.prepared, **values))

    def parquet(self, file: StagedFile, change: Callable[[Any], Any]) -> StagedFile:
        """Stage a changed copy of a file."""
        with scratch_file(self.bench.stage, ".parquet") as path:
            pq.write_table(change(pq.read_table(self.bench.stage.fetch(file))), path)
            return self.bench.stage.publish(path, f"corrupted/{path.name}")


def figures_of(report: ReconcileReport) -> dict[str, str | None]:
    return {one.name: one.value for one in report.checks[0].figures}


class OtherTrail:
    """A trail that tells other books or accepted cells than it was told."""

    def __init__(self, trail: Any, *, book: BookState | None = None, accepted: StagedFile | None = None) -> None:
        self._trail, self._book, self._accepted = trail, book, accepted

    def book(self, scope: BookScope) -> BookState:
        return self._book or self._trail.book(scope)

    def accepted(self, scope: CellScope) -> Any:
        found = self._trail.accepted(scope)
        return msgspec.structs.replace(found, file=self._accepted) if self._accepted else found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trail, name)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, trail_template: Path) -> Iterator[Sources]:
    """A close with a line of every fate: accepted, quarantined and left out."""
    folder, clock = tmp_path_factory.mktemp("finished"), StandingClock()
    shutil.copy(trail_template, folder / "trail.db")
    trail = Trail(f"sqlite:///{folder}/trail.db", clock=clock)
    bench = Bench(trail, Leases(trail.engine, clock), LocalStage(folder / "stage"), LOG, clock)
    ledger = Ledger()
    ledger.lines.extend(
        [
            line(1, "40100", "-120.50"),
            line(2, "40200", "-30.00", **{"dimension.DEPARTMENT": "PROD"}),
            line(3, "10100", "150.50", **{"dimension.DEPARTMENT": "NONE"}),
            line(4, "40100", "-5.00", kind="closing"),
            line(5, "10100", "5.00", kind="closing"),
            line(6, "10100", "7.00", **{"dimension.DEPARTMENT": None}),
        ]
    )
    run = run_ref("finished")
    trail.open_run(run, requested_by="ada")
    close = Close(bench, ledger, FakeModel(), run, plan=actuals(check=VIEW))
    batch = close.extract()
    yield Sources(close, batch, close.load(close.prepare(batch)), bench)
    trail.close()


@pytest.fixture
def done(finished: Sources) -> Sources:
    """The finished close, to be corrupted."""
    model = replace(finished.close.model, cells=dict(finished.close.model.cells))
    return replace(finished, close=replace(finished.close, model=model))


def first_amount(amount: str) -> Callable[[Any], Any]:
    """Change the amount of the first row of a file."""

    def change(table: Any) -> Any:
        at = next(at for at, name in enumerate(table.schema.names) if name.lower() == "amount")
        field = table.schema.field(at)
        values = [Decimal(amount), *table.column(at).to_pylist()[1:]]
        return table.set_column(at, field, pa.array(values, field.type))

    return change


def book_of(done: Sources) -> BookScope:
    return BookScope(flow=done.close.run.flow, company=COMPANY, dataset="journal_lines", period=PERIOD.key)


def erp_count(done: Sources) -> None:
    done.batch = msgspec.structs.replace(done.batch, erp_count=99)


def erp_totals(done: Sources) -> None:
    file = done.parquet(done.batch.erp_accounts, first_amount("1.00"))
    done.batch = msgspec.structs.replace(done.batch, erp_accounts=file)


def a_line_of_the_book(done: Sources) -> None:
    state = done.bench.trail.book(book_of(done))
    file = done.parquet(state.base.file, lambda table: table.filter(pc.not_equal(table["record_id"], "e1")))
    base = msgspec.structs.replace(state.base, file=file)
    done.bench = replace(done.bench, trail=OtherTrail(done.bench.trail, book=msgspec.structs.replace(state, base=base)))


def a_prepared_cell(done: Sources) -> None:
    done.made(cells=done.parquet(done.load.prepared.cells, first_amount("3.00")))


def a_line_of_the_file(done: Sources) -> None:
    text = done.bench.stage.fetch(done.load.prepared.file).read_text()
    with scratch_file(done.bench.stage, ".csv") as path:
        path.write_text(text + text.splitlines()[-1] + "\n")
        done.made(file=done.bench.stage.publish(path, "corrupted/file.csv"))


def accepted_cells(done: Sources) -> None:
    scope = CellScope(flow=done.close.run.flow, import_name="Load GL Actuals", period=PERIOD.key)
    file = done.parquet(done.bench.trail.accepted(scope).file, first_amount("3.00"))
    done.bench = replace(done.bench, trail=OtherTrail(done.bench.trail, accepted=file))


def a_cell_of_the_model(done: Sources) -> None:
    done.close.model.cells[("40100", "SALES", "Actual", "Nov 25")] = "3"


def anaplans(name: str) -> Callable[[Sources], None]:
    def count(done: Sources) -> None:
        done.load = msgspec.structs.replace(done.load, **{name: 99})

    return count


def prepared(name: str, value: Any) -> Callable[[Sources], None]:
    return lambda done: done.made(**{name: value})


MOVED = {
    "ERP count": (erp_count, {"ERP lines"}),
    "ERP totals": (erp_totals, {ERP}),
    "book": (a_line_of_the_book, {"book lines", BOOK, RECOUNT}),
    "tally of the book": (prepared("rows_book", 99), {"prepared lines"}),
    "tally of accepted lines": (prepared("rows_accepted", 99), {"accepted lines"}),
    "tally of quarantined lines": (prepared("rows_quarantined", 99), {"quarantined lines"}),
    "tally of lines left out": (prepared("rows_left_out", 99), {"left out lines"}),
    "sum of the book": (prepared("sum_book", "99.00"), {"prepared sum"}),
    "sum of accepted lines": (prepared("sum_accepted", "99.00"), {"accepted sum"}),
    "sum of quarantined lines": (prepared("sum_quarantined", "99.00"), {"quarantined sum"}),
    "sum of lines left out": (prepared("sum_left_out", "99.00"), {"left out sum"}),
    "sum of cells": (prepared("sum_cells", "99.00"), {"sum of cells"}),
    "cells": (a_prepared_cell, {RECOUNT, HELD}),
    "import file": (a_line_of_the_file, {SENT, STRANGE}),
    "Anaplan's loaded": (anaplans("loaded"), {"loaded"}),
    "Anaplan's rejected": (anaplans("rejected"), {"rejected"}),
    "Anaplan's ignored": (anaplans("ignored"), {"ignored"}),
    "accepted cells": (accepted_cells, {HELD, APART}),
    "model": (a_cell_of_the_model, {MODEL, APART}),
}


def test_nothing_corrupted_agrees(done):
    report = done.report()
    assert report.agrees, report.problems


@pytest.mark.parametrize(("corrupt", "moved"), MOVED.values(), ids=MOVED.keys())
def test_a_corrupted_source_moves_its_own_figure_alone_and_is_a_problem(done, corrupt, moved):
    before = done.figures()
    corrupt(done)
    report = done.report()
    after = figures_of(report)
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == moved
    assert not report.agrees


def test_every_figure_is_moved_by_one_of_them(done):
    moved = set().union(*(names for _, names in MOVED.values()))
    of_rules = {name for name in done.figures() if name.startswith("left out: ")} | {"in every line"}
    assert set(done.figures()) - moved == of_rules


@pytest.mark.parametrize("column", ["Version", "Time"])
def test_what_is_the_same_in_every_line_is_compared_with_flow_and_calendar(done, column):
    done.made(constants={**done.load.prepared.constants, column: "Elsewhere"})
    assert any(f"says {column} Elsewhere, flow and calendar say" in problem for problem in done.report().problems)


def test_counts_that_anaplan_does_not_tell_are_not_checked(bench, ledger, new_run):
    close = Close(bench, ledger, FakeModel(told_counts=False), new_run(), plan=actuals())
    batch = close.extract()
    load = close.load(close.prepare(batch))
    report = Sources(close, batch, load, bench).report()
    figures = {one.name: one for one in report.checks[0].figures}
    assert [figures[name].value for name in ("loaded", "rejected", "ignored")] == [None, None, None]
    assert figures["loaded"].source == "Anaplan told no counts"
    assert (report.checks[0].summary.loaded, report.checks[0].summary.rejected) == (None, None)
    assert report.agrees, report.problems


def test_a_book_that_another_run_changed_is_not_checked(done):
    later = done.bench.trail.book(book_of(done)).version + 1
    done.bench = replace(done.bench, trail=OtherTrail(done.bench.trail, book=BookState(version=later)))
    figures = {one.name: one for one in done.report().checks[0].figures}
    for name in ("book lines", BOOK, RECOUNT):
        assert (figures[name].value, figures[name].source) == (None, "another run changed the book meanwhile")


def test_what_is_left_out_by_rule_is_told_with_its_movement_and_taken_off_the_difference(done):
    report = done.report()
    figures = {one.name: one.value for one in report.checks[0].figures}
    assert figures["left out: closing entry"] == "2 rows 0.00"
    assert figures["left out: closing entry, sum of absolute account movements"] == "10.00"
    told = report.checks[0].summary
    assert (told.erp_total, told.model_total) == ("318.00", "301.00")
    assert told.difference == "7.00", "what is quarantined is still apart"


def test_the_ledgers_figures_are_those_of_all_its_lines_also_of_closing_entries(done):
    figures = done.figures()
    assert figures["ERP lines"] == figures["book lines"] == "6"
    assert figures[ERP] == figures[BOOK] == "318.00"
