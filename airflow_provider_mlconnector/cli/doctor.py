# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector doctor``: everything that can be known before the night of the close."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial

from airflow_provider_mlconnector.cli.deployment import flows_of
from airflow_provider_mlconnector.cli.findings import Finding, Verdict, run_check
from airflow_provider_mlconnector.cli.local_checks import check_keys, check_pools, check_stage, check_trail
from airflow_provider_mlconnector.cli.output import command, emit
from airflow_provider_mlconnector.cli.remote_checks import check_anaplan, check_ledger, check_models
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.flows.flow import Flow


@command
def doctor(args: Namespace) -> int:
    """Check the deployment and all flows; exit status 1 when there is an error."""
    findings, flows = list[Finding](), tuple[Flow, ...]()
    try:
        flows = flows_of(args)
    except ConfigurationError as error:  # the rest of the deployment is worth a look all the same
        findings.append(Finding("flows", "files", Verdict.ERROR, f"[{error.code}] {error.message}", error.hint))
    findings.extend(_findings(flows))
    emit(args, "Check-up", [asdict(finding) for finding in findings])
    return 1 if any(finding.verdict is Verdict.ERROR for finding in findings) else 0


def _findings(flows: Sequence[Flow]) -> Iterator[Finding]:
    yield from run_check("keys", "vault", check_keys)
    yield from run_check("trail", "mlconnector_trail", check_trail)
    yield from run_check("staging", "files", check_stage)
    yield from run_check("pools", "pools", partial(check_pools, flows))
    for flow in flows:
        yield from run_check("ledger", flow.spec.erp.conn_id, partial(check_ledger, flow))
    for conn_id in sorted({flow.spec.anaplan.conn_id for flow in flows}):
        yield from run_check("anaplan", conn_id, partial(check_anaplan, conn_id))
    yield from run_check("names", "models", partial(check_models, flows))
