# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector setup``: what has to exist before the first run. Safe to repeat."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from airflow.models.pool import Pool

from airflow_provider_mlconnector.cli.deployment import flows_of
from airflow_provider_mlconnector.cli.output import Row, command, emit
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plans import erp_pool_name, pool_of
from airflow_provider_mlconnector.hooks.trail import TrailHook

SLOTS = 1


@command
def setup(args: Namespace) -> None:
    """Create or upgrade the trail's tables, a pool of one slot per model, and one per ledger."""
    flows = flows_of(args)
    before, head = TrailHook().upgrade()
    rows: list[Row] = [{"what": "trail", "name": TrailHook.default_conn_name, "done": _change(before, head)}]
    for pool in sorted({pool_of(flow) for flow in flows}):
        models = sorted({flow.spec.anaplan.model for flow in flows if pool_of(flow) == pool})
        # Deferred tasks count: a task that waits for its import still works on the model.
        Pool.create_or_update_pool(
            pool, slots=SLOTS, description=f"One task at a time in {', '.join(models)}", include_deferred=True
        )
        rows.append({"what": "pool", "name": pool, "done": f"{SLOTS} slot, deferred tasks count"})
    for pool, slots in erp_pools(flows).items():
        Pool.create_or_update_pool(
            pool, slots=slots, description="Reads of one ledger, as many as its server works on", include_deferred=False
        )
        rows.append({"what": "pool", "name": pool, "done": f"{slots} slots"})
    emit(args, "Set up", rows)


def erp_pools(flows: Sequence[Flow]) -> dict[str, int]:
    """Return the pools of the ledgers that flows read, each with the slots that its server bears."""
    ledgers = {erp_pool_name(flow.spec.erp.conn_id): flow.spec.erp.system for flow in flows}
    return {pool: ledgers[pool].capabilities.readers for pool in sorted(ledgers)}


def _change(before: str | None, head: str) -> str:
    return f"revision {head}" if before == head else f"revision {before or 'none'} upgraded to {head}"
