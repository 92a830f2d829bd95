# SPDX-License-Identifier: Apache-2.0
"""The last task of a close: it says whether ledger, book, file and model agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from airflow_provider_mlconnector.hooks.anaplan import ModelReading
from airflow_provider_mlconnector.operators.close import FlowOperator
from airflow_provider_mlconnector.operators.tables import report_lines
from airflow_provider_mlconnector.trail.records import RunOutcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.operators.base import Desk
    from airflow_provider_mlconnector.pipeline.manifests import ReconcileReport

REPORT_XCOM = "reconcile_report"


class ReconcileOperator(FlowOperator):
    """Compares the figures of a run, prints the table and closes the run on the trail.

    The whole report goes to XCom under ``reconcile_report``, whether the books agree or not. Where they do, the outlets
    get an event for the period.

    :param batches: the ``BatchManifest`` of every extract, as JSON.
    :param loads: the ``LoadManifest`` of every load, as JSON.
    """

    template_fields: Sequence[str] = (*FlowOperator.template_fields, "batches", "loads")

    def __init__(self, *, batches: Any, loads: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batches = batches
        self.loads = loads

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, print, record."""
        from airflow_provider_mlconnector.pipeline.reconcile import require_agreement

        with self.at_desk(context) as desk:
            report = self._compare(desk)
            for line in report_lines(report):
                self.log.info("%s", line)
            context["ti"].xcom_push(key=REPORT_XCOM, value=report.to_json())
            require_agreement(report)
            desk.bench.trail.close_run(desk.run.run_id, RunOutcome.SUCCEEDED)
        self._tell_assets(context, report)
        return {"run_id": report.run.run_id, "period": report.run.period, "difference": report.difference}

    def _compare(self, desk: Desk) -> ReconcileReport:
        from airflow_provider_mlconnector.flows.plans import load_plans
        from airflow_provider_mlconnector.pipeline.manifests import BatchManifest, LoadManifest
        from airflow_provider_mlconnector.pipeline.reconcile import reconcile

        batches = [BatchManifest.from_json(batch) for batch in self.batches]
        loads = [LoadManifest.from_json(load) for load in self.loads]
        prepared = [load.prepared for load in loads]
        plans = load_plans(self.flow)
        return reconcile(desk.bench, desk.run, plans, batches, prepared, loads, ModelReading(desk.model))

    def _tell_assets(self, context: Context, report: ReconcileReport) -> None:
        """Say with each event which flow and run it comes from; Airflow adds the run's partition itself."""
        for asset in self.outlets:
            if isinstance(asset, Asset):
                context["outlet_events"][asset].extra = {
                    "flow": report.run.flow,
                    "period": report.run.period,
                    "run_id": report.run.run_id,
                    "difference": report.difference,
                }
