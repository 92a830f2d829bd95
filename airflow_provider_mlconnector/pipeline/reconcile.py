# SPDX-License-Identifier: Apache-2.0
"""The last step: three comparisons of figures from different sources.

- Lines: the ERP's own totals, the book, and what became of its rows.
- Cells: what was sent, and what Anaplan says became of it.
- Model: the check view read back, and the cells that Anaplan accepted, cell by cell.

The movement of an account is debit minus credit in the period. All movements of a complete ledger add up to 0
whatever is in it, so totals are told as the sum of the absolute movements, which either side can be asked for. A
figure without a source of its own is None, and prints "not checked".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow.parquet as pq
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import ReconcileError
from airflow_provider_mlconnector.finance.money import ZERO, add_money, format_money
from airflow_provider_mlconnector.pipeline.context import Bench, ModelReader
from airflow_provider_mlconnector.pipeline.manifests import (
    BatchManifest,
    DatasetCheck,
    Figure,
    LoadManifest,
    PreparedManifest,
    ReconcileReport,
    Summary,
)
from airflow_provider_mlconnector.pipeline.modelcheck import ModelCheck, account_column, check_model
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Sign
from airflow_provider_mlconnector.pipeline.totals import less, movement
from airflow_provider_mlconnector.trail.records import EventKind, RunRef, StagedFile

MOVEMENT = "sum of absolute account movements"


def reconcile(
    bench: Bench,
    run: RunRef,
    plans: Sequence[LoadPlan],
    batches: Sequence[BatchManifest],
    prepared: Sequence[PreparedManifest],
    loads: Sequence[LoadManifest],
    model: ModelReader | None,
) -> ReconcileReport:
    """Compare what was read, sent and is held, and record the result; see :func:`require_agreement`.

    :param model: reads the check views; None leaves the models unchecked.
    """
    read = {batch.dataset: batch for batch in batches}
    made = {one.import_name: one for one in prepared}
    loaded = {load.import_name: load for load in loads}
    checks = tuple(
        _check(
            bench, run, plan, read.get(plan.dataset), made.get(plan.import_name), loaded.get(plan.import_name), model
        )
        for plan in plans
    )
    told = [Decimal(check.summary.difference) for check in checks if check.summary.difference is not None]
    report = ReconcileReport(
        run=run,
        checks=checks,
        difference=format_money(add_money(told)) if told else None,
        agrees=not any(check.problems for check in checks),
    )
    bench.trail.record(run.run_id, EventKind.RECONCILED, report.to_json())
    return report


def require_agreement(report: ReconcileReport) -> None:
    """Raise when the books do not agree.

    :raises ReconcileError: with every problem.
    """
    if not report.agrees:
        raise ReconcileError(
            f"The books of {report.run.period} do not agree. {' '.join(report.problems)}",
            hint="Clear the run: it then reads the period whole and sends every cell.",
        )


def _check(
    bench: Bench,
    run: RunRef,
    plan: LoadPlan,
    batch: BatchManifest | None,
    prepared: PreparedManifest | None,
    load: LoadManifest | None,
    model: ModelReader | None,
) -> DatasetCheck:
    made = load.prepared if load else prepared
    if batch is None or made is None or load is None:
        step = "read" if batch is None else "prepared" if made is None else "loaded"
        return DatasetCheck(
            dataset=plan.dataset,
            import_name=plan.import_name,
            summary=_summary(batch, made, load),
            figures=(),
            problems=(f"It was not {step} in this run.",),
        )
    held = check_model(bench, plan, made, model)
    return DatasetCheck(
        dataset=plan.dataset,
        import_name=plan.import_name,
        summary=replace(_summary(batch, made, load), **_totals(bench, plan, batch, made, held)),
        figures=(*_line_figures(batch, made), *_cell_figures(made, load), *held.figures),
        problems=(*_line_problems(batch, made), *_cell_problems(made, load), *held.problems),
    )


def _summary(batch: BatchManifest | None, made: PreparedManifest | None, load: LoadManifest | None) -> Summary:
    return Summary(
        rows_read=batch.rows if batch else 0,
        rows_accepted=made.rows_accepted if made else 0,
        rows_quarantined=made.rows_quarantined if made else 0,
        rows_left_out=made.rows_left_out if made else 0,
        loaded=load.loaded if load else 0,
        rejected=load.rejected if load else 0,
    )


def _totals(
    bench: Bench, plan: LoadPlan, batch: BatchManifest, made: PreparedManifest, held: ModelCheck
) -> dict[str, str | None]:
    """Return the movements of ledger and model, and their difference account by account, in the model's accounts."""
    erp = None if batch.erp_accounts is None else _erp_movements(bench, plan, batch.erp_accounts, made)
    told: dict[str, str | None] = {
        "erp_total": None if erp is None else format_money(movement(erp)),
        "model_total": None if held.movements is None else format_money(movement(held.movements)),
        "difference": None,
    }
    if erp is not None and held.movements is not None:
        told["difference"] = format_money(_apart(erp, held.movements, natural=plan.sign is Sign.NATURAL))
    return told


