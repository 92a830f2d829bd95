# SPDX-License-Identifier: Apache-2.0
"""The third step: the prepared file is imported, and what Anaplan took of it becomes the accepted cells.

Under the model's lease the file is checked once more against the accepted version that it was computed for; if others
moved it on, it is prepared again. Before the first byte is sent its cells are marked as unknown, so that they are
sent again should the outcome never be known. Only what Anaplan is known to hold is accepted; the watermark moves in
the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_mlconnector.errors import StaleVersionError
from airflow_provider_mlconnector.pipeline.acceptance import Settlement, settle
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.ending import judge
from airflow_provider_mlconnector.pipeline.header import ImportTarget, check_header
from airflow_provider_mlconnector.pipeline.layout import cell_scope
from airflow_provider_mlconnector.pipeline.manifests import LoadManifest, PreparedManifest
from airflow_provider_mlconnector.pipeline.modelwork import Finished, ModelWork
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef, TaskStatus
from airflow_provider_mlconnector.trail.records import Accepted, CellScope, EventKind, Manifest, Reject, StagedFile

PREPARED_AGAIN_AT_MOST = 10


class LoadState(Manifest, frozen=True, kw_only=True):
    """A load under way: what was prepared last, the accepted version that it made, and the remote task.

    :param version: version of the accepted cells with this file's cells marked as unknown.
    :param task: address of the remote task, as JSON; None when there was nothing to send.
    """

    prepared: PreparedManifest
    version: int
    import_id: str = ""
    file_id: str = ""
    task: dict[str, Any] | None = None

    @property
    def ref(self) -> TaskRef | None:
        """The remote task."""
        return TaskRef.from_json(self.task) if self.task else None


def begin_load(
    bench: Bench,
    plan: LoadPlan,
    prepared: PreparedManifest,
    work: ModelWork,
    again: Callable[[], PreparedManifest],
    target: ImportTarget | None = None,
) -> LoadState:
    """Bring the import of a prepared file under way, or take up the one that an earlier try began.

    :param again: prepares the file anew, when the accepted cells moved on meanwhile.
    :param target: import and file by id; looked up by the plan's name, and the header checked, when not given.
    :raises LeaseTakenError: when somebody else works on the model: come back later.
    :raises ModelBusyError: when the model cannot be worked with now: come back later.
    :raises HeaderError: when the import expects another header.
    """
    earlier = work.unfinished()
    state = LoadState.from_json(earlier) if earlier is not None else None
    for _ in range(PREPARED_AGAIN_AT_MOST):
        try:
            state = state or _claim(bench, plan, prepared, work, target)
            return _begun(bench, plan, state, work) if state.file_id else state
        except StaleVersionError:
            bench.log.info("%s: the accepted cells moved on, preparing again", plan.import_name)
            work.forget()
            state, prepared = None, again()
    raise StaleVersionError(f"The accepted cells of {plan.import_name} do not stand still.")


def _claim(
    bench: Bench, plan: LoadPlan, prepared: PreparedManifest, work: ModelWork, target: ImportTarget | None
) -> LoadState:
    """Make sure that the file is up to date, and mark its cells.

    :raises StaleVersionError: when others moved the accepted cells on.
    """
    scope = cell_scope(plan, prepared.run.period)
    if prepared.touched is None:
        return LoadState(prepared=prepared, version=_accept_nothing(bench, scope, prepared))
    work.enter()
    try:
        found = target or check_header(work.model, plan)
        version = bench.trail.mark_in_flight(
            scope, expected=prepared.against, touched=prepared.touched, run_id=prepared.run.run_id
        )
    except BaseException:
        work.release()
        raise
    return LoadState(prepared=prepared, version=version, import_id=found.import_id, file_id=found.file_id)


def _accept_nothing(bench: Bench, scope: CellScope, prepared: PreparedManifest) -> int:
    """Move the watermark of a load that has nothing to send; return the accepted version.

    A replay that touches no cell says nothing about the others.
    """
    if prepared.cells is None or not prepared.complete:
        return prepared.against
    accepted = bench.trail.accepted(scope)
    if (
        accepted.version == prepared.against
        and accepted.file == prepared.cells
        and not _later(accepted, prepared.cursor)
    ):
        return accepted.version
    return _accept(bench, scope, prepared, accepted, prepared.against, prepared.cells, {"sent": 0})


def _begun(bench: Bench, plan: LoadPlan, state: LoadState, work: ModelWork) -> LoadState:
    """Come by a running import of the file; it is sent only while its mark is the last word about its cells."""
    file, scope = state.prepared.file, cell_scope(plan, state.prepared.run.period)
    if file is None:
        return state

    def confirm() -> None:
        if bench.trail.accepted(scope).version != state.version:
            raise StaleVersionError(f"The accepted cells of {plan.import_name} moved on.")

    ref = work.begin(
        ActionJob(
            kind=ActionKind.IMPORT,
            action_id=state.import_id,
            mapping=plan.mapping,
            upload=(state.file_id, bench.stage.fetch(file)),
            repeatable=True,
            fingerprint=f"{file.sha256}/{state.version}",
            rows=state.prepared.cells_sent,
            context=state.to_json(),
            confirm=confirm,
        )
    )
    return LoadState(
        prepared=state.prepared,
        version=state.version,
        import_id=state.import_id,
        file_id=state.file_id,
        task=ref.to_json(),
    )


def finish_load(
    bench: Bench, plan: LoadPlan, state: LoadState, work: ModelWork, status: TaskStatus | None
) -> LoadManifest:
    """Read the outcome, put rejects on the trail and accept what Anaplan took.

    :param status: the last status of the remote task; None when there was nothing to send.
    :raises TaskCancelledError: when the task was cancelled; its cells stay unknown.
    :raises TaskFailedError: when it failed, or more rows were rejected than tolerated.
    """
    ref = state.ref
    if ref is None or status is None:
        return _nothing_sent(plan, state)
    work.resume()
    try:
        finished = work.finish(ref, status)
        manifest = _settled(bench, plan, state, ref, finished, work)
    finally:
        work.release()
    judge(finished.outcome, plan.tolerance, state.prepared.cells_sent)
    return manifest


def _settled(
    bench: Bench, plan: LoadPlan, state: LoadState, ref: TaskRef, finished: Finished, work: ModelWork
) -> LoadManifest:
    prepared, outcome = state.prepared, finished.outcome
    scope = cell_scope(plan, prepared.run.period)
    version = _accepted_before(bench, prepared.run.run_id, ref)
    accepted = bench.trail.accepted(scope)
    settlement = settle(bench, plan, prepared, accepted, outcome, finished.dumps)
    told = {
        "task_id": ref.task_id,
        "touched": prepared.touched,
        "sent": prepared.cells_sent,
        "rejected": settlement.rejected,
        "ignored": outcome.ignored,
        "warned": outcome.warned,
    }
    if version is not None:
        return _manifest(plan, state, ref, finished, settlement, version)
    if settlement.file is None:
        bench.trail.add_rejects(prepared.run.run_id, settlement.rejects)
        bench.trail.record(prepared.run.run_id, EventKind.NOTE, {**told, "outcome unknown": settlement.unknown})
        return _manifest(plan, state, ref, finished, settlement, state.version)
    try:
        version = _accept(bench, scope, prepared, accepted, state.version, settlement.file, told, settlement.rejects)
    except StaleVersionError:
        work.forget()  # others went on without us: the next try prepares what is left to send
        raise
    return _manifest(plan, state, ref, finished, settlement, version)


def _accepted_before(bench: Bench, run_id: str, ref: TaskRef) -> int | None:
    """Return the version that an earlier try of this task made of the same outcome."""
    events = (event for event in bench.trail.events(run_id) if event.kind == EventKind.ACCEPTED)
    return next((event.detail["version"] for event in events if event.detail.get("task_id") == ref.task_id), None)


def _accept(
    bench: Bench,
    scope: CellScope,
    prepared: PreparedManifest,
    accepted: Accepted,
    expected: int,
    file: StagedFile,
    told: dict[str, Any],
    rejects: Sequence[Reject] = (),
) -> int:
    detail = {**told, "batch_id": prepared.batch_id, "book_version": prepared.book_version}
    return bench.trail.accept(
        scope,
        expected=expected,
        file=file,
        watermark=_later(accepted, prepared.cursor),
        run_id=prepared.run.run_id,
        detail=detail,
        rejects=rejects,
    )


def _later(accepted: Accepted, cursor: datetime | None) -> datetime | None:
    """Return the new watermark; None when it stays: it never goes back."""
    if cursor is None or (accepted.watermark is not None and accepted.watermark >= cursor):
        return None
    return cursor


def _nothing_sent(plan: LoadPlan, state: LoadState) -> LoadManifest:
    return LoadManifest(
        run=state.prepared.run,
        dataset=plan.dataset,
        import_name=plan.import_name,
        prepared=state.prepared,
        task_id="",
        sent=0,
        loaded=0,
        rejected=0,
        ignored=0,
        warned=0,
        accepted_version=state.version,
    )


def _manifest(
    plan: LoadPlan, state: LoadState, ref: TaskRef, finished: Finished, settlement: Settlement, version: int
) -> LoadManifest:
    sent, outcome = state.prepared.cells_sent, finished.outcome
    counted = outcome.sent > 0
    return LoadManifest(
        run=state.prepared.run,
        dataset=plan.dataset,
        import_name=plan.import_name,
        prepared=state.prepared,
        task_id=ref.task_id,
        sent=sent,
        loaded=outcome.loaded if counted else sent - settlement.rejected,
        rejected=settlement.rejected,
        ignored=outcome.ignored,
        warned=outcome.warned,
        accepted_version=version,
        dump=finished.dumps[0].file if finished.dumps else None,
        counted=counted,
        unknown=settlement.unknown,
    )
