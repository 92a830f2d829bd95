# SPDX-License-Identifier: Apache-2.0
"""The task that asks a person: Airflow's own approval, which puts its evidence on the trail.

What is shown comes from the trail, and what was answered goes there, from this task itself: a task marked as successful
leaves nothing there, and what tasks hand on can be edited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, RetryPolicy
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_mlconnector.errors import NotApprovedError
from airflow_provider_mlconnector.operators.planning import periods_of
from airflow_provider_mlconnector.operators.running import close_run, on_the_trail, run_of
from airflow_provider_mlconnector.outcomes import airflow_outcomes
from airflow_provider_mlconnector.retries import REMOTE_RETRIES
from airflow_provider_mlconnector.trail.records import RunOutcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.flows.plan_spec import PlanSpec
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.trail.records import RunRef

REASON = "reason"


class ApprovePlanOperator(ApprovalOperator):
    """Asks whether a plan may be written, and waits without a worker or pool slot.

    A rejection skips what follows and closes the run on the trail with its reason. A plan that is in the ledger already
    is not asked about. When nobody answers in time the task fails, without another try.

    :param flow: the flow, as ``load_flow`` reads it.
    :param spec: the plan, one of the flow's.
    """

    def __init__(
        self,
        *,
        flow: Flow,
        spec: PlanSpec,
        retries: int = 2,
        retry_policy: RetryPolicy | None = REMOTE_RETRIES,
        **kwargs: Any,
    ) -> None:
        approval = spec.approval
        kwargs["params"] = {REASON: _reason_param()}
        kwargs.setdefault("response_timeout", approval.wait)
        kwargs.setdefault("assigned_users", [{"id": user.id, "name": user.name} for user in approval.users])
        super().__init__(
            subject=f"{spec.effective_name} into {flow.spec.erp.company}",
            body="",
            ignore_downstream_trigger_rules=True,
            retries=retries,
            retry_policy=retry_policy,
            **kwargs,
        )
        self.flow = flow
        self.spec = spec

    def execute(self, context: Context) -> None:
        """Ask, about what the preflight put on the trail."""
        from airflow_provider_mlconnector.pipeline.evidence import note_asked, question_of

        with self._at_trail(context) as (bench, run):
            question = question_of(bench, run.run_id, self.spec.effective_name)
            if question.changes:
                note_asked(bench, run.run_id, question)
            else:
                close_run(bench.trail, run, RunOutcome.SUCCEEDED)
        if not question.changes:
            raise AirflowSkipException(f"{question.plan} is in the ledger already; nothing is to be written.")
        self.body = question.body
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Put the answer on the trail, then do what Airflow does with it."""
        from airflow_provider_mlconnector.pipeline.evidence import APPROVE, note_answer

        with self._at_trail(context) as (bench, run):
            if "error" in event:
                raise NotApprovedError(
                    f"Nobody answered about {self.spec.effective_name}: {event['error']}",
                    hint="Clear this task to ask once more, or start a new run.",
                )
            decision = note_answer(bench, run.run_id, self.spec.effective_name, _answer(event))
            if decision.chosen != APPROVE:
                self.log.info("Rejected by %s: %s", decision.responded_by, decision.reason or "no reason given")
                close_run(bench.trail, run, RunOutcome.CANCELLED)
        return super().execute_complete(context, event)

    @contextmanager
    def _at_trail(self, context: Mapping[str, Any]) -> Iterator[tuple[Bench, RunRef]]:
        """Open the trail, and turn errors into outcomes of the task."""
        from airflow_provider_mlconnector.bench import open_bench

        run = self._run(context)
        with airflow_outcomes():
            bench = open_bench()
            with on_the_trail(context, bench.trail, run), airflow_outcomes():
                yield bench, run

    def _run(self, context: Mapping[str, Any]) -> RunRef:
        return run_of(context, self.flow.name, periods_of(context, self.flow)[0].key)


def _reason_param() -> Param:
    """Return the field of the form; one that could not be null would have to be filled in."""
    return Param(None, type=["string", "null"], title="Reason", description="Goes to the trail.")


def _answer(event: Mapping[str, Any]) -> Any:
    """Read what Airflow hands over; a person is known by the name that started runs carry, too."""
    from airflow_provider_mlconnector.pipeline.evidence import Answer

    user = event.get("responded_by_user") or {}
    reason = (event.get("params_input") or {}).get(REASON) or ""
    return Answer(
        chosen=event["chosen_options"][0],
        by=user.get("name") or user.get("id"),
        at=event.get("responded_at"),
        reason=str(reason),
    )