def _erp_movements(bench: Bench, plan: LoadPlan, file: StagedFile, made: PreparedManifest) -> dict[str, Decimal]:
    """Return the ERP's movement per member of the model; an account that maps to none stands for itself."""
    book = plan.crosswalks.get(account_column(plan) or "")
    movements: dict[str, Decimal] = {}
    for row in pq.read_table(bench.stage.fetch(file)).to_pylist():
        hit = book.lookup(row["account"], made.until) if book and made.until else None
        member = hit.member if hit else row["account"]
        movements[member] = add_money([movements.get(member, ZERO), row["amount"]])
    return movements


def _apart(erp: Mapping[str, Decimal], model: Mapping[str, Decimal], *, natural: bool) -> Decimal:
    """Add up the differences; with natural signs the model shows some accounts turned, so sizes are compared."""
    pairs = ((erp.get(account, ZERO), model.get(account, ZERO)) for account in {*erp, *model})
    if natural:
        pairs = ((one.copy_abs(), other.copy_abs()) for one, other in pairs)
    return add_money(less(one, other).copy_abs() for one, other in pairs)


def _line_figures(batch: BatchManifest, made: PreparedManifest) -> list[Figure]:
    erp = batch.totals_by or "the ERP gives no totals of its own"
    count = None if batch.erp_count is None else str(batch.erp_count)
    figures = [
        Figure(name="ERP lines", value=count, source=erp),
        Figure(name="book lines", value=str(made.rows_book), source="book"),
        Figure(name="accepted lines", value=str(made.rows_accepted), source="book, mapped"),
        Figure(name="quarantined lines", value=str(made.rows_quarantined), source="book, mapped"),
        Figure(name="left out lines", value=str(made.rows_left_out), source="book, by rule"),
    ]
    if made.sum_book:
        figures += [
            Figure(name=f"ERP {MOVEMENT}", value=batch.erp_total, source=erp),
            Figure(name=f"book {MOVEMENT}", value=batch.book_total, source="book"),
            Figure(name="book sum", value=made.sum_book, source="book"),
            Figure(name="accepted sum", value=made.sum_accepted, source="book, mapped"),
            Figure(name="quarantined sum", value=made.sum_quarantined, source="book, mapped"),
            Figure(name="left out sum", value=made.sum_left_out, source="book, by rule"),
            Figure(name="sum of cells", value=made.sum_cells, source="cells file"),
        ]
    figures += [
        Figure(name=f"left out: {why}", value=what, source="book, by rule") for why, what in made.left_out.items()
    ]
    return figures


def _line_problems(batch: BatchManifest, made: PreparedManifest) -> list[str]:
    problems = []
    if batch.agrees is False:
        by = f", {batch.difference} apart per account" if batch.difference else ""
        problems.append(
            f"The ERP's own figures ({batch.totals_by}: {batch.erp_count} lines) differ from the book "
            f"({batch.book_rows} lines){by}."
        )
    kept = made.rows_accepted + made.rows_quarantined + made.rows_left_out
    if kept != made.rows_book:
        problems.append(f"Of {made.rows_book} lines in the book {kept} are accounted for.")
    if made.sum_book:
        parts = add_money(Decimal(part) for part in (made.sum_accepted, made.sum_quarantined, made.sum_left_out))
        if parts != Decimal(made.sum_book):
            problems.append(f"The book adds up to {made.sum_book}, what became of its lines to {format_money(parts)}.")
        if Decimal(made.sum_cells) != Decimal(made.sum_accepted):
            problems.append(f"The accepted lines add up to {made.sum_accepted}, the cells to {made.sum_cells}.")
    return problems


def _cell_figures(made: PreparedManifest, load: LoadManifest) -> list[Figure]:
    source = "Anaplan's count" if load.counted else "Anaplan told no counts"
    counts = {"loaded": load.loaded, "rejected": load.rejected, "ignored": load.ignored}
    told = {name: str(count) if load.counted else None for name, count in counts.items()}
    return [
        Figure(name="cells", value=str(made.cells_now), source="cells file"),
        Figure(name="sent", value=str(load.sent), source="import file"),
        *(Figure(name=name, value=count, source=source) for name, count in told.items()),
    ]


def _cell_problems(made: PreparedManifest, load: LoadManifest) -> list[str]:
    problems = [f"The outcome of its cells is unknown: {load.unknown}."] if load.unknown else []
    came = load.loaded + load.rejected + load.ignored
    if came != load.sent:
        problems.append(
            f"{load.sent} lines were sent, {came} came to something: {load.loaded} loaded, {load.rejected} rejected, "
            f"{load.ignored} ignored."
        )
    return problems
