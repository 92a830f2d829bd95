# SPDX-License-Identifier: Apache-2.0
"""Check-ups that ask the ledgers and Anaplan: logins, clocks, names, headers. They read and change nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from airflow_provider_mlconnector.cli.findings import Finding, Verdict, run_check
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plans import load_plans, pool_of
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.hooks.erps import open_erp
from airflow_provider_mlconnector.pipeline.header import check_header
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel
from airflow_provider_mlconnector.systems.port import Choice, Health

TOLERATED_SKEW = 60.0
"""Seconds: certificate logins carry the time, and watermarks compare it."""


def check_ledger(flow: Flow) -> Iterator[Finding]:
    """Ask a flow's ledger which of its connection's choices it speaks; if all, log in and find its company."""
    conn_id = flow.spec.erp.conn_id
    with closing(open_erp(flow)) as erp:
        choices = list(erp.choices())
        for choice in choices:
            yield Finding("ledger", f"{conn_id}: {choice.field}", _verdict(choice), choice.sentence, choice.advice)
        if all(choice.fits for choice in choices):
            yield from _health("ledger", conn_id, erp.ping())


def check_anaplan(conn_id: str) -> Iterator[Finding]:
    """Log in to Anaplan."""
    with closing(AnaplanHook(conn_id).get_client()) as client:
        yield from _health("anaplan", conn_id, client.ping())


def check_models(flows: Sequence[Flow]) -> Iterator[Finding]:
    """See that one model is not loaded under two names, and that every name in the flows means something in it."""
    pools: dict[str, set[str]] = defaultdict(set)
    for flow in flows:
        anaplan = flow.spec.anaplan
        with closing(AnaplanHook(anaplan.conn_id).get_client()) as client:
            ref = client.resolve_model(anaplan.workspace, anaplan.model)
            pools[f"{client.hosts.api}/{ref.model_id}"].add(pool_of(flow))
            model = client.model(ref)
            for plan in load_plans(flow):
                subject = f"{flow.name}: {plan.import_name}"
                yield from run_check("names", subject, partial(_names, model, plan, subject))
    for names in pools.values():
        if len(names) > 1:
            sentence = f"One model is loaded through several pools: {', '.join(sorted(names))}."
            advice = "Write connection, workspace and model alike in all flows, or name one pool."
            yield Finding("names", "pools", Verdict.ERROR, sentence, advice)


def _names(model: AnaplanModel, plan: LoadPlan, subject: str) -> Iterator[Finding]:
    check_header(model, plan)
    for name in sorted(set(plan.members.values())):
        model.resolve(Kind.LIST, name)
    if plan.check:
        model.resolve(Kind.VIEW, plan.check)
    yield Finding("names", subject, Verdict.OK, "Import, header, lists and check view are as the flow says.")


def _verdict(choice: Choice) -> Verdict:
    if not choice.fits:
        return Verdict.ERROR
    return Verdict.WARNING if choice.advice else Verdict.OK


def _health(check: str, subject: str, health: Health) -> Iterator[Finding]:
    yield Finding(check, subject, Verdict.OK if health.ok else Verdict.ERROR, health.sentence)
    if health.server_time is None:
        return
    skew = abs((datetime.now(UTC) - health.server_time).total_seconds())
    if skew > TOLERATED_SKEW:
        advice = "Let this machine keep its time by NTP."
        yield Finding(check, subject, Verdict.WARNING, f"Clocks differ by {skew:.0f} seconds.", advice)
