# SPDX-License-Identifier: Apache-2.0
"""The tasks that hold a list of the model against the ledger's own: export, read, compare, and ask where it can say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_mlconnector.operators.close import FlowOperator
from airflow_provider_mlconnector.operators.erp import LedgerOperator
from airflow_provider_mlconnector.operators.exporting import ExportingOperator
from airflow_provider_mlconnector.operators.running import close_run, run_of
from airflow_provider_mlconnector.operators.tables import aligned
from airflow_provider_mlconnector.trail.records import RunOutcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.flows.compare_spec import CompareSpec, SetupSpec
    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.reference_back import ComparePlan, Difference
    from airflow_provider_mlconnector.trail.records import RunRef

SHOWN = 200
"""Differences that the log shows; the report has all."""
_NO_PERIOD = ""


class ComparisonOperator(BaseOperator):
    """Works on one comparison of a flow, in the model or in the ledger.

    :param spec: the comparison, one of the flow's.
    """

    flow: Flow

    def __init__(self, *, spec: CompareSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec

    @property
    def plan(self) -> ComparePlan:
        """Return how the list is compared."""
        from airflow_provider_mlconnector.flows.plans import compare_plan

        return compare_plan(self.flow, self.spec)


class ExportListOperator(ComparisonOperator, FlowOperator, ExportingOperator):
    """Runs the export of a list."""

    def run_of(self, context: Context, bench: Bench) -> RunRef:
        """Return the run on the trail; a list has no period."""
        return run_of(context, self.flow.name, _NO_PERIOD)


class ReadListOperator(ComparisonOperator, LedgerOperator):
    """Reads the ledger's records as they stand; returns a ``ListManifest`` as JSON."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Read and stage."""
        from airflow_provider_mlconnector.hooks.erps import open_erp
        from airflow_provider_mlconnector.pipeline.comparison import read_list

        self.wait_for_hours()
        with self.on_run(context, _NO_PERIOD) as (bench, run), closing(open_erp(self.flow)) as erp:
            kept = read_list(bench, erp, self.plan, run)
        self.log.info("%d %s read.", kept.rows, kept.dataset)
        return kept.to_json()


class CompareOperator(ComparisonOperator, LedgerOperator):
    """Compares both, and tells what differs; returns a ``ComparisonManifest`` as JSON.

    :param exported: the ``ExportManifest``, as JSON.
    :param kept: the ``ListManifest``, as JSON.
    """

    template_fields: Sequence[str] = ("exported", "kept")

    def __init__(self, *, exported: Any, kept: Any, **kwargs: Any) -> None:
        kwargs.setdefault("pool", "default_pool")  # it asks neither ledger nor model
        super().__init__(**kwargs)
        self.exported = exported
        self.kept = kept

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare; a difference is a warning, no failure."""
        from airflow_provider_mlconnector.pipeline.comparison import ListManifest, compare
        from airflow_provider_mlconnector.pipeline.export import ExportManifest

        with self.on_run(context, _NO_PERIOD) as (bench, run):
            exported, kept = ExportManifest.from_json(self.exported), ListManifest.from_json(self.kept)
            done, found = compare(bench, self.plan, exported, kept, self.flow.calendar.day_of(bench.clock.now()))
            if self.spec.setup is None:
                close_run(bench.trail, run, RunOutcome.SUCCEEDED)
        tell = self.log.warning if found else self.log.info
        tell("%s", done.sentence)
        for line in aligned([_row(one) for one in found[:SHOWN]]):
            tell("%s", line)
        self.log.info("The whole report: %s", done.report.key)
        return done.to_json()


class AskOperator(ComparisonOperator, LedgerOperator):
    """Asks the ledger what it would make of the records that differ; returns a ``ComparisonManifest`` as JSON.

    :param setup: which object is asked.
    :param compared: the ``ComparisonManifest`` of the comparison, as JSON.
    """

    template_fields: Sequence[str] = ("compared",)

    def __init__(self, *, setup: SetupSpec, compared: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.setup = setup
        self.compared = compared

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask, with nothing changed; what would be refused joins the report."""
        from airflow_provider_mlconnector.hooks.erps import open_erp, open_setup
        from airflow_provider_mlconnector.pipeline.comparison import ComparisonManifest, ask

        self.wait_for_hours()
        with self.on_run(context, _NO_PERIOD) as (bench, run):
            done, refused = ask(
                bench,
                self.plan,
                ComparisonManifest.from_json(self.compared),
                partial(open_setup, self.flow, self.spec.dataset, self.setup),
                partial(open_erp, self.flow),
            )
            close_run(bench.trail, run, RunOutcome.SUCCEEDED)
        self.log.info("%s", done.sentence)
        for code, sentences in list(refused.items())[:SHOWN]:
            self.log.warning("%s would be refused: %s", code, "; ".join(sentences))
        self.log.info("The whole report: %s", done.report.key)
        return done.to_json()


def _row(one: Difference) -> tuple[str, ...]:
    return one.code, one.kind, one.column, one.listed, one.kept
