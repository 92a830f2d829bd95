# SPDX-License-Identifier: Apache-2.0
"""The last step: comparisons of figures from different sources.

- Lines: the ERP's own totals, the book, and what became of its lines (:mod:`.linecheck`).
- Cells: the book, counted a second time, and the cells that were prepared (:mod:`.recount`).
- Sending: the import file, read again, what Anaplan says became of it, and what counts as accepted
  (:mod:`.filecheck`).
- Model: the check view read back, and the cells that Anaplan accepted, cell by cell (:mod:`.modelcheck`).

The movement of an account is debit minus credit in the period. All movements of a complete ledger add up to 0
whatever is in it, so totals are told as the sum of the absolute movements, which either side can be asked for. A
figure without a source of its own is None, and prints "not checked".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from airflow_provider_mlconnector.errors import ReconcileError
from airflow_provider_mlconnector.finance.money import ZERO, add_money, format_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.context import Bench, ModelReader
from airflow_provider_mlconnector.pipeline.figures import Checked
from airflow_provider_mlconnector.pipeline.filecheck import check_accepted, check_constants, check_file, check_outcome
from airflow_provider_mlconnector.pipeline.leftout import without
from airflow_provider_mlconnector.pipeline.linecheck import check_batches, check_lines, erp_movements
from airflow_provider_mlconnector.pipeline.manifests import (
    BatchManifest,
    DatasetCheck,
    LoadManifest,
    PreparedManifest,
    ReconcileReport,
    Summary,
)
from airflow_provider_mlconnector.pipeline.modelcheck import ModelCheck, account_column, check_model
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Sign
from airflow_provider_mlconnector.pipeline.prepare import book_of
from airflow_provider_mlconnector.pipeline.recount import Recount, check_cells, recount
from airflow_provider_mlconnector.pipeline.totals import less, movement
from airflow_provider_mlconnector.trail.records import EventKind, RunRef


def reconcile(
    bench: Bench,
    run: RunRef,
    plans: Sequence[LoadPlan],
    batches: Sequence[BatchManifest],
    prepared: Sequence[PreparedManifest],
    loads: Sequence[LoadManifest],
    model: ModelReader | None,
    period: Period | None = None,
) -> ReconcileReport:
    """Compare what was read, sent and is held, and record the result; see :func:`require_agreement`.

    :param model: reads the check views; None leaves the models unchecked.
    :param period: the run's period by the calendar; None leaves its name in the files unchecked.
    """
    read = {batch.dataset: batch for batch in batches}
    made = {one.import_name: one for one in prepared}
    loaded = {load.import_name: load for load in loads}
    checks = tuple(
        _check(
            bench,
            run,
            plan,
            read.get(plan.dataset),
            made.get(plan.import_name),
            loaded.get(plan.import_name),
            model,
            period,
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
    period: Period | None,
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
    scope = book_of(plan, made.run.period)
    now = bench.trail.book(scope)
    state = now if now.version == made.book_version else None
    book = recount(bench, plan, made, state) if state else None
    held = check_model(bench, plan, made, model)
    parts = (
        check_lines(bench, batch, made, book),
        check_batches(bench, scope, now),
        check_cells(plan, made, book),
        check_constants(plan, made, period),
        check_file(bench, load),
        check_outcome(load),
        check_accepted(bench, plan, load),
        Checked(held.figures, held.problems),
    )
    return DatasetCheck(
        dataset=plan.dataset,
        import_name=plan.import_name,
        summary=replace(_summary(batch, made, load), **_totals(bench, plan, batch, held, book, made)),
        figures=tuple(figure for part in parts for figure in part.figures),
        problems=tuple(problem for part in parts for problem in part.problems),
    )


def _summary(batch: BatchManifest | None, made: PreparedManifest | None, load: LoadManifest | None) -> Summary:
    return Summary(
        rows_read=batch.rows if batch else 0,
        rows_accepted=made.rows_accepted if made else 0,
        rows_quarantined=made.rows_quarantined if made else 0,
        rows_left_out=made.rows_left_out if made else 0,
        loaded=load.loaded if load and load.counted else None,
        rejected=load.rejected if load and load.counted else None,
    )


def _totals(
    bench: Bench, plan: LoadPlan, batch: BatchManifest, held: ModelCheck, book: Recount | None, made: PreparedManifest
) -> dict[str, str | None]:
    """Return the movements of ledger and model, and their difference account by account, in the model's accounts.

    The ledger's figure is its own, whole; for the difference, what is left out by rule is taken off it.
    """
    by_account = erp_movements(bench.stage, batch)
    told: dict[str, str | None] = {
        "erp_total": None if by_account is None else format_money(movement(_in_members(plan, by_account, made))),
        "model_total": None if held.movements is None else format_money(movement(held.movements)),
        "difference": None,
    }
    left_out = {} if book is None else book.left_out
    comparable = book is not None or not made.rows_left_out
    if by_account is not None and held.movements is not None and comparable:
        erp = _in_members(plan, without(by_account, left_out), made)
        told["difference"] = format_money(_apart(erp, held.movements, natural=plan.sign is Sign.NATURAL))
    return told


def _in_members(plan: LoadPlan, by_account: Mapping[str, Decimal], made: PreparedManifest) -> dict[str, Decimal]:
    """Return the ERP's movement per member of the model; an account that maps to none stands for itself."""
    book = plan.crosswalks.get(account_column(plan) or "")
    movements: dict[str, Decimal] = {}
    for account, amount in by_account.items():
        hit = book.lookup(account, made.until) if book and made.until else None
        member = hit.member if hit else account
        movements[member] = add_money([movements.get(member, ZERO), amount])
    return movements


def _apart(erp: Mapping[str, Decimal], model: Mapping[str, Decimal], *, natural: bool) -> Decimal:
    """Add up the differences; with natural signs the model shows some accounts turned, so sizes are compared."""
    pairs = ((erp.get(account, ZERO), model.get(account, ZERO)) for account in {*erp, *model})
    if natural:
        pairs = ((one.copy_abs(), other.copy_abs()) for one, other in pairs)
    return add_money(less(one, other).copy_abs() for one, other in pairs)
