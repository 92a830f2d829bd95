# SPDX-License-Identifier: Apache-2.0
"""The tasks of a close that work in the model: prepare a file of cells, and load it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.flows.plans import pool_of
from airflow_provider_mlconnector.operators.base import AnaplanOperator, Desk
from airflow_provider_mlconnector.operators.remote import Idle, RemoteTaskOperator, Started
from airflow_provider_mlconnector.operators.running import period_of, run_of
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.lineage import Lineage
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
    from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
    from airflow_provider_mlconnector.pipeline.plan import LoadPlan
    from airflow_provider_mlconnector.systems.anaplan.tasks import TaskStatus
    from airflow_provider_mlconnector.trail.records import RunRef


class FlowOperator(AnaplanOperator):
    """Works in the model of a flow, for the period of its run.

    :param flow: the flow, as ``load_flow`` reads it.
    """

    closes_run = False

    def __init__(self, *, flow: Flow, **kwargs: Any) -> None:
        target = flow.spec.anaplan
        kwargs.setdefault("pool", pool_of(flow))
        super().__init__(
            workspace=target.workspace,
            model=target.model,
            anaplan_conn_id=target.conn_id,
            deadline=flow.spec.deadline,
            **kwargs,
        )
        self.flow = flow

    @property
    def anaplan_pool(self) -> str:
        """Return the pool of the flow."""
        return pool_of(self.flow)

    def run_of(self, context: Context, bench: Bench) -> RunRef:
        """Return the run on the trail; without a period there is none.

        :raises AirflowFailException: with the open periods, when the run names none.
        """
        return run_of(context, self.flow.name, period_of(context, self.flow).key)

    def plan_of(self, import_name: str) -> LoadPlan:
        """Return what one import of the flow loads, and how."""
        from airflow_provider_mlconnector.flows.plans import load_plans

        return next(plan for plan in load_plans(self.flow) if plan.import_name == import_name)


class ImportingOperator(FlowOperator):
    """Works for one load of a flow.

    :param import_name: the import, as the flow writes it.
    :param batch: the ``BatchManifest`` of the dataset's extract, as JSON.
    """

    template_fields: Sequence[str] = (*FlowOperator.template_fields, "batch")

    def __init__(self, *, import_name: str, batch: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.import_name = import_name
        self.batch = batch

    @property
    def plan(self) -> LoadPlan:
        """Return what is to be loaded, and how."""
        return self.plan_of(self.import_name)

    def prepare(self, desk: Desk) -> PreparedManifest:
        """Write the file of the cells to send, in the mode of this run, which a clear may have made whole since."""
        from msgspec.structs import replace

        from airflow_provider_mlconnector.pipeline.manifests import BatchManifest
        from airflow_provider_mlconnector.pipeline.prepare import prepare

        batch = replace(BatchManifest.from_json(self.batch), run=desk.run)
        return prepare(desk.bench, self.plan, batch, period_of(desk.context, self.flow), ModelReading(desk.model))


class PrepareOperator(ImportingOperator):
    """Turns the period's book into a file of the cells that changed; returns a ``PreparedManifest`` as JSON."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Compute the cells and write the file."""
        with self.at_desk(context) as desk:
            prepared = self.prepare(desk)
        self.log.info(
            "%s: %d of %d cells to send, %d rows quarantined.",
            self.import_name,
            prepared.cells_sent,
            prepared.cells_now,
            prepared.rows_quarantined,
        )
        return prepared.to_json()


class LoadOperator(ImportingOperator, RemoteTaskOperator):
    """Imports a prepared file, and accepts the cells that Anaplan took; returns a ``LoadManifest`` as JSON.

    :param prepared: the ``PreparedManifest``, as JSON. It is computed anew when the accepted cells moved on since.
    """

    template_fields: Sequence[str] = (*ImportingOperator.template_fields, "prepared")

    def __init__(self, *, prepared: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prepared = prepared
        self._rows: int | None = None

    def begin(self, desk: Desk, work: ModelWork) -> Started | Idle:
        """Check the file against the accepted cells, upload it and start the import."""
        from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
        from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest

        prepared = PreparedManifest.from_json(self.prepared)
        if prepared.run.mode != desk.run.mode:  # cleared since: the whole period is to be sent
            prepared = self.prepare(desk)
        state = begin_load(desk.bench, self.plan, prepared, work, lambda: self.prepare(desk))
        if state.ref is None:
            self.log.info("%s: nothing to send.", self.import_name)
            return Idle(finish_load(desk.bench, self.plan, state, work, None).to_json())
        return Started(state.ref, state.to_json())

    def finish(self, desk: Desk, work: ModelWork, started: Started, status: TaskStatus) -> dict[str, Any]:
        """Accept what Anaplan took, and put its rejects on the trail."""
        from airflow_provider_mlconnector.pipeline.load import LoadState, finish_load

        state = LoadState.from_json(dict(started.state))
        done = finish_load(desk.bench, self.plan, state, work, status)
        self._rows = done.loaded
        self.log.info(
            "%s: %d cells sent, %d loaded, %d rejected.", self.import_name, done.sent, done.loaded, done.rejected
        )
        return done.to_json()

    def get_openlineage_facets_on_start(self) -> Lineage:
        """Tell OpenLineage what is loaded."""
        from airflow_provider_mlconnector.lineage import load_lineage

        return load_lineage(self.flow, self.plan.dataset, None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Lineage:
        """Tell OpenLineage what was loaded, and how much."""
        from airflow_provider_mlconnector.lineage import load_lineage

        return load_lineage(self.flow, self.plan.dataset, self._rows)


class RemoveOperator(FlowOperator, RemoteTaskOperator):
    """Runs the delete action of a load of records, when some of them are gone; returns the task's id, or "".

    :param import_name: the import, as the flow writes it.
    :param load: the ``LoadManifest`` of its load, as JSON.
    """

    template_fields: Sequence[str] = (*FlowOperator.template_fields, "load")

    def __init__(self, *, import_name: str, load: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.import_name = import_name
        self.load = load

    def begin(self, desk: Desk, work: ModelWork) -> Started | Idle:
        """Start the action, unless no record is gone."""
        from airflow_provider_mlconnector.pipeline.manifests import LoadManifest
        from airflow_provider_mlconnector.pipeline.removal import begin_removal, is_needed

        plan, load = self.plan_of(self.import_name), LoadManifest.from_json(self.load)
        if not is_needed(plan, load):
            self.log.info("%s: no record is gone.", self.import_name)
            return Idle("")
        return Started(begin_removal(plan, load, work), {})

    def finish(self, desk: Desk, work: ModelWork, started: Started, status: TaskStatus) -> str:
        """Judge the outcome."""
        from airflow_provider_mlconnector.pipeline.removal import finish_removal

        finish_removal(work, started.ref, status)
        return started.ref.task_id
