# SPDX-License-Identifier: Apache-2.0
"""The task that waits until people have posted the drafts of a plan."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.exceptions import AirflowRescheduleException

from airflow_provider_mlconnector.durable import began
from airflow_provider_mlconnector.errors import DeadlineError, MlconnectorError
from airflow_provider_mlconnector.finance.time_words import format_span
from airflow_provider_mlconnector.operators.plan import PlanLedgerOperator
from airflow_provider_mlconnector.operators.running import close_run
from airflow_provider_mlconnector.trail.records import RunOutcome

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.flows.plan_spec import PostedSpec
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.posted import Posting

FIRST_LOOK, LATER_LOOKS = timedelta(minutes=1), timedelta(minutes=15)
"""Between two looks: the longer it takes, the longer, up to the second."""
_KEYS_TOLD = 5


class AwaitPostedOperator(PlanLedgerOperator):
    """Looks into the ledger every few minutes until all documents of a run are posted; returns their receipts as JSON.

    Between two looks it holds neither worker nor pool slot, and outside the ledger's hours it does not look. Each
    document becomes an event of the asset ``anaplan://<model>/plan <name> posted``.

    :param posted: how long it waits.
    """

    def __init__(self, *, posted: PostedSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.posted = posted

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Look once; come back later while something is not posted."""
        from airflow_provider_mlconnector.hooks.erps import open_drafting
        from airflow_provider_mlconnector.pipeline.posted import look_for_posted

        self.wait_for_hours()
        with self.on_run(context, self.first_period(context).key) as (bench, run):
            payload = self.approved(bench, run)
            try:
                with closing(open_drafting(self.flow, self.spec.journal)) as drafting:
                    found = look_for_posted(bench, payload, drafting, run.run_id)
            except MlconnectorError as error:
                if not error.retryable:
                    raise
                self._come_back(context, bench, error.message)  # over two weeks a ledger is out of reach now and then
            if found.open:
                self._come_back(context, bench, _sentence(found))
            close_run(bench.trail, run, RunOutcome.SUCCEEDED)
        for receipt in found.posted:
            self.log.info("%s is posted as %s.", receipt.key, receipt.number)
        self.tell_assets(context, run, payload, found.posted, " posted")
        return [receipt.to_json() for receipt in found.posted]

    def _come_back(self, context: Context, bench: Bench, missing: str) -> NoReturn:
        """Leave until the next look.

        :raises AirflowRescheduleException: while there is time; it costs no try.
        :raises DeadlineError: when there is none left.
        """
        now = bench.clock.now()
        start = began(context, now)
        pause = max(min((now - start) / 4, LATER_LOOKS), FIRST_LOOK)
        if now + pause > start + self.posted.wait:
            raise DeadlineError(
                f"Waited for {format_span(self.posted.wait)} in vain. {missing}",
                hint="Have the drafts posted and clear this task, or have them removed; they stay as they are.",
            )
        self.log.info("%s Looking again in %d s.", missing, pause.total_seconds())
        raise AirflowRescheduleException(now + pause)


def _sentence(found: Posting) -> str:
    count, told = len(found.open), ", ".join(found.open[:_KEYS_TOLD])
    more = f", and {count - _KEYS_TOLD} more" if count > _KEYS_TOLD else ""
    return f"{count} of {count + len(found.posted)} documents are not posted: {told}{more}."
