# SPDX-License-Identifier: Apache-2.0
"""The task that reads a dataset of an ERP and brings the period's book up to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, RetryPolicy

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.flows.plans import erp_pool_name
from airflow_provider_mlconnector.operators.running import on_the_trail, period_of, run_of
from airflow_provider_mlconnector.outcomes import airflow_outcomes
from airflow_provider_mlconnector.retries import REMOTE_RETRIES

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.finance.periods import Period
    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.lineage import Lineage
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.plan import ReadPlan
    from airflow_provider_mlconnector.systems.port import Erp
    from airflow_provider_mlconnector.trail.records import RunRef


@dataclass(frozen=True, slots=True)
class LedgerDesk:
    """What a task works with while it reads a ledger."""

    bench: Bench
    erp: Erp
    run: RunRef
    period: Period


class LedgerOperator(BaseOperator):
    """Talks to the ledger of a flow.

    Unless its author names a pool it is in that of the ledger's connection (``airflow mlconnector setup`` creates it),
    which keeps all reads together within what the server works on at a time.

    :param flow: the flow, as ``load_flow`` reads it.
    """

    ui_color = "#e7f0ea"

    def __init__(
        self,
        *,
        flow: Flow,
        retries: int = 2,
        retry_policy: RetryPolicy | None = REMOTE_RETRIES,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("pool", erp_pool_name(flow.spec.erp.conn_id))
        super().__init__(retries=retries, retry_policy=retry_policy, **kwargs)
        self.flow = flow

    def wait_for_hours(self) -> None:
        """Wait, deferred, until the ledger's server may be read; go on at once where it may be."""
        hours = self.flow.spec.erp.hours
        opening = hours.opening(self.flow.calendar, datetime.now(UTC)) if hours else None
        if opening is not None:
            from airflow.providers.standard.triggers.temporal import DateTimeTrigger

            self.log.info("%s may be read from %s on; waiting until then.", self.flow.spec.erp.conn_id, opening)
            self.defer(trigger=DateTimeTrigger(moment=opening), method_name=self.execute_in_hours.__name__)

    def execute_in_hours(self, context: Context, event: Any = None) -> Any:
        """Go on when the hours have begun; what woke the task is a reason to look, no more."""
        return self.execute(context)

    def first_period(self, context: Mapping[str, Any]) -> Period:
        """Return the period that the run is about; the first one, where it is about several."""
        return period_of(context, self.flow)

    @contextmanager
    def at_ledger(self, context: Mapping[str, Any]) -> Iterator[LedgerDesk]:
        """Open all that the task works with, and turn errors into outcomes of the task."""
        from airflow_provider_mlconnector.hooks.erps import open_erp

        period = self.first_period(context)
        with self.on_run(context, period.key) as (bench, run), closing(open_erp(self.flow)) as erp:
            yield LedgerDesk(bench, erp, run, period)

    @contextmanager
    def on_run(self, context: Mapping[str, Any], period: str) -> Iterator[tuple[Bench, RunRef]]:
        """Open the trail and put the run on it, and turn errors into outcomes of the task.

        :param period: key of the period that the run is named after; "" for none.
        """
        from airflow_provider_mlconnector.bench import open_bench

        with airflow_outcomes():
            bench = open_bench()
            run = run_of(context, self.flow.name, period)
            with on_the_trail(context, bench.trail, run), airflow_outcomes():
                yield bench, run


class DatasetOperator(LedgerOperator):
    """Reads one dataset of a flow's ledger.

    :param dataset: what to read.
    """

    def __init__(self, *, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset

    @property
    def plan(self) -> ReadPlan:
        """Return what is to be read."""
        from airflow_provider_mlconnector.flows.plans import read_plans

        return next(plan for plan in read_plans(self.flow) if plan.dataset is self.dataset)


class ExtractOperator(DatasetOperator):
    """Reads a dataset whole or since its watermark, into the period's book; returns a ``BatchManifest`` as JSON."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rows: int | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Read, stage and join the book."""
        from airflow_provider_mlconnector.pipeline.extract import extract

        self.wait_for_hours()
        with self.at_ledger(context) as desk:
            batch = extract(desk.bench, desk.erp, self.plan, desk.run, desk.period)
        self._rows = batch.rows
        self.log.info("%s of %s: %d rows read (%s).", self.dataset, batch.run.period, batch.rows, batch.mode)
        return batch.to_json()

    def get_openlineage_facets_on_start(self) -> Lineage:
        """Tell OpenLineage what is read."""
        from airflow_provider_mlconnector.lineage import read_lineage

        return read_lineage(self.flow, self.dataset, None)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Lineage:
        """Tell OpenLineage what was read, and how much."""
        from airflow_provider_mlconnector.lineage import read_lineage

        return read_lineage(self.flow, self.dataset, self._rows)
