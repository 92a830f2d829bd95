# SPDX-License-Identifier: Apache-2.0
"""Connections of type acumatica: what they say leads to the books, or to a sentence about what is wrong."""

import json
import re
from argparse import Namespace
from contextlib import closing

import pytest
import requests
from airflow.sdk import Connection

from airflow_provider_mlconnector.cli.login import login
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.acumatica import AcumaticaHook, connection_of
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.systems.acumatica.connection import CodeGrant, CookieLogin, PasswordGrant
from tests.unit.systems.acumatica.drafts.desk import journal

CONN_ID = "acumatica_default"
BACK = "http://127.0.0.1/back"


@pytest.fixture
def books(site):
    """Connect the sandbox's Acumatica; ``books(field=value)`` connects it otherwise."""
    told = site.info["acumatica"]
    names = ("tenant", "client_id", "client_secret", "endpoint", "version", "segments")
    plain = {name: told[name] for name in names} | {"site": "acumatica", "branch": told["company"]}

    def connect(**more):
        fields = {"login": told["login"], "password": told["password"], **plain, **more}
        site.connect(CONN_ID, "acumatica", **fields)
        return AcumaticaHook()

    return connect


@pytest.mark.parametrize("auth", ["password", "cookie"])
def test_a_good_connection_names_ledger_and_branch(books, auth):
    ok, sentence = books(auth=auth).test_connection()
    assert ok
    assert "ledger ACTUAL in GBP, branch LARKFIELD found" in sentence


@pytest.mark.parametrize("auth", ["password", "cookie"])
def test_a_test_of_the_connection_leaves_no_session_behind(books, site, auth):
    books(auth=auth).test_connection()
    assert site.control("acumatica/sessions", method="GET") == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "hunter2-is-wrong"}, "Check user and password"),
        ({"client_secret": "hunter2-is-wrong"}, "SM303010"),
        ({"client_secret": "***"}, "mask"),
        ({"version": "26.200.001"}, "Default/25.200.001"),
        ({"branch": "NOWHERE", "ledger": "ACTUAL"}, "No branch 'NOWHERE'"),
        ({"tenant": "Nowhere", "auth": "cookie"}, "no such tenant"),
        ({"auth": "kerberos"}, "Allowed: password, code, cookie"),
        ({"segments": "DEPARTMENT"}, "DEPARTMENT 3, REGION 2"),
        ({"client_id": ""}, "has no client id"),
        ({"auth": "code"}, "airflow mlconnector login"),
        ({"host": "https://evil.example"}, "allowed_hosts"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_connection_says_what_is_wrong(books, wrong, told):
    ok, sentence = books(**wrong).test_connection()
    assert not ok
    assert told in sentence
    assert "hunter2" not in sentence


def test_a_flow_names_the_branch(books):
    hook = books()
    assert connection_of(hook.fields, "OTHER").branch == "OTHER"
    assert connection_of(hook.fields).branch == "LARKFIELD"


def test_a_flow_writes_to_the_ledger_that_it_names_and_leaves_no_session_behind(books, site):
    wanted = journal("5")
    for name, said in (("ACTUAL", []), ("BUDGET", ["BUDGET"])):
        with closing(books().get_drafting(name, "LARKFIELD", {"segments": "LOCATION 00"})) as drafting:
            problems = drafting.problems([wanted])
        assert [one.subject for one in problems] == said
    assert site.control("acumatica/sessions", method="GET") == []


def test_an_option_that_cannot_be_read_says_how_it_is_written(books):
    with pytest.raises(ConfigurationError, match="LOCATION 00, REGION 1"):
        books().get_drafting("ACTUAL", options={"segments": "00"})


def fields(monkeypatch, host, **extra):
    connection = Connection(
        conn_id="some", conn_type="acumatica", host=host, login="ada", password="x", extra=json.dumps(extra)
    )
    monkeypatch.setenv("AIRFLOW_CONN_SOME", connection.as_json())
    return Fields.read("some")


def test_the_vendors_own_cloud_needs_no_entry_and_every_other_host_does(home, monkeypatch):
    made = connection_of(fields(monkeypatch, "larkfield.acumatica.com", auth="cookie", site="/Larkfield/"))
    assert made.base_url == "https://larkfield.acumatica.com/Larkfield"
    for host in ("https://acumatica.com.evil.example", "http://larkfield.acumatica.com", "https://erp.example.com"):
        with pytest.raises(ConfigurationError, match="allowed_hosts"):
            connection_of(fields(monkeypatch, host, auth="cookie"))


def test_each_way_to_sign_in_is_a_choice_of_the_connection(home, monkeypatch):
    oauth = {"client_id": "G@T", "client_secret": "s"}
    host = "https://larkfield.acumatica.com"
    login = {auth: connection_of(fields(monkeypatch, host, auth=auth, **oauth)).login for auth in ("cookie", "code")}
    assert isinstance(login["cookie"], CookieLogin)
    assert isinstance(login["code"], CodeGrant)
    grant = connection_of(fields(monkeypatch, host, scopes="api offline_access", **oauth)).login
    assert grant == PasswordGrant("G@T", "s", "ada", "x", "api offline_access")


def test_a_user_agrees_once_in_a_browser(books, site, capsys, monkeypatch):
    hook = books(auth="code")

    def pasted(prompt=""):
        page = re.search(r"http\S+", capsys.readouterr().err)[0]
        return requests.get(page, allow_redirects=False, timeout=5).headers["location"]

    monkeypatch.setattr("builtins.input", pasted)
    assert not hook.test_connection()[0]
    login(Namespace(conn_id=CONN_ID, redirect_uri=BACK, output="json"))
    assert hook.test_connection()[0]
    with pytest.raises(SystemExit):
        login(Namespace(conn_id=CONN_ID, redirect_uri="", output="json"))
