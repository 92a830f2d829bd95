# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector login``: a person grants access, once."""

import re
from functools import partial
from urllib.parse import urlencode

import pytest
import requests

from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook


@pytest.fixture
def quick(site, monkeypatch):
    """Let no time pass between two looks at whether the person has confirmed."""
    from airflow_provider_mlconnector.cli import login

    monkeypatch.setattr(login, "deployed_transport", partial(login.deployed_transport, site.clock))
    return site


@pytest.fixture
def person(quick, monkeypatch):
    """Let a person decide about the code as soon as it is shown."""
    from airflow_provider_mlconnector.cli import login

    show = login._show

    def decides(decision):
        def shown(prompt):
            show(prompt)
            quick.control("anaplan/devices", {"user_code": prompt.user_code, "decision": decision})

        monkeypatch.setattr(login, "_show", shown)

    return decides


def test_a_device_is_confirmed_and_its_refresh_token_kept(quick, airflow, person):
    quick.connect_anaplan(login=quick.info["anaplan"]["oauth_rotatable_client_id"], password="", auth="oauth")
    person("approve")
    said = airflow("login", "--output", "json")
    assert said.status == 0
    assert said.rows[0]["ok"]
    assert "confirm the code" in said.err
    assert AnaplanHook().test_connection()[0]


def test_a_person_who_refuses_ends_the_command(quick, airflow, person):
    quick.connect_anaplan(login=quick.info["anaplan"]["oauth_rotatable_client_id"], password="", auth="oauth")
    person("deny")
    said = airflow("login")
    assert said.status == 1
    assert "MLC-NET-03" in said.err
    assert not AnaplanHook().test_connection()[0]


def test_a_code_that_nobody_confirms_expires(quick, airflow, monkeypatch):
    from airflow_provider_mlconnector.cli import login

    quick.connect_anaplan(login=quick.info["anaplan"]["oauth_client_id"], password="", auth="oauth", rotatable=False)
    monkeypatch.setattr(login, "_show", lambda prompt: quick.world.clock.advance(prompt.expires_in + 1))
    said = airflow("login")
    assert said.status == 1
    assert "not confirmed in time" in said.err


@pytest.fixture
def browser(quick, capsys, monkeypatch):
    """Let a person follow the address on the screen, log in, and paste the address that the browser ends at."""
    told = quick.info["anaplan"]
    quick.connect_anaplan(
        login=told["oauth_code_client_id"], password=told["oauth_code_client_secret"], auth="oauth", rotatable=False
    )

    def answers(change=lambda address: address):
        def pasted(prompt=""):
            address = re.search(r"http\S+", capsys.readouterr().err)[0]
            return change(requests.get(address, allow_redirects=False, timeout=5).headers["location"])

        monkeypatch.setattr("builtins.input", pasted)

    return answers


def test_a_code_from_the_browser_becomes_a_refresh_token(quick, airflow, browser, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")  # however narrow the screen, the address stays one line
    browser()
    said = airflow("login", "--redirect-uri", quick.info["anaplan"]["oauth_redirect_uri"], "--output", "json")
    assert said.status == 0, said.err
    assert said.rows[0]["ok"]
    assert AnaplanHook().test_connection()[0]


def test_an_address_of_another_login_is_refused(quick, airflow, browser):
    browser(lambda address: address.split("?")[0] + "?" + urlencode({"code": "c", "state": "somebody else's"}))
    said = airflow("login", "--redirect-uri", quick.info["anaplan"]["oauth_redirect_uri"])
    assert said.status == 1
    assert "not the address of this login" in said.err


def test_a_connection_with_a_password_needs_no_login(quick, airflow):
    said = airflow("login")
    assert said.status == 1
    assert "does not log in by OAuth" in said.err
