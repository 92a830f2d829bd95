# SPDX-License-Identifier: Apache-2.0
"""The task that delivers again what is staged already, without asking the ERP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.operators.close import FlowOperator
from airflow_provider_mlconnector.operators.remote import Idle, RemoteTaskOperator, Started
from airflow_provider_mlconnector.operators.running import owner_of
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_mlconnector.operators.base import Desk
    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
    from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
    from airflow_provider_mlconnector.pipeline.replay import Wanted
    from airflow_provider_mlconnector.systems.anaplan.tasks import TaskStatus
    from airflow_provider_mlconnector.trail.records import RunRef


class ReplayOperator(FlowOperator, RemoteTaskOperator):
    """Sends the cells that some rows touch, as book and flow give them today; returns a ``LoadManifest`` as JSON.

    Give one of ``batch_id``, ``record_ids`` and ``rejects_of``.

    :param import_name: the import, as the flow writes it.
    :param batch_id: all that one read brought.
    :param record_ids: single records, by the ERP's ids; a text holds them separated by commas.
    :param rejects_of: a run of the trail, for what was rejected or quarantined in it.
    :param period: key of the period, for rows that are known in several; the newest otherwise.
    :param as_sent: repeat the stored file byte for byte; refused when one of its cells was accepted later.
    """

    template_fields: Sequence[str] = (*FlowOperator.template_fields, "batch_id", "record_ids", "rejects_of", "period")
    closes_run = True

    def __init__(
        self,
        *,
        import_name: str,
        batch_id: str = "",
        record_ids: Sequence[str] | str = (),
        rejects_of: str = "",
        period: str = "",
        as_sent: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.import_name = import_name
        self.batch_id = batch_id
        self.record_ids = record_ids
        self.rejects_of = rejects_of
        self.period = period
        self.as_sent = as_sent

    def run_of(self, context: Context, bench: Bench) -> RunRef:
        """Return the replay's own run, of the period that the rows belong to."""
        from airflow_provider_mlconnector.pipeline.replay import places

        dataset = self.plan_of(self.import_name).dataset
        for place in places(bench, self._wanted(), self.flow.name):
            if place.dataset == dataset and self.period in ("", place.period):
                return place.run(f"replay by {owner_of(context)}")
        raise DataError(f"None of these rows is of {dataset}, which '{self.import_name}' loads.")

    def begin(self, desk: Desk, work: ModelWork) -> Started | Idle:
        """Write the file, or take the stored one, and start the import."""
        from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load

        plan = self.plan_of(self.import_name)
        state = begin_load(desk.bench, plan, self._prepare(desk), work, lambda: self._prepare(desk))
        if state.ref is None:
            return Idle(finish_load(desk.bench, plan, state, work, None).to_json())
        return Started(state.ref, state.to_json())

    def finish(self, desk: Desk, work: ModelWork, started: Started, status: TaskStatus) -> dict[str, Any]:
        """Accept what Anaplan took, and put its rejects on the trail."""
        from airflow_provider_mlconnector.pipeline.load import LoadState, finish_load

        state = LoadState.from_json(dict(started.state))
        return finish_load(desk.bench, self.plan_of(self.import_name), state, work, status).to_json()

    def _prepare(self, desk: Desk) -> PreparedManifest:
        from airflow_provider_mlconnector.pipeline.replay import redeliver

        return redeliver(
            desk.bench,
            self.plan_of(self.import_name),
            self._wanted(),
            desk.run,
            self.flow.calendar,
            ModelReading(desk.model),
            repeat=self.as_sent,
        )

    def _wanted(self) -> Wanted:
        from airflow_provider_mlconnector.pipeline.replay import Wanted

        records = self.record_ids if isinstance(self.record_ids, str) else ",".join(self.record_ids)
        return Wanted.of(batch_id=self.batch_id, records=records, rejects_of=self.rejects_of)
