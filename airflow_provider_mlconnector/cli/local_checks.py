# SPDX-License-Identifier: Apache-2.0
"""Check-ups that ask nobody outside: keys, the trail, the staging area, pools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow.configuration import conf
from airflow.jobs.job import Job, JobState
from airflow.models.pool import Pool
from airflow.utils.session import create_session
from sqlalchemy import select

from airflow_provider_mlconnector.bench import open_bench
from airflow_provider_mlconnector.cli.findings import Finding, Verdict
from airflow_provider_mlconnector.cli.setup import SLOTS, erp_pools
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.flows.plans import pool_of
from airflow_provider_mlconnector.hooks.trail import TrailHook, open_cipher
from airflow_provider_mlconnector.pipeline.stage import scratch_file
from airflow_provider_mlconnector.settings import load_settings

_PROBE = "doctor/probe"


def check_keys() -> Iterator[Finding]:
    """See that passwords and tokens are stored encrypted."""
    if not conf.get("core", "fernet_key", fallback=""):
        advice = "Set [core] fernet_key, then save each connection again."
        yield Finding("keys", "fernet_key", Verdict.ERROR, "Airflow stores passwords in clear text.", advice)
    cipher = open_cipher(load_settings())
    opens = cipher.decrypt(cipher.encrypt(b"probe")) == b"probe"
    yield Finding("keys", "vault", Verdict.OK if opens else Verdict.ERROR, "The vault's key encrypts and decrypts.")


def check_trail() -> Iterator[Finding]:
    """See that the trail answers from here, holds leases, and is shared when more than one machine works."""
    hook = TrailHook()
    ok, sentence = hook.test_connection()
    yield Finding("trail", hook.trail_conn_id, Verdict.OK if ok else Verdict.ERROR, sentence)
    if not ok:
        return
    leases = open_bench().leases
    lease = leases.acquire("doctor", "doctor", ttl=5.0)
    leases.release(lease)
    yield Finding("trail", "leases", Verdict.OK, "A lease can be taken and given back from here.")
    machines = _machines()
    if hook.get_url().startswith("sqlite") and len(machines) > 1:
        sentence = f"The trail is a SQLite file, but {len(machines)} machines work: {', '.join(sorted(machines))}."
        advice = "Point the connection mlconnector_trail at PostgreSQL; a file keeps no lease between machines."
        yield Finding("trail", "machines", Verdict.ERROR, sentence, advice)


def check_stage() -> Iterator[Finding]:
    """See that files can be staged, found again and removed."""
    stage = open_bench().stage
    with scratch_file(stage, ".probe") as local:
        local.write_bytes(b"probe")
        file = stage.publish(local, _PROBE)
    found = stage.fetch(file).read_bytes() == b"probe"
    stage.remove(_PROBE)
    verdict = Verdict.OK if found else Verdict.ERROR
    yield Finding("staging", load_settings().staging, verdict, "A file can be staged and read back from here.")


def check_pools(flows: Sequence[Flow]) -> Iterator[Finding]:
    """See that each model's pool exists, has one slot and counts deferred tasks, and that each ledger has its pool."""
    advice = "Run: airflow mlconnector setup"
    yield from _ledger_pools(flows, advice)
    for name in sorted({pool_of(flow) for flow in flows}):
        pool = Pool.get_pool(name)
        if pool is None:
            sentence = "The pool does not exist: its tasks would wait for ever."
        elif pool.slots != SLOTS:
            sentence = f"The pool has {pool.slots} slots: tasks would queue up on the lease instead."
        elif not pool.include_deferred:
            sentence = "The pool does not count deferred tasks: a waiting import would not hold its slot."
        else:
            yield Finding("pools", name, Verdict.OK, "One slot, deferred tasks count.")
            continue
        yield Finding("pools", name, Verdict.ERROR, sentence, advice)


def _ledger_pools(flows: Sequence[Flow], advice: str) -> Iterator[Finding]:
    for name, most in erp_pools(flows).items():
        pool = Pool.get_pool(name)
        if pool is None:
            sentence = "The pool does not exist: its tasks would wait for ever."
            yield Finding("pools", name, Verdict.ERROR, sentence, advice)
        elif pool.slots > most:
            sentence = f"The pool has {pool.slots} slots, but the server works on {most} requests at a time."
            yield Finding("pools", name, Verdict.WARNING, sentence, advice)
        else:
            yield Finding("pools", name, Verdict.OK, f"At most {pool.slots} reads at a time.")


def _machines() -> set[str]:
    """Return the host names of all Airflow components that are running."""
    with create_session() as session:
        query = select(Job.hostname).where(Job.state == JobState.RUNNING).distinct()
        return {name for name in session.scalars(query) if name}
