# SPDX-License-Identifier: Apache-2.0
"""What commands need to know of the deployment that they run in."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from airflow.configuration import conf

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.loader import load_flow, load_flows
from airflow_provider_mlconnector.flows.together import check_together


def flows_of(args: Namespace) -> tuple[Flow, ...]:
    """Return the flows that ``--flows`` names, a file or a folder; those of the DAGs folder when it is left out.

    :raises FlowError: for the first one that is wrong.
    """
    path = args.flows or Path(conf.get("core", "dags_folder")) / "flows"
    if path.is_dir():
        return load_flows(path)
    if not path.is_file():
        raise ConfigurationError(f"There is no flow file or folder {path}.", hint="Say where with --flows.")
    flows = (load_flow(path),)
    check_together(flows)
    return flows


def flow_named(args: Namespace, name: str) -> Flow:
    """Return the flow of a name.

    :raises ConfigurationError: when no flow file defines it.
    """
    flows = {flow.name: flow for flow in flows_of(args)}
    if name not in flows:
        known = ", ".join(sorted(flows)) or "none"
        raise ConfigurationError(f"No flow file defines '{name}'; there are: {known}.", hint="Say where with --flows.")
    return flows[name]
