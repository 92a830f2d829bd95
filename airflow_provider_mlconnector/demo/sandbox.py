# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a process beside Airflow, and the Airflow connections that lead to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

GP_DATABASE = "dynamics_gp_database"
_GP_COMPANY = "LARKFIELD"
_STOP_SECONDS, _WRITE_SECONDS = 10.0, 60.0


@contextmanager
def sandbox_process(systems: Sequence[str], *, scale: float = 1.0) -> Iterator[dict[str, Any]]:
    """Serve systems while the block runs; yield what the sandbox says of itself: its url, and logins by system."""
    command = [sys.executable, "-m", "airflow_provider_mlconnector.sandbox", "--systems", ",".join(systems)]
    process = subprocess.Popen([*command, "--port", "0", "--scale", str(scale)], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError("The sandbox ended before it served.")
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def connections(info: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return Airflow connections to the sandbox, in the form of ``airflow connections import``."""
    makers = {
        "anaplan": _anaplan,
        "business_central": _business_central,
        "dynamics_fo": _dynamics_fo,
        "acumatica": _acumatica,
        "syspro": _syspro,
        "dynamics_gp": _dynamics_gp,
    }
    return {f"{system}_default": make(info["url"], info[system]) for system, make in makers.items() if system in info}


def write_gp_database(info: Mapping[str, Any], home: Path) -> dict[str, dict[str, Any]]:
    """Write the database of Dynamics GP's company as it stands now; return connections by which it is read."""
    if "dynamics_gp" not in info:
        return {}
    file = home / "dynamics_gp.db"
    body = {"file": str(file), "company": _GP_COMPANY}
    requests.post(f"{info['url']}/_sandbox/dynamics_gp/tables", json=body, timeout=_WRITE_SECONDS).raise_for_status()
    gp = _dynamics_gp(info["url"], info["dynamics_gp"])
    gp["extra"]["sql_conn_id"] = GP_DATABASE
    return {"dynamics_gp_default": gp, GP_DATABASE: {"conn_type": "sqlite", "host": str(file)}}


def type_cells(url: str, module: str, cells: Sequence[Mapping[str, str]]) -> None:
    """Let a planner type values into the model; each cell names members by code, and line items with their values.

    :param url: of the sandbox.
    """
    body = {"module": module, "cells": list(cells)}
    requests.post(f"{url}/_sandbox/anaplan/cells", json=body, timeout=_WRITE_SECONDS).raise_for_status()


def _anaplan(url: str, system: Mapping[str, str]) -> dict[str, Any]:
    return {
        "conn_type": "anaplan",
        "host": url,
        "login": system["login"],
        "password": system["password"],
        "extra": {"auth": "basic", "region": "custom"},
    }


def _business_central(url: str, system: Mapping[str, str]) -> dict[str, Any]:
    return {
        "conn_type": "business_central",
        "host": url,
        "login": system["client_id"],
        "password": system["client_secret"],
        "extra": {key: system[key] for key in ("tenant", "environment", "company")} | {"auth": "secret"},
    }


def _dynamics_fo(url: str, system: Mapping[str, str]) -> dict[str, Any]:
    return {
        "conn_type": "dynamics_fo",
        "host": system["base_url"],
        "login": system["login"],
        "password": system["password"],
        "extra": {"tenant": system["tenant"], "company": system["company"], "authority": system["authority_url"]},
    }


def _syspro(url: str, system: Mapping[str, str]) -> dict[str, Any]:
    return {
        "conn_type": "syspro",
        "host": url,
        "login": system["login"],
        "password": system["password"],
        "extra": {key: system[key] for key in ("company", "entity_url", "company_password")},
    }


def _acumatica(url: str, system: Mapping[str, str]) -> dict[str, Any]:
    named = ("tenant", "client_id", "client_secret", "endpoint", "version", "ledger", "segments")
    extra = {key: system[key] for key in named}
    return {
        "conn_type": "acumatica",
        "host": url,
        "login": system["login"],
        "password": system["password"],
        "extra": extra | {"auth": "password", "site": "acumatica", "branch": system["company"]},
    }


def _dynamics_gp(url: str, system: Mapping[str, str]) -> dict[str, Any]:
    paths = {f"{service}_path": system[f"{service}_url"].removeprefix(url) for service in ("soap", "sba")}
    return {
        "conn_type": "dynamics_gp",
        "host": url,
        "login": system["login"],
        "password": system["password"],
        "extra": {**paths, "sba_host": url, "tenant": system["tenant"], "company": system["company"]},
    }
