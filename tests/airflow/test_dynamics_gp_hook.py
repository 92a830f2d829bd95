# SPDX-License-Identifier: Apache-2.0
"""A connection to Dynamics GP, as its form stores it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from airflow.sdk import Connection

from airflow_provider_mlconnector.demo.sandbox import connections
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.hooks.dynamics_gp import DynamicsGpHook, account_of, connection_of
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY
from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
from airflow_provider_mlconnector.sandbox.running import serve
from tests.unit.systems.dynamics_gp.drafts.desk import journal


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_gp"], scale=0.05) as running:
        yield running


@pytest.fixture
def connect(sandbox, monkeypatch):
    """Define the connection that the demo makes, with some fields otherwise."""
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", sandbox.url)

    def connect(**more):
        made = connections({"url": sandbox.url, **sandbox.info})["dynamics_gp_default"]
        extra = {**made.pop("extra"), **{name: more.pop(name) for name in list(more) if name not in made}}
        connection = Connection(conn_id="dynamics_gp_default", extra=json.dumps(extra), **{**made, **more})
        monkeypatch.setenv("AIRFLOW_CONN_DYNAMICS_GP_DEFAULT", connection.as_json())

    connect()
    return connect


def test_a_good_connection_names_the_company_and_what_sba_calls_it(connect):
    ok, sentence = DynamicsGpHook().test_connection()
    assert ok, sentence
    assert "company Larkfield Ltd is number 1" in sentence
    assert "SBA knows it as 'Larkfield Ltd'" in sentence


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "hunter2-is-wrong"}, "refuses"),
        ({"company": "Nobody Ltd"}, "Known: Larkfield Ltd (1)"),
        ({"login": ""}, "Windows account"),
        ({"auth": "basic"}, "Allowed: auto"),
        ({"window_days": "0"}, "1 to 366"),
        ({"gl_fields": "JRNENTRY"}, "are no pairs"),
        ({"sba_host": "https://other.example"}, "allowed_hosts"),
        ({"secret": "keytab"}, "KRB5_CLIENT_KTNAME"),
    ],
    ids=["password", "company", "account", "auth", "window", "fields", "host", "keytab"],
)
def test_a_wrong_connection_says_what_is_wrong(sandbox, connect, wrong, told):
    from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of

    site_of(sandbox.world).domain.failures.clear()
    connect(**wrong)
    ok, sentence = DynamicsGpHook().test_connection()
    assert not ok
    assert told in sentence
    assert "hunter2" not in sentence


def test_period_totals_come_through_another_airflow_connection(sandbox, connect, monkeypatch, tmp_path):
    from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
    from airflow_provider_mlconnector.sandbox.dynamics_gp.tables import write_tables

    write_tables(site_of(sandbox.world).companies[0], tmp_path / "gp.db")

    class Database:
        def get_records(self, statement):
            with sqlite3.connect(tmp_path / "gp.db") as db:
                return db.execute(statement).fetchall()

    connect(sql_conn_id="gp_database")
    monkeypatch.setenv("AIRFLOW_CONN_GP_DATABASE", "sqlite://")
    monkeypatch.setattr(Connection, "get_hook", lambda self: Database())
    erp = DynamicsGpHook().get_erp(period_of=MONTHS_FROM_JULY.period_of)
    period: Period = MONTHS_FROM_JULY.period_of_key("FY2027-P04")
    assert erp.period_totals(period).by_account
    erp.close()


def test_a_keytab_is_the_workers_own(monkeypatch):
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", "FILE:/etc/planning.keytab")
    account = account_of(Fields("c", login="svc@REALM", extra={"secret": "keytab"}))
    assert (account.file, account.password, account.user) == ("/etc/planning.keytab", "", "svc@REALM")


def test_sba_is_left_out_where_no_host_of_it_is_named(monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", "http://gp:48620")
    fields = Fields("c", host="http://gp:48620", login="D\\u", password="p", extra={"company": "TWO"})
    made = connection_of(fields)
    assert made.sba_url == ""
    assert made.soap_url == "http://gp:48620/DynamicsGPWebServices/DynamicsGPService.asmx"


def test_a_host_that_nobody_allowed_gets_no_password(connect, monkeypatch, sandbox):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", "https://other.example")
    with pytest.raises(ConfigurationError, match="allowed_hosts"):
        DynamicsGpHook().get_erp()


def test_a_flow_writes_into_the_batch_that_it_names_and_has_values_for_segments_that_lines_leave_open(connect, sandbox):
    batch, wanted = "BUDGETS", journal("5")
    options = {"segments": "Department 000"}
    with closing(DynamicsGpHook().get_drafting(batch, "Larkfield Ltd", options)) as drafting:
        assert drafting.problems([wanted]) == []
        for step in drafting.steps(wanted):
            step.do()
    assert list(site_of(sandbox.world).companies[0].drafts.batches) == [batch]


def test_an_option_that_cannot_be_read_says_how_it_is_written(connect):
    with pytest.raises(ConfigurationError, match="Write name and value"):
        DynamicsGpHook().get_drafting("ANAPLAN", options={"segments": "Department"})
