# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector flows``."""

from __future__ import annotations

import json
from argparse import Namespace

from airflow_provider_mlconnector.cli.deployment import flows_of
from airflow_provider_mlconnector.cli.output import command, emit
from airflow_provider_mlconnector.flows.plans import pool_of
from airflow_provider_mlconnector.flows.schema import schema as flow_schema


@command
def validate(args: Namespace) -> None:
    """Check flow files, each alone and all together; a mistake is told with file and line."""
    rows = [
        {
            "flow": flow.name,
            "file": flow.path.name,
            "company": flow.spec.erp.company,
            "model": flow.spec.anaplan.model,
            "loads": len(flow.spec.load),
            "plans": ", ".join(plan.effective_name for plan in flow.spec.plan),
            "comparisons": ", ".join(one.effective_name for one in flow.spec.compare),
            "pool": pool_of(flow),
            "schedule": str(flow.schedule),
        }
        for flow in flows_of(args)
    ]
    emit(args, "Flows", rows)


def schema(args: Namespace) -> None:
    """Print the JSON schema of a flow file, for editors."""
    print(json.dumps(flow_schema(), indent=2))  # noqa: T201 - a command's own output
