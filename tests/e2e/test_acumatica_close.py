# SPDX-License-Identifier: Apache-2.0
"""A close from Acumatica on a real Airflow: by hand, by backfill, and one session at a time."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date

import pytest

from airflow_provider_mlconnector.demo.sandbox import connections, sandbox_process
from airflow_provider_mlconnector.demo.stack import AirflowStack, StackOptions
from airflow_provider_mlconnector.demo.watching import Dag
from tests.e2e.conftest import ROOT
from tests.sandbox_control import SandboxControl

ENTITY = "Larkfield Services"
CENTRES = {"ADM": "CC100", "SALES": "CC200", "PROD": "CC300", "RND": "CC400", "LOG": "CC500", "": "NONE"}
MONTHS = {"FY2027-P04": "Oct 26", "FY2027-P03": "Sep 26"}
RUN_SECONDS = 600.0


@pytest.fixture(scope="module")
def closed_on_sqlite(tmp_path_factory: pytest.TempPathFactory):
    """One period closed by hand and one backfilled."""
    with ExitStack() as stack:
        info = stack.enter_context(sandbox_process(["anaplan", "acumatica"]))
        options = StackOptions(
            dags=ROOT / "dags",
            connections=connections(info),
            config={"mlconnector": {"allowed_hosts": info["url"], "first_poll": "3"}},
        )
        airflow = stack.enter_context(AirflowStack(tmp_path_factory.mktemp("acumatica"), options))
        dag = Dag(airflow, "acumatica_services_close")
        dag.wait_parsed()
        dag.unpause()
        dag.trigger("FY2027-P04")
        dag.backfill(date(2026, 9, 1), date(2026, 9, 30))
        runs = dag.wait(2, RUN_SECONDS, lambda _: None)
        yield SandboxControl(info), runs


def test_a_close_from_acumatica_loads_exactly_the_trial_balance_on_sqlite(closed_on_sqlite):
    control, runs = closed_on_sqlite
    assert {run.state for run in runs} == {"success"}
    for key, month in MONTHS.items():
        booked = control.ledger(key, select="close")
        wanted = {(account, CENTRES[code]): amount for (account, code), amount in booked.items()}
        assert control.amounts(month, Entity=ENTITY) == wanted


def test_every_session_was_given_back_on_sqlite(closed_on_sqlite):
    control, _ = closed_on_sqlite
    assert control.call("GET", "/acumatica/sessions") == []
    refused = control.call("GET", "/stats")["acumatica"]["by_status"]
    assert "429" not in refused
