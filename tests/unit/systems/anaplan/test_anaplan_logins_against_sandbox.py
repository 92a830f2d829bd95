# SPDX-License-Identifier: Apache-2.0
"""Every way to log in, and tokens that end at the wrong moment, against the sandbox."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, SystemClock
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.anaplan.auth import (
    BasicLogin,
    CertificateLogin,
    CertVersion,
    OAuthLogin,
    fingerprint,
)
from airflow_provider_mlconnector.systems.anaplan.client import AnaplanClient
from airflow_provider_mlconnector.systems.anaplan.hosts import custom_hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalBudget, LocalTokenStore
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.oauth import device_grant
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskState
from airflow_provider_mlconnector.systems.anaplan.uploads import MEGABYTE
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.unit.systems.anaplan.sandbox_tasks import started, when, when_over


def test_ping_says_who_we_are(client, info):
    health = client.ping()
    assert health.ok
    assert info.login in health.sentence


def test_ping_with_a_wrong_password_says_what_to_do(make_client, info):
    health = make_client(BasicLogin(info.login, "wrong")).ping()
    assert not health.ok
    assert "Check the login" in health.sentence


def test_a_token_that_is_revoked_in_the_middle_costs_one_login(client, model, control):
    control("DELETE", "/anaplan/tokens")
    assert model.imports()
    assert client.logins == 2


def test_a_token_that_died_costs_one_login(client, model, clock):
    clock.sleep(36 * 60)
    assert model.imports()
    assert client.logins == 2


def test_a_token_near_its_end_is_prolonged(client, model, clock):
    for _ in range(4):
        clock.sleep(32 * 60)
        assert model.imports()
    assert client.logins == 1


@pytest.mark.parametrize("version", [CertVersion.V1, CertVersion.V2, CertVersion.V2_MILLISECONDS])
def test_a_certificate_logs_in_with_every_version(make_client, info, control, version):
    unit = "ms" if version is CertVersion.V2_MILLISECONDS else "s"
    control("POST", "/anaplan/switches", {"cert_format": version.value[:2], "cert_time_unit": unit})
    assert make_client(CertificateLogin(info.certificate_pem, info.private_key_pem, version=version)).ping().ok


@pytest.mark.parametrize("rotatable", [True, False])
def test_a_person_logs_in_on_another_device_and_the_refresh_token_serves_from_then_on(
    make_client, info, hosts, control, clock, rotatable
):
    client_id = info.oauth_rotatable_client_id if rotatable else info.oauth_client_id
    login = OAuthLogin(client_id, rotatable=rotatable)
    store = LocalTokenStore(clock)

    def confirm(prompt):
        control("POST", "/anaplan/devices", {"user_code": prompt.user_code, "decision": "approve"})

    refresh_token = device_grant(LoginService(hosts, Transport(clock=clock)), client_id, confirm)
    store.put_refresh_token(fingerprint(hosts, login), refresh_token)
    client = make_client(login, tokens=store)
    for _ in range(3):
        assert client.ping().ok
        clock.sleep(36 * 60)
    assert client.logins == 3


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_that_is_trusted_is_not():
    with serve(["anaplan"], scale=0.1, tls=True) as secured:
        info = SimpleNamespace(**secured.info["anaplan"])
        hosts = custom_hosts(info.api_url, info.auth_url, info.oauth_url)
        for verify, expected in [(True, "is not trusted"), (secured.ca_file, "Logged in")]:
            client = AnaplanClient(
                hosts,
                BasicLogin(info.login, info.password),
                Transport(verify=verify),
                tokens=LocalTokenStore(),
                budget=LocalBudget(),
            )
            assert expected in client.ping().sentence
            client.close()


# Tokens that end in the middle of something

CHUNKS = 8


def blocks(interruptions):
    """Yield the content of eight chunks; before those that are named something happens."""
    for number in range(CHUNKS):
        interruptions.get(number, lambda: None)()
        yield bytes([65 + number]) * MEGABYTE


@pytest.fixture
def upload(make_client, info, tmp_path):
    """Upload while something happens to the token; return the client, once every byte is seen to be there."""

    def send(interruptions, parallel=4, **options):
        client = make_client(**options)
        model = client.model(client.resolve_model("Finance", "FP&A Hub"))
        file_id = info.file_ids["Load Vendors"]
        assert (
            model.upload_chunks(file_id, blocks(interruptions), chunk_bytes=MEGABYTE, parallel=parallel).chunks
            == CHUNKS
        )
        model.download(file_id, tmp_path / "content")
        assert (tmp_path / "content").read_bytes() == b"".join(blocks({}))
        return client

    return send


@pytest.fixture
def refusals(sandbox):
    """Count the requests that were answered 401 from now on."""

    def counted():
        return sum(request.status == 401 for request in sandbox.world.stats.requests("anaplan"))

    before = counted()
    return lambda: counted() - before


def test_a_token_that_ends_in_mid_upload_is_replaced_before_anaplan_refuses_it(upload, clock, refusals):
    client = upload({5: lambda: clock.sleep(36 * 60)}, parallel=1)
    assert client.logins == 2
    assert refusals() == 0


def test_a_token_that_anaplan_ends_in_mid_upload_costs_one_login_though_four_threads_are_refused(
    upload, sandbox, refusals
):
    """Our clock does not know of it, as when it is slow, or the token was revoked."""
    ours = {"clock": SYSTEM_CLOCK, "tokens": LocalTokenStore(), "budget": LocalBudget()}
    client = upload({5: lambda: sandbox.world.clock.advance(36 * 60)}, **ours)
    assert client.logins == 2
    assert 1 <= refusals() <= 4


def test_tokens_that_are_revoked_again_and_again_lose_no_chunk(upload, control):
    def revoke():
        control("DELETE", "/anaplan/tokens")

    assert upload(dict.fromkeys((2, 4, 6), revoke), parallel=1).logins == 4


def test_a_task_of_three_hours_is_followed_on_one_login_and_prolonged_tokens(client, model, info, clock, control):
    control("POST", "/anaplan/switches", {"task_seconds": 10_800, "longest_task_seconds": 10_800})
    ref = started(model, ActionKind.IMPORT, info.import_ids["Load Vendors"])
    polls = 0
    while not (status := model.task(ref)).state.over:
        clock.sleep(60)
        time.sleep(0.001)
        polls += 1
    assert polls > 150
    assert client.logins == 1
    assert status.state is TaskState.COMPLETE


def test_a_token_that_dies_while_a_task_is_waited_for_costs_one_login_and_the_task_is_followed(
    client, model, info, clock, control
):
    control("POST", "/anaplan/switches", {"task_seconds": 3600, "longest_task_seconds": 3600})
    ref = started(model, ActionKind.IMPORT, info.import_ids["Load Vendors"])
    control("DELETE", "/anaplan/tokens")
    when(model, ref, lambda state: state is TaskState.IN_PROGRESS)
    clock.sleep(3700)
    assert when_over(model, ref).state is TaskState.COMPLETE
    assert client.logins == 3


# Certificates


def by_certificate(info, **options):
    return CertificateLogin(info.certificate_pem, info.private_key_pem, **options)


def test_a_certificate_login_whose_answer_is_lost_is_repeated_with_a_new_proof(make_client, info, control):
    """Anaplan takes a proof but once: the same one sent again would be refused as stolen."""
    control("POST", "/faults", {"kind": "lost_answer", "method": "POST", "path": "/token/authenticate", "times": 2})
    assert make_client(by_certificate(info)).ping().ok


def test_a_certificate_login_survives_a_server_error(make_client, info, control):
    control("POST", "/faults", {"kind": "status", "status": 503, "method": "POST", "path": "/token/authenticate"})
    assert make_client(by_certificate(info)).ping().ok


def test_a_tenant_that_takes_only_v2_refuses_v1_and_the_error_names_the_setting(make_client, info, control):
    control("POST", "/anaplan/switches", {"cert_format": "v2"})
    told = make_client(by_certificate(info, version=CertVersion.V1)).ping()
    assert not told.ok
    assert "certificate_version (now v1)" in told.sentence
    assert make_client(by_certificate(info)).ping().ok


@pytest.mark.parametrize(("minutes", "ok"), [(4, True), (-4, True), (6, False), (-6, False)])
def test_a_machine_whose_clock_is_wrong_is_told_so(make_client, info, sandbox, minutes, ok):
    class WrongClock(SystemClock):
        def now(self):
            return sandbox.world.clock.now() + timedelta(minutes=minutes)

    told = make_client(by_certificate(info), clock=WrongClock()).ping()
    assert told.ok == ok
    assert ok or "this machine's clock" in told.sentence


def test_a_certificate_token_that_ends_in_mid_upload_costs_one_login(upload, clock, info):
    assert upload({4: lambda: clock.sleep(36 * 60)}, login=by_certificate(info)).logins == 2
