# SPDX-License-Identifier: Apache-2.0
"""The last task of a close: it says whether ledger, book, file and model agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from airflow_provider_mlconnector.operators.close import FlowOperator
from airflow_provider_mlconnector.operators.running import close_run, period_of
from airflow_provider_mlconnector.operators.tables import report_lines
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.trail.records import RunOutcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.operators.base import Desk
    from airflow_provider_mlconnector.pipeline.manifests import LatePostings, ReconcileReport

REPORT_XCOM = "reconcile_report"


class ReconcileOperator(FlowOperator):
    """Compares the figures of a run, prints the table and closes the run on the trail.

    The whole report goes to XCom under ``reconcile_report``, whether the books agree or not. Where they do, the outlets
    get an event for the period.

    :param batches: the ``BatchManifest`` of every extract, as JSON.
    :param loads: the ``LoadManifest`` of every load, as JSON.
    :param sweep: the ``SweepManifest`` of the run as JSON, empty when it did not sweep.
    """

    template_fields: Sequence[str] = (*FlowOperator.template_fields, "batches", "loads", "sweep")

    def __init__(self, *, batches: Any, loads: Any, sweep: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batches = batches
        self.loads = loads
        self.sweep = sweep

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, print, record."""
        from airflow_provider_mlconnector.pipeline.reconcile import require_agreement

        with self.at_desk(context) as desk:
            report = self._compare(desk)
            for line in report_lines(report):
                self.log.info("%s", line)
            late = self._late()
            for postings in late:
                self.log.warning("%s", postings.sentence)
            context["ti"].xcom_push(key=REPORT_XCOM, value=report.to_json())
            require_agreement(report)
            closing = close_run(desk.bench.trail, desk.run, RunOutcome.SUCCEEDED)
        self._tell_assets(context, report)
        run = report.run
        return {
            "run_id": run.run_id,
            "period": run.period,
            "difference": report.difference,
            "closing": closing,
            "late_postings": {postings.period: postings.lines for postings in late},
        }

    def _late(self) -> Sequence[LatePostings]:
        from airflow_provider_mlconnector.pipeline.manifests import SweepManifest

        return SweepManifest.from_json(self.sweep).late if self.sweep else ()

    def _compare(self, desk: Desk) -> ReconcileReport:
        from airflow_provider_mlconnector.flows.plans import load_plans
        from airflow_provider_mlconnector.pipeline.manifests import BatchManifest, LoadManifest
        from airflow_provider_mlconnector.pipeline.reconcile import reconcile

        batches = [BatchManifest.from_json(batch) for batch in self.batches]
        loads = [LoadManifest.from_json(load) for load in self.loads]
        prepared = [load.prepared for load in loads]
        plans, period = load_plans(self.flow), period_of(desk.context, self.flow)
        return reconcile(desk.bench, desk.run, plans, batches, prepared, loads, ModelReading(desk.model), period)

    def _tell_assets(self, context: Context, report: ReconcileReport) -> None:
        """Say with each event which flow and run it comes from; Airflow adds the run's partition, if it has one."""
        for asset in self.outlets:
            if isinstance(asset, Asset):
                event = context["outlet_events"][asset]
                event.extra = {
                    "flow": report.run.flow,
                    "period": report.run.period,
                    "run_id": report.run.run_id,
                    "difference": report.difference,
                }
                if context["dag_run"].partition_key is None:
                    event.add_partitions(report.run.period)
