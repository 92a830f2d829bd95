# SPDX-License-Identifier: Apache-2.0
from contextlib import closing

import pytest

from airflow_provider_mlconnector.errors import CapabilityError, ConfigurationError, TrailError, VaultError
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.hooks.business_central import BusinessCentralHook
from airflow_provider_mlconnector.hooks.ledger import LedgerHook
from airflow_provider_mlconnector.hooks.trail import TrailHook
from airflow_provider_mlconnector.systems.drafting import DraftState
from tests.unit.systems.business_central.drafts.desk import journal


def test_a_good_anaplan_connection_says_who_is_logged_in(site):
    ok, sentence = AnaplanHook().test_connection()
    assert ok
    assert site.info["anaplan"]["login"] in sentence


def test_a_wrong_password_is_a_sentence_without_the_password(site):
    site.connect_anaplan(password="hunter2-is-wrong")
    ok, sentence = AnaplanHook().test_connection()
    assert not ok
    assert "hunter2" not in sentence
    assert len(sentence) <= 2000


def test_a_certificate_logs_in_from_a_one_line_form_field(site):
    anaplan = site.info["anaplan"]
    flat = {name: anaplan[f"{name}_pem"].replace("\n", " ") for name in ("certificate", "private_key")}
    site.connect_anaplan(login="", password="", auth="certificate", **flat)
    assert AnaplanHook().test_connection()[0]


def test_oauth_asks_for_a_person_until_one_has_logged_in(site):
    site.connect_anaplan(login=site.info["anaplan"]["oauth_client_id"], password="", auth="oauth", rotatable=False)
    ok, sentence = AnaplanHook().test_connection()
    assert not ok
    assert "airflow mlconnector login" in sentence


def test_a_host_that_nobody_allowed_gets_no_password(site, monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", "https://other.example")
    for hook in (AnaplanHook(), BusinessCentralHook()):
        ok, sentence = hook.test_connection()
        assert not ok
        assert "allowed_hosts" in sentence
    assert site.world.stats.count("anaplan") == 0


def test_a_region_has_its_own_hosts_whatever_the_host_field_says(site):
    from airflow_provider_mlconnector.hooks.anaplan import hosts_of

    site.connect_anaplan(region="eu3", host="https://evil.example")
    assert hosts_of(AnaplanHook().fields).api == "https://eu3.api.anaplan.com/2/0"


def test_without_a_key_no_token_is_stored(site, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    with pytest.raises(VaultError, match="fernet_key"):
        AnaplanHook().get_client()


def test_the_vault_may_have_a_key_of_its_own(site, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__VAULT_KEY", "iQv2Vh9w1qAlr9GgD4YJ0m3m5bWq8cG0fYj8m0kQn2A=")
    assert AnaplanHook().test_connection()[0]


def test_two_clients_of_a_deployment_share_one_login(site):
    first, second = AnaplanHook().get_client(), AnaplanHook().get_client()
    first.workspaces()
    second.workspaces()
    assert first.logins + second.logins == 1


def test_a_model_is_found_by_names(site):
    model = AnaplanHook().get_model("Finance", "FP&A Hub")
    assert model.ref.model_id == site.info["anaplan"]["model_id"]


def test_a_good_business_central_connection_names_the_company(site):
    ok, sentence = BusinessCentralHook().test_connection()
    assert ok
    assert site.info["business_central"]["company"] in sentence


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "hunter2-is-wrong"}, "secret"),
        ({"company": "Nobody Ltd"}, "Nobody Ltd"),
        ({"tenant": ""}, "Entra tenant"),
        ({"password": "***"}, "mask"),
        ({"source": "v3"}, "Allowed: auto"),
    ],
    ids=["secret", "company", "no tenant", "mask", "source"],
)
def test_a_wrong_business_central_connection_says_what_is_wrong(site, wrong, told):
    site.connect_business_central(**wrong)
    ok, sentence = BusinessCentralHook().test_connection()
    assert not ok
    assert told in sentence
    assert "hunter2" not in sentence


def test_a_batch_is_named_with_its_template(site):
    wanted = journal()
    for name, options, told in (
        ("ANAPLAN", {}, []),
        ("NOBODYS", {}, ["NOBODYS"]),
        ("ANAPLAN", {"template": "ASSETS"}, ["ANAPLAN of template ASSETS"]),
    ):
        with closing(BusinessCentralHook().get_drafting(name, "", options)) as drafting:
            assert drafting.find(wanted).state is DraftState.MISSING
            assert [problem.subject for problem in drafting.problems([wanted])] == told


def test_a_lost_request_is_waited_for_as_long_as_this_deployment_waits_for_an_answer(site, monkeypatch):
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__READ_TIMEOUT", "900")
    with closing(BusinessCentralHook().get_drafting("ANAPLAN")) as drafting:
        assert 900 < drafting.settle < 950


def test_a_ledger_that_takes_no_drafts_says_so():
    class Bare(LedgerHook):
        conn_name_attr = "bare_conn_id"
        hook_name = "A bare ledger"

        def get_erp(self, company="", period_of=None):
            raise NotImplementedError

    with pytest.raises(CapabilityError, match="A bare ledger takes no drafts"):
        Bare().get_drafting("ANAPLAN")


def test_a_trail_that_was_never_set_up_says_how(home):
    with pytest.raises(TrailError, match="airflow mlconnector setup"):
        TrailHook().get_conn()
    assert not (home / "mlconnector" / "trail.db").exists()


def test_a_trail_without_tables_is_refused(home):
    import sqlite3

    (home / "mlconnector").mkdir()
    sqlite3.connect(home / "mlconnector" / "trail.db").execute("CREATE TABLE other (x)").connection.close()
    with pytest.raises(TrailError, match="airflow mlconnector db upgrade"):
        TrailHook().get_conn()
    assert TrailHook().test_connection()[0] is False


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        (
            "mlconnector-trail://me:p%40ss@db.example:5433/closes?sslmode=require",
            "postgresql+psycopg2://me:p%40ss@db.example:5433/closes?sslmode=require",
        ),
        ("postgresql://me@db.example/closes", "postgresql+psycopg2://me:@db.example/closes"),
        ("postgres://me@db.example", "postgresql+psycopg2://me:@db.example/mlconnector"),
    ],
)
def test_the_trail_may_live_in_postgresql(home, monkeypatch, uri, url):
    monkeypatch.setenv("AIRFLOW_CONN_MLCONNECTOR_TRAIL", uri)
    assert TrailHook().get_url() == url


def test_the_trail_lives_in_no_other_database(home, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MLCONNECTOR_TRAIL", "mysql://me@db.example/closes")
    with pytest.raises(ConfigurationError, match="is of type mysql"):
        TrailHook().get_url()
