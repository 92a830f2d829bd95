# SPDX-License-Identifier: Apache-2.0
"""The tasks about late postings: one looks for them in closed periods, one starts the run that loads them.

The sweep is a task of the flow's own runs, and works in those of the newest open period alone: as often as the flow is
scheduled, once per night however many periods are open, and never in the run of a closed period, which is being loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import DagRunTriggerException

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.schedule import Agenda
from airflow_provider_mlconnector.operators.erp import DatasetOperator, LedgerDesk
from airflow_provider_mlconnector.operators.running import PERIOD_CONF

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.pipeline.manifests import SweepManifest

SWEEP_XCOM = "sweep"
SWEPT = timedelta(days=731)
"""How far back the closed periods are asked: this year's and the last one's."""


class SweepOperator(DatasetOperator):
    """Looks for lines that were posted to closed periods after their last load.

    Returns the periods that have such lines, as arguments of a mapped :class:`ReloadOperator`. The ``SweepManifest``
    goes to XCom under ``sweep`` as JSON; it is empty in the runs that do not sweep: Airflow does not find a null again.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dataset=Dataset.JOURNAL_LINES, **kwargs)

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Sweep, and tell what is late."""
        self.wait_for_hours()
        with self.at_ledger(context) as desk:
            done = self._sweep(desk)
        context["ti"].xcom_push(key=SWEEP_XCOM, value=done.to_json() if done else {})
        if done is None:
            self.log.info("The runs of %s do not sweep: it is not the newest open period.", desk.period.key)
            return []
        for late in done.late:
            self.log.warning("%s", late.sentence)
        self.log.info("%d closed periods were asked for late postings; %d have some.", done.periods, len(done.late))
        return [{"period": late.period, "digest": late.digest} for late in done.late]

    def _sweep(self, desk: LedgerDesk) -> SweepManifest | None:
        from airflow_provider_mlconnector.pipeline.sweep import sweep

        agenda, now = Agenda(self.flow.calendar, self.flow.schedule), desk.bench.clock.now()
        if desk.period not in agenda.open_periods(now)[-1:]:
            return None
        closed = agenda.closed_periods(now, since=now - SWEPT)
        return sweep(desk.bench, desk.erp, self.plan, desk.run, closed)


class ReloadOperator(BaseOperator):
    """Starts a run of its own DAG for a closed period, once for each set of late postings.

    The run is told its period as ``conf``: Airflow 3.3.2 does not hand the partition key on that a task gives to a run.

    :param period: key of the period.
    :param digest: tells one set of late postings from another.
    """

    template_fields: Sequence[str] = ("period", "digest")

    def __init__(self, *, period: str, digest: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.period = period
        self.digest = digest

    def execute(self, context: Context) -> None:
        """Start the run, unless it was started before."""
        raise DagRunTriggerException(
            trigger_dag_id=context["dag_run"].dag_id,
            dag_run_id=f"late_postings__{self.period}__{self.digest[:12]}",
            conf={PERIOD_CONF: self.period},
            reset_dag_run=False,
            skip_when_already_exists=True,
            wait_for_completion=False,
            allowed_states=[],
            failed_states=[],
            poke_interval=60,
            deferrable=False,
            note=f"Late postings of {self.period}, found by {context['dag_run'].run_id}.",
        )
