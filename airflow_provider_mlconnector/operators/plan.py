# SPDX-License-Identifier: Apache-2.0
"""The tasks of a plan on its way back: export, resolve, preflight, approve, write, verify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow.sdk import AssetAlias

from airflow_provider_mlconnector.assets import create_asset
from airflow_provider_mlconnector.durable import began
from airflow_provider_mlconnector.operators.close import FlowOperator
from airflow_provider_mlconnector.operators.erp import LedgerDesk, LedgerOperator
from airflow_provider_mlconnector.operators.exporting import ExportingOperator
from airflow_provider_mlconnector.operators.planning import periods_of, version_of
from airflow_provider_mlconnector.operators.running import close_run, owner_of, run_of
from airflow_provider_mlconnector.outcomes import Patience, airflow_outcomes
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from airflow_provider_mlconnector.trail.records import RunOutcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.finance.drafts import Payload
    from airflow_provider_mlconnector.finance.periods import Period
    from airflow_provider_mlconnector.flows.plan_spec import PlanSpec
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.draftplan import DraftPlan
    from airflow_provider_mlconnector.pipeline.resolve import ResolvedManifest
    from airflow_provider_mlconnector.pipeline.writeback import Receipt
    from airflow_provider_mlconnector.trail.records import RunRef


class PlanModelOperator(FlowOperator):
    """Works in the model of a flow, for one of its plans.

    :param spec: the plan, one of the flow's.
    """

    def __init__(self, *, spec: PlanSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec

    @property
    def plan(self) -> DraftPlan:
        """Return how the plan comes back."""
        from airflow_provider_mlconnector.flows.plans import draft_plan

        return draft_plan(self.flow, self.spec)

    def run_of(self, context: Context, bench: Bench) -> RunRef:
        """Return the run on the trail; it is named after the first of its periods."""
        return run_of(context, self.flow.name, periods_of(context, self.flow)[0].key)


class ExportPlanOperator(PlanModelOperator, ExportingOperator):
    """Runs the export of a plan."""


class ResolvePlanOperator(PlanModelOperator):
    """Turns a staged export into journals; returns a ``ResolvedManifest`` as JSON.

    :param exported: the ``ExportManifest``, as JSON.
    """

    template_fields: Sequence[str] = (*FlowOperator.template_fields, "exported")

    def __init__(self, *, exported: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exported = exported

    def execute(self, context: Context) -> dict[str, Any]:
        """Resolve; what is wrong with the plan is told by the preflight, together with what the ledger says."""
        from msgspec.structs import replace

        from airflow_provider_mlconnector.pipeline.export import ExportManifest
        from airflow_provider_mlconnector.pipeline.resolve import resolve

        with self.at_desk(context) as desk:
            exported = replace(ExportManifest.from_json(self.exported), run=desk.run)
            periods, version = periods_of(context, self.flow), version_of(context, self.spec)
            resolved = resolve(desk.bench, self.plan, exported, periods, version, ModelReading(desk.model))
        self.log.info(
            "%s: %d of %d lines in %d journals, debits %s.",
            resolved.plan,
            resolved.posted,
            resolved.rows,
            resolved.journals,
            resolved.debit,
        )
        for reason, told in resolved.left_out.items():
            self.log.info("Left out: %s (%s).", reason, told)
        return resolved.to_json()


class PlanLedgerOperator(LedgerOperator):
    """Talks to the ledger of a flow about one of its plans.

    :param spec: the plan, one of the flow's.
    :param resolved: the ``ResolvedManifest``, as JSON.
    """

    template_fields: Sequence[str] = ("resolved",)

    def __init__(self, *, spec: PlanSpec, resolved: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.resolved = resolved

    def first_period(self, context: Mapping[str, Any]) -> Period:
        """Return the first of the run's periods."""
        return periods_of(context, self.flow)[0]

    def resolved_plan(self) -> ResolvedManifest:
        """Return what the plan resolved to, as the task before says.

        :raises DataError: when it says something else: it was marked as successful, or what it said was edited.
        """
        from msgspec import ValidationError

        from airflow_provider_mlconnector.errors import DataError
        from airflow_provider_mlconnector.pipeline.resolve import ResolvedManifest

        try:
            return ResolvedManifest.from_json(self.resolved)
        except ValidationError as error:
            raise DataError(
                f"What was handed on is no resolved plan: {error}.", hint="Clear the task resolve."
            ) from error

    def approved(self, bench: Bench, run: RunRef) -> Payload:
        """Return the journals, if a person approved them in this run.

        :raises NotApprovedError: when nobody did, or they are another plan's.
        """
        from airflow_provider_mlconnector.errors import NotApprovedError
        from airflow_provider_mlconnector.pipeline.evidence import approved_payload

        rules = self.spec.approval
        payload = approved_payload(
            bench,
            run.run_id,
            self.resolved_plan(),
            four_eyes=rules.four_eyes,
            approvers=rules.names,
        )
        erp, journal = self.flow.spec.erp, self.spec.journal
        ours = (self.flow.name, self.spec.effective_name, erp.company, journal.name)
        if (payload.flow, payload.plan, payload.company, payload.name) != ours:
            raise NotApprovedError(f"What was handed on are journals of {payload.plan} for {payload.company}.")
        return payload

    def tell_assets(
        self, context: Context, run: RunRef, payload: Payload, receipts: Sequence[Receipt], suffix: str = ""
    ) -> None:
        """Make each document an event of the asset ``anaplan://<model>/plan <name>``.

        :param suffix: of the asset's name, for what becomes of documents later.
        """
        asset = create_asset(model=self.flow.spec.anaplan.model, dataset=f"plan {self.spec.effective_name}{suffix}")
        periods = {journal.key: journal.period for journal in payload.journals}
        about = {"flow": self.flow.name, "run_id": run.run_id, "version": payload.version}
        for outlet in self.outlets:
            if isinstance(outlet, AssetAlias):
                for receipt in receipts:
                    told = {**about, "period": periods[receipt.key], **receipt.to_json()}
                    context["outlet_events"][outlet].add(asset, extra=told)


