# SPDX-License-Identifier: Apache-2.0
"""The ERP's own figures of a period, the book as it is now, and what became of its lines.

All lines of the book are compared with the ERP, those too that are left out by rule: the ERP's figures hold them as
well. What is left out is told with its sum for each reason. Batches that once joined the book have to be in it still,
for the ERP has no figures that would show a line under its former department.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pyarrow.parquet as pq

from airflow_provider_mlconnector.finance.datasets import PERIOD_DATASETS, Dataset
from airflow_provider_mlconnector.finance.money import add_money, format_money
from airflow_provider_mlconnector.pipeline import totals
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.figures import MEANWHILE, Checked, apart, unchecked
from airflow_provider_mlconnector.pipeline.leftout import LeftOut
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest, Figure, PreparedManifest
from airflow_provider_mlconnector.pipeline.recount import Recount
from airflow_provider_mlconnector.pipeline.stage import Stage
from airflow_provider_mlconnector.systems.port import PeriodTotals
from airflow_provider_mlconnector.trail.records import BatchRow, BookScope, BookState, EventKind

MOVEMENT = "sum of absolute account movements"


def erp_movements(stage: Stage, batch: BatchManifest) -> dict[str, Decimal] | None:
    """Return debit minus credit per account by the ERP's own figures; None where it has none."""
    if batch.erp_accounts is None:
        return None
    rows = pq.read_table(stage.fetch(batch.erp_accounts)).to_pylist()
    return {row["account"]: row["amount"] for row in rows}


def check_lines(bench: Bench, batch: BatchManifest, made: PreparedManifest, book: Recount | None) -> Checked:
    """Compare the ERP's figures, the book and what became of its lines.

    :param book: None when another run changed it since.
    """
    erp = PeriodTotals(batch.erp_count, erp_movements(bench.stage, batch), batch.totals_by)
    now = None if book is None else book.totals
    figures = (
        *_erp_figures(batch, made, erp, now),
        *_book_figures(made),
        *_rule_figures(made, {} if book is None else book.left_out),
    )
    return Checked(figures, (*_against_erp(batch, made, erp, now), *_what_became(made, now)))


def check_batches(bench: Bench, scope: BookScope, state: BookState) -> Checked:
    """See that every batch that joined the book after its base was read is in it."""
    if state.base is None:
        return Checked()
    held = {part.batch_id for part in (state.base, *state.changes)}
    later = (
        batch
        for batch in bench.trail.batches(
            flow=scope.flow, company=scope.company, dataset=scope.dataset, period=scope.period
        )
        if batch.seq > state.base.seq and batch.file is not None and batch.batch_id not in held
    )
    lost = [batch.batch_id for batch in later if _joined(bench, batch)]
    return Checked((), (f"The book has lost changes that were read: {apart(lost)}.",) if lost else ())


def _erp_figures(
    batch: BatchManifest, made: PreparedManifest, erp: PeriodTotals, book: totals.BookTotals | None
) -> Iterator[Figure]:
    source = erp.source or "the ERP gives no totals of its own"
    count = None if erp.count is None else str(erp.count)
    yield Figure(name="ERP lines", value=count, source=source)
    yield unchecked("book lines", MEANWHILE) if book is None else _of_book("book lines", str(book.rows))
    if made.sum_book and batch.dataset in PERIOD_DATASETS:
        total = None if erp.by_account is None else format_money(totals.movement(erp.by_account))
        yield Figure(name=f"ERP {MOVEMENT}", value=total, source=source)
        name = f"book {MOVEMENT}"
        yield (
            unchecked(name, MEANWHILE)
            if book is None
            else _of_book(name, format_money(totals.movement(book.by_account)))
        )


def _of_book(name: str, value: str) -> Figure:
    return Figure(name=name, value=value, source="book")


def _book_figures(made: PreparedManifest) -> Iterator[Figure]:
    lines = {"accepted": made.rows_accepted, "quarantined": made.rows_quarantined, "left out": made.rows_left_out}
    sums = {"accepted": made.sum_accepted, "quarantined": made.sum_quarantined, "left out": made.sum_left_out}
    sources = {"accepted": "lines, mapped", "quarantined": "lines, mapped", "left out": "lines, by rule"}
    yield Figure(name="prepared lines", value=str(made.rows_book), source="book, as it was prepared")
    for name, count in lines.items():
        yield Figure(name=f"{name} lines", value=str(count), source=sources[name])
    if made.sum_book:
        yield Figure(name="prepared sum", value=made.sum_book, source="book, as it was prepared")
        for name, amount in sums.items():
            yield Figure(name=f"{name} sum", value=amount, source=sources[name])
        yield Figure(name="sum of cells", value=made.sum_cells, source="cells file")


def _rule_figures(made: PreparedManifest, left_out: LeftOut) -> Iterator[Figure]:
    """Tell each reason's lines and sum, and its movement: closing entries, too, add up to 0."""
    for why, what in made.left_out.items():
        yield Figure(name=f"left out: {why}", value=what, source="lines, by rule")
        if why in left_out:
            moved = format_money(totals.movement(left_out[why]))
            yield Figure(name=f"left out: {why}, {MOVEMENT}", value=moved, source="book")


def _against_erp(
    batch: BatchManifest, made: PreparedManifest, erp: PeriodTotals, book: totals.BookTotals | None
) -> Iterator[str]:
    """Yield where ERP and book differ; a book that others changed since is theirs to compare, and ours is told."""
    if book is None or batch.book_version != made.book_version:
        if batch.agrees is False:
            yield f"{_both(batch, batch.book_rows)}{_by(batch.difference)}."
        return
    found = totals.compare(erp, book, Dataset(batch.dataset))
    if found.agrees is False:
        accounts = [
            f"account {one.account}: {format_money(one.erp)} in the ledger, {format_money(one.book)} in the book"
            for one in found.accounts
        ]
        told = f": {apart(accounts)}" if accounts else ""
        yield f"{_both(batch, book.rows)}{_by(None if not found.difference else format_money(found.difference))}{told}."


def _both(batch: BatchManifest, rows: int) -> str:
    told = "" if batch.erp_count is None else f": {batch.erp_count} lines"
    return f"The ERP's own figures ({batch.totals_by}{told}) differ from the book ({rows} lines)"


def _by(difference: str | None) -> str:
    return f", {difference} apart per account" if difference else ""


def _what_became(made: PreparedManifest, book: totals.BookTotals | None) -> Iterator[str]:
    if book is not None and book.rows != made.rows_book:
        yield f"The book has {book.rows} lines, {made.rows_book} were prepared."
    kept = made.rows_accepted + made.rows_quarantined + made.rows_left_out
    if kept != made.rows_book:
        yield f"Of {made.rows_book} lines in the book {kept} are accounted for."
    if not made.sum_book:
        return
    parts = add_money(Decimal(part) for part in (made.sum_accepted, made.sum_quarantined, made.sum_left_out))
    if parts != Decimal(made.sum_book):
        yield f"The book adds up to {made.sum_book}, what became of its lines to {format_money(parts)}."
    if Decimal(made.sum_cells) != Decimal(made.sum_accepted):
        yield f"The accepted lines add up to {made.sum_accepted}, the cells to {made.sum_cells}."


def _joined(bench: Bench, batch: BatchRow) -> bool:
    """Say whether the trail announced the batch's file as part of a book."""
    events = bench.trail.events(batch.run_id)
    return any(event.kind == EventKind.BOOKED and batch.file in event.files for event in events)
