# SPDX-License-Identifier: Apache-2.0
"""What the tasks that run an export share: one of a plan, and one of a list."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.operators.base import Desk
from airflow_provider_mlconnector.operators.remote import Idle, RemoteTaskOperator, Started

if TYPE_CHECKING:
    from airflow_provider_mlconnector.pipeline.export import ExportPlan
    from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
    from airflow_provider_mlconnector.systems.anaplan.tasks import TaskStatus


class ExportingOperator(RemoteTaskOperator):
    """Runs an export and stages its file; returns an ``ExportManifest`` as JSON."""

    @property
    @abstractmethod
    def plan(self) -> ExportPlan:
        """Return what is exported."""

    def begin(self, desk: Desk, work: ModelWork) -> Started | Idle:
        """Start the export."""
        from airflow_provider_mlconnector.pipeline.export import begin_export

        return Started(begin_export(self.plan, work), {})

    def finish(self, desk: Desk, work: ModelWork, started: Started, status: TaskStatus) -> dict[str, Any]:
        """Stage its file."""
        from airflow_provider_mlconnector.pipeline.export import finish_export

        return finish_export(desk.bench, self.plan, desk.run, work, started.ref, status).to_json()