class PreflightOperator(PlanLedgerOperator):
    """Checks plan and ledger before a person is asked; returns the digest of what they will be asked about."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Check, and put the question on the trail."""
        from msgspec.structs import replace

        from airflow_provider_mlconnector.hooks.erps import open_drafting
        from airflow_provider_mlconnector.pipeline.natures import categories_of
        from airflow_provider_mlconnector.pipeline.preflight import preflight

        self.wait_for_hours()
        with self.at_ledger(context) as desk:  # closed again before drafts are looked for: a session may be a seat
            statuses = {period: desk.erp.period_status(period) for period in periods_of(context, self.flow)}
        with self.at_ledger(context) as desk, closing(open_drafting(self.flow, self.spec.journal)) as drafting:
            question = preflight(
                desk.bench,
                replace(self.resolved_plan(), run=desk.run),
                statuses,
                drafting,
                categories_of(desk.bench, self.flow.name, self.flow.spec.erp.company),
            )
        self.log.info("%s", question.body)
        return {"sha256": question.sha256, "changes": question.changes}


class WritePlanOperator(PlanLedgerOperator):
    """Writes approved journals as drafts, each exactly once; returns their receipts as JSON."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """See that a person approved exactly this, and write it."""
        from airflow_provider_mlconnector.hooks.erps import open_drafting
        from airflow_provider_mlconnector.pipeline.writeback import write_back

        self.wait_for_hours()
        with (
            self.at_ledger(context) as desk,
            closing(open_drafting(self.flow, self.spec.journal)) as drafting,
            airflow_outcomes(self._patience(context, desk)),
        ):
            payload = self.approved(desk.bench, desk.run)
            receipts = write_back(
                desk.bench, payload, drafting, run_id=desk.run.run_id, owner=owner_of(context), resource=self._batch
            )
        for receipt in receipts:
            done = "written" if receipt.written else "as it is to be already"
            self.log.info("%s %s: %s, %d lines.", receipt.key, receipt.number, done, receipt.lines)
        return [receipt.to_json() for receipt in receipts]

    @property
    def _batch(self) -> str:
        erp = self.flow.spec.erp
        return f"{erp.system}/{erp.conn_id}/{erp.company}/{self.spec.journal.name}"

    def _patience(self, context: Context, desk: LedgerDesk) -> Patience:
        start = began(context, desk.bench.clock.now())
        return Patience(desk.bench, desk.run.run_id, start, start + self.flow.spec.deadline)


class VerifyPlanOperator(PlanLedgerOperator):
    """Reads every document back and compares it line by line; returns the receipts as JSON.

    Each document becomes an event of the asset ``anaplan://<model>/plan <name>``.
    """

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Compare, record, and close the run on the trail."""
        from airflow_provider_mlconnector.hooks.erps import open_drafting
        from airflow_provider_mlconnector.pipeline.writeback import verify

        self.wait_for_hours()
        with self.at_ledger(context) as desk, closing(open_drafting(self.flow, self.spec.journal)) as drafting:
            payload = self.approved(desk.bench, desk.run)
            receipts = verify(desk.bench, payload, drafting, run_id=desk.run.run_id)
            close_run(desk.bench.trail, desk.run, RunOutcome.SUCCEEDED)
        self.tell_assets(context, desk.run, payload, receipts)
        return [receipt.to_json() for receipt in receipts]
