# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import load_settings, origin


def test_without_configuration_everything_lives_under_airflows_home(monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    settings = load_settings()
    assert settings.trail_path == tmp_path / "mlconnector" / "trail.db"
    assert Path(settings.staging) == tmp_path / "mlconnector" / "stage"
    assert settings.allowed_hosts == frozenset()
    assert settings.verify is True


def test_options_come_from_airflows_configuration(monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", "https://A.example/, http://127.0.0.1:8123,")
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__REQUESTS_PER_MINUTE", "120")
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__CA_BUNDLE", "/etc/ca.pem")
    settings = load_settings()
    assert settings.allowed_hosts == {"https://a.example", "http://127.0.0.1:8123"}
    assert settings.requests_per_minute == 120
    assert settings.proxies == {"https": "http://proxy:3128"}
    assert settings.verify == "/etc/ca.pem"


def test_every_system_is_reached_as_the_administrator_decided_and_as_patiently_as_it_needs(monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__READ_TIMEOUT", "120")
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__CA_BUNDLE", "/etc/ca.pem")
    usual, slow = deployed_transport(), deployed_transport(at_least=900.0)
    assert (usual.proxies, usual.verify, usual.read_timeout) == ({"https": "http://proxy:3128"}, "/etc/ca.pem", 120.0)
    assert (slow.read_timeout, deployed_transport(at_least=60.0).read_timeout) == (900.0, 120.0)


def test_the_vault_key_may_come_from_a_command(monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__VAULT_KEY_CMD", "echo from-a-command")
    assert load_settings().vault_key == "from-a-command"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("host.example", "https://host.example"),
        ("HTTPS://Host.Example:443/path?q=1", "https://host.example"),
        ("http://host.example:80", "http://host.example"),
        ("http://host.example:443", "http://host.example:443"),
        ("http://[::1]:8123/x", "http://[::1]:8123"),
    ],
)
def test_an_origin_has_one_spelling(url, expected):
    assert origin(url) == expected
