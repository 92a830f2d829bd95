# SPDX-License-Identifier: Apache-2.0
"""What all tasks that work in an Anaplan model share: which model, its pool, how long they wait, when they retry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, RetryPolicy

from airflow_provider_mlconnector.durable import began
from airflow_provider_mlconnector.flows.plans import pool_name
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.operators.links import AnaplanModelLink
from airflow_provider_mlconnector.operators.running import close_run, on_the_trail, run_of
from airflow_provider_mlconnector.outcomes import Patience, airflow_outcomes
from airflow_provider_mlconnector.retries import REMOTE_RETRIES
from airflow_provider_mlconnector.trail.records import RunOutcome

if TYPE_CHECKING:
    from airflow.sdk import BaseOperatorLink, Context

    from airflow_provider_mlconnector.pipeline.context import Bench
    from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
    from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
    from airflow_provider_mlconnector.trail.records import RunRef


@dataclass(frozen=True, slots=True)
class Desk:
    """What a task works with while it runs."""

    context: Mapping[str, Any]
    bench: Bench
    client: AnaplanClient
    model: AnaplanModel
    run: RunRef
    patience: Patience


class AnaplanOperator(BaseOperator):
    """Works in one model.

    Left in the default pool, a task is put into the model's own (``airflow mlconnector setup`` creates it). A workspace
    or model that is a template needs an explicit pool.

    :param workspace: name or id.
    :param model: name or id.
    :param anaplan_conn_id: connection of type anaplan.
    :param deadline: how long the task waits for the model and for its remote task, from its first try on.
    """

    template_fields: Sequence[str] = ("anaplan_conn_id", "workspace", "model")
    operator_extra_links: Collection[BaseOperatorLink] = (AnaplanModelLink(),)
    ui_color = "#e4ebf7"
    closes_run = True
    """Whether the run on the trail is over with this task; a later task of the same run opens it again."""

    def __init__(
        self,
        *,
        workspace: str,
        model: str,
        anaplan_conn_id: str = AnaplanHook.default_conn_name,
        deadline: timedelta = timedelta(hours=6),
        retries: int = 2,
        retry_policy: RetryPolicy | None = REMOTE_RETRIES,
        **kwargs: Any,
    ) -> None:
        super().__init__(retries=retries, retry_policy=retry_policy, **kwargs)
        self.workspace = workspace
        self.model = model
        self.anaplan_conn_id = anaplan_conn_id
        self.deadline = deadline

    @classmethod
    def pool_of(cls, arguments: Mapping[str, Any]) -> str:
        """Return the pool of the model that some arguments name, "" when one of them is a template or missing."""
        names = [
            arguments.get("anaplan_conn_id", AnaplanHook.default_conn_name),
            arguments.get("workspace"),
            arguments.get("model"),
        ]
        known = [name for name in names if isinstance(name, str) and "{{" not in name and "{%" not in name]
        return pool_name(*known) if len(known) == len(names) else ""

    @property
    def anaplan_pool(self) -> str:
        """Return the pool that this task belongs to, "" when only its author can know."""
        return self.pool_of(self.__dict__)

    def run_of(self, context: Context, bench: Bench) -> RunRef:
        """Return the run on the trail that this task works for."""
        return run_of(context, context["dag_run"].dag_id, context.get("partition_key") or "")

    @contextmanager
    def at_desk(self, context: Context) -> Iterator[Desk]:
        """Open all that the task works with, and turn errors into outcomes of the task."""
        from airflow_provider_mlconnector.bench import open_bench

        with airflow_outcomes():
            bench = open_bench()
            run = self.run_of(context, bench)
            start = began(context, bench.clock.now())
            patience = Patience(bench, run.run_id, start, start + self.deadline)
            with (
                on_the_trail(context, bench.trail, run),
                airflow_outcomes(patience),
                closing(AnaplanHook(self.anaplan_conn_id).get_client()) as client,
            ):
                model = client.model(client.resolve_model(self.workspace, self.model))
                yield Desk(context, bench, client, model, run, patience)
                if self.closes_run:
                    close_run(bench.trail, run, RunOutcome.SUCCEEDED)
