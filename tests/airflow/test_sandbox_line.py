# SPDX-License-Identifier: Apache-2.0
"""The one line that the sandbox prints is all that a connection to each of its systems needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pkgutil import resolve_name
from typing import Any

import pytest
from airflow.sdk import Connection

from airflow_provider_mlconnector.demo.sandbox import connections, sandbox_process
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.hooks.erps import HOOKS

COMMON = {"base_url", "login", "password", "company"}
NEEDED = {
    System.DYNAMICS_FO: {"tenant", "authority_url", "client_id", "client_secret", "certificate_pem", "private_key_pem"},
    System.ACUMATICA: {"tenant", "endpoint", "version", "ledger", "segments", "client_id", "client_secret"},
    System.SYSPRO: {"odata_url", "entity_url", "enet_url", "company_password"},
    System.DYNAMICS_GP: {"tenant", "soap_url", "sba_url", "company_ids"},
}


@pytest.fixture(scope="module")
def line() -> Iterator[dict[str, Any]]:
    with sandbox_process(["anaplan", *System], scale=0.02) as told:
        yield told


@pytest.mark.parametrize("system", NEEDED)
def test_it_says_where_the_system_is_and_how_to_log_in(line, system):
    assert COMMON | NEEDED[system] <= line[system].keys()
    assert line[system]["base_url"].startswith(line["url"])


@pytest.mark.parametrize("system", System)
def test_a_connection_made_of_the_line_alone_reaches_the_company(line, system, monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", line["url"])
    conn_id = f"{system}_default"
    stored = connections(line)[conn_id]
    fields = {**stored, "extra": json.dumps(stored["extra"])}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", Connection(conn_id=conn_id, **fields).as_json())
    hook = resolve_name(HOOKS[system])(conn_id)
    ok, sentence = hook.test_connection()
    assert ok, sentence
    assert stored["conn_type"] == system
    assert line[system]["company"] in sentence
    assert line[system].get("password", line[system].get("client_secret")) not in sentence
