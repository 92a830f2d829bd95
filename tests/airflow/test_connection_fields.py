# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
from enum import StrEnum

import pytest
from airflow.sdk import Connection

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.fields import Fields


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.fixture
def stored(monkeypatch):
    def store(**fields):
        monkeypatch.setenv("AIRFLOW_CONN_SOME", Connection(conn_id="some", conn_type="anaplan", **fields).as_json())
        return Fields.read("some")

    return store


def test_fields_are_read_by_name(stored):
    fields = stored(login=" anna ", password="p w", extra='{"region": " eu1 ", "rotatable": false}')
    assert (fields.login, fields.secret, fields.text("region")) == ("anna", "p w", "eu1")
    assert fields.flag("rotatable", default=True) is False


def test_a_trigger_reads_the_same_fields(stored):
    fields = stored(login="anna", password="p", extra='{"region": "eu1"}')
    assert asyncio.run(Fields.aread("some")) == fields


def test_the_forms_mask_in_place_of_a_secret_is_refused(stored):
    with pytest.raises(ConfigurationError, match="mask in place of the secret"):
        _ = stored(password="***").secret
    with pytest.raises(ConfigurationError, match="private_key"):
        stored(extra='{"private_key": "***"}').pem("private_key", "private key")


def test_an_empty_needed_field_names_its_label(stored):
    with pytest.raises(ConfigurationError, match="'some' has no user"):
        stored(password="x").needed("login", "user")


def test_a_wrong_choice_lists_the_allowed_ones(stored):
    with pytest.raises(ConfigurationError, match="Allowed: red, blue"):
        stored(extra='{"colour": "green"}').choice("colour", Colour, Colour.RED)
    assert stored().choice("colour", Colour, Colour.BLUE) is Colour.BLUE


@pytest.mark.parametrize("flattened", ["\n", " ", "\\n"], ids=["kept", "blanks", "backslash-n"])
def test_a_pem_text_survives_a_one_line_form_field(stored, flattened):
    body = "A" * 64 + flattened + "B" * 10
    text = f"-----BEGIN PRIVATE KEY-----{flattened}{body}{flattened}-----END PRIVATE KEY-----"
    pem = stored(extra=json.dumps({"private_key": text})).pem("private_key", "private key")
    assert pem == "-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n" + "B" * 10 + "\n-----END PRIVATE KEY-----\n"


def test_text_that_is_no_pem_is_refused(stored):
    with pytest.raises(ConfigurationError, match="no PEM text as certificate"):
        stored(extra='{"certificate": "/etc/passwd"}').pem("certificate", "certificate")


@pytest.mark.parametrize(
    ("host", "port", "origin"),
    [
        ("https://Anaplan.example.com/", None, "https://anaplan.example.com"),
        ("anaplan.example.com", 8443, "https://anaplan.example.com:8443"),
        ("http://127.0.0.1:8123", None, "http://127.0.0.1:8123"),
        ("http://127.0.0.1:8123", 8123, "http://127.0.0.1:8123"),
        ("https://anaplan.example.com:443", None, "https://anaplan.example.com"),
    ],
)
def test_an_own_host_is_an_origin(stored, host, port, origin):
    assert stored(host=host, port=port).origin({origin}) == origin


def test_an_own_host_must_be_allowed(stored):
    with pytest.raises(ConfigurationError, match=r"add https://evil\.example to"):
        stored(host="https://evil.example").origin({"https://anaplan.example.com"})


def test_fields_do_not_show_secrets_in_their_text(stored):
    shown = repr(stored(login="anna", password="hunter2", extra='{"private_key": "hunter3"}'))
    assert "hunter" not in shown
