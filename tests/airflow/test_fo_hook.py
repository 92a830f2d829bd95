# SPDX-License-Identifier: Apache-2.0
"""Connections to Finance & Operations environments."""

import json

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.dynamics_fo import FinanceOperationsHook, connection_of
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.systems.dynamics_fo.connection import DisplayFormat


@pytest.fixture
def fo(home, monkeypatch):
    """Serve an environment and return what defines the connection to it."""
    from airflow.sdk import Connection

    from airflow_provider_mlconnector.demo.sandbox import connections
    from airflow_provider_mlconnector.sandbox.running import serve

    with serve(["dynamics_fo"], scale=0.05) as sandbox:
        monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", sandbox.url)
        made = connections({"url": sandbox.url, **sandbox.info})["dynamics_fo_default"]

        def connect(**changes):
            plain = {name: changes.pop(name) for name in ("host", "login", "password") if name in changes}
            fields = made | plain | {"extra": json.dumps(made["extra"] | changes)}
            connection = Connection(conn_id="dynamics_fo_default", **fields)
            monkeypatch.setenv("AIRFLOW_CONN_DYNAMICS_FO_DEFAULT", connection.as_json())

        connect()
        yield connect


def test_a_good_connection_names_the_legal_entity(fo):
    ok, sentence = FinanceOperationsHook().test_connection()
    assert ok, sentence
    assert "legal entity lark (Larkfield Ltd) found" in sentence


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "hunter2-is-wrong"}, "AADSTS7000215"),
        ({"company": "nope"}, "No legal entity"),
        ({"tenant": ""}, "Entra tenant"),
        ({"host": ""}, "Enter the environment's URL"),
        ({"host": "https://evil.example"}, "allowed_hosts"),
        ({"host": "http://larkfield.operations.dynamics.com"}, "allowed_hosts"),
        ({"host": "https://operations.dynamics.com.evil.example"}, "allowed_hosts"),
        ({"authority": "https://login.evil.example"}, "login address"),
        ({"dimensions": "guess"}, "Allowed: auto"),
        ({"field_map": "SourceKey=RecId"}, "no JSON object"),
    ],
)
def test_a_wrong_connection_says_what_is_wrong(fo, wrong, told):
    fo(**wrong)
    ok, sentence = FinanceOperationsHook().test_connection()
    assert not ok
    assert told in sentence
    assert "hunter2" not in sentence


def test_the_vendors_own_hosts_need_no_permission():
    extra = {
        "tenant": "t",
        "company": "usmf",
        "display_format": "MainAccount, Department",
        "delimiter": "|",
        "lines_set": "OwnLines",
        "field_map": '{"lines.Text": "OwnText", "headers.Ledger": "OwnLedger"}',
    }
    fields = Fields("c", host="contoso.operations.dynamics.com", login="id", password="s", extra=extra)
    connection = connection_of(fields)
    assert connection.root == "https://contoso.operations.dynamics.com/data"
    assert connection.scope == "https://contoso.operations.dynamics.com/.default"
    assert connection.authority_url == "https://login.microsoftonline.com"
    assert connection.display_format == DisplayFormat(("MainAccount", "Department"), "|")
    assert (connection.lines.name, connection.lines.field("Text")) == ("OwnLines", "OwnText")
    assert (connection.headers.name, connection.headers.field("Ledger")) == (
        "GeneralJournalEntryBiEntities",
        "OwnLedger",
    )


def test_a_connection_opens_drafts_under_a_journal_name(fo):
    drafting = FinanceOperationsHook().get_drafting("ANAPLAN", options={"layer": "Operations"})
    assert drafting.problems([]) == []
    drafting.close()


def test_an_option_that_journals_do_not_have_is_refused(fo):
    with pytest.raises(ConfigurationError, match="layer"):
        FinanceOperationsHook().get_drafting("ANAPLAN", options={"layer": "Budget"})
