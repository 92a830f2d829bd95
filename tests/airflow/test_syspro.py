# SPDX-License-Identifier: Apache-2.0
"""SYSPRO in Airflow: its connection, and the tasks of its close, one after the other as Airflow runs them."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from airflow.sdk import Connection

from airflow_provider_mlconnector.demo.sandbox import connections
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.hooks.erps import open_erp
from airflow_provider_mlconnector.hooks.syspro import SysproHook, connection_of
from airflow_provider_mlconnector.systems.syspro.connection import Auth
from tests.airflow.closing_runs import Run, only

FLOW = Path(__file__).parents[2] / "dags" / "flows" / "syspro_trading_close.yaml"
PERIOD = "FY2027-P04"


@pytest.fixture
def systems():
    return ("anaplan", "syspro")


@pytest.fixture
def connect(site, monkeypatch):
    """Store the connection that a rehearsal makes, with other fields."""

    def store(extra=None, **changes):
        told = connections({"url": site.url, **site.info})["syspro_default"]
        fields = {**told, **changes, "extra": json.dumps({**told["extra"], **(extra or {})})}
        monkeypatch.setenv("AIRFLOW_CONN_SYSPRO_DEFAULT", Connection(conn_id="syspro_default", **fields).as_json())

    store()
    return store


@pytest.mark.parametrize("auth", ["basic", "session"])
def test_a_good_connection_names_the_company(site, connect, auth):
    connect({"auth": auth, "company_password": site.info["syspro"]["company_password"]})
    ok, sentence = SysproHook().test_connection()
    assert ok, sentence
    assert "company L found" in sentence
    assert not site.control("syspro/sessions", method="GET")["sessions"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "hunter2"}, "Check operator and password"),
        ({"login": ""}, "has no operator"),
        ({"extra": {"company": ""}}, "has no company"),
        ({"extra": {"company": "Q"}}, "404"),
        ({"extra": {"odata_path": "/elsewhere"}}, "404"),
        ({"extra": {"auth": "kerberos"}}, "Allowed: basic, session"),
        ({"extra": {"auth": "session", "company_password": ""}}, "Invalid company password"),
        ({"extra": {"auth": "session", "enet_url": "https://evil.example/Rest"}}, "names the e.net host"),
        ({"extra": {"gl_code": "?"}}, "no structure of GL codes"),
        ({"host": "https://evil.example"}, "not allowed"),
    ],
    ids=str,
)
def test_a_wrong_connection_says_what_is_wrong(connect, wrong, told):
    connect(**wrong)
    ok, sentence = SysproHook().test_connection()
    assert not ok
    assert told in sentence
    assert "hunter2" not in sentence


def test_fields_that_are_left_out_have_the_usual_values(connect):
    connect({"entity_url": "", "gl_code": ""})
    found = connection_of(SysproHook().fields, company="M")
    assert (found.company, found.entity_url, found.gl_code.structure) == ("M", "{table}", "ACCOUNT.DEPARTMENT")
    assert (found.auth, found.logon_path) == (Auth.BASIC, "Logon")
    assert found.odata_url.endswith("/SYSPRO8Odata/SYSPROOData")
    assert found.enet_url.endswith("/SYSPROWCFService/Rest")


def test_a_host_is_needed(connect):
    connect(host="")
    with pytest.raises(ConfigurationError, match="has no host"):
        connection_of(SysproHook().fields)


def test_a_flow_opens_its_company(site, connect):
    with closing(open_erp(load_flow(FLOW))) as erp:
        assert erp.ping().ok


def test_a_close_loads_journals_and_records_and_removes_what_is_gone(site, connect):
    flow = only(load_flow(FLOW), "accounts", "cost_centres", "journal_lines", "inventory")
    run = Run(flow, period=PERIOD)
    done = run.all()
    assert done["difference"] == "0.00"
    assert run.report().agrees
    assert run.results["load_stock_data.remove"] == ""
    site.control("books/stock/WAX-1KG/01", method="DELETE")
    again = Run(flow, period=PERIOD, run_id="manual__2")
    again.all()
    assert again.report().agrees
    assert again.results["load_stock_data.remove"]
    assert site.starts()["Delete Gone Stock"] == 1
    stock = site.control("anaplan/members?list=Stock", method="GET")["members"]
    assert "L/WAX-1KG/01" not in {member["code"] for member in stock}
