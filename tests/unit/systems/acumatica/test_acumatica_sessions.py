# SPDX-License-Identifier: Apache-2.0
"""Signing in and out: one seat, given back whatever happens; the license's refusals and a wrong password told apart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK
from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    RateLimitedError,
    SeatLimitError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.acumatica.answers import classify
from airflow_provider_mlconnector.systems.acumatica.connection import CodeGrant, CookieLogin
from airflow_provider_mlconnector.systems.acumatica.signin import fingerprint, redeem_code, sign_in_of
from airflow_provider_mlconnector.systems.anaplan.local import LocalTokenStore
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.port import Scope
from tests.clocks import QuickClock
from tests.unit.systems.acumatica.conftest import rows_of
from tests.unit.systems.acumatica.opening import connect, cookie_login, open_company, password_grant

IMPATIENT = RetryPolicy(patience=20.0, uniform=lambda low, high: high)
BACK = "http://127.0.0.1/back"


def logins(sandbox) -> int:
    return sandbox.world.stats.count("acumatica", method="POST", path="auth/login$|connect/token$")


@pytest.mark.parametrize("login", [cookie_login, password_grant])
def test_one_session_serves_all_reads_and_is_given_back(sandbox, control, login):
    erp = open_company(control, login=login(control))
    for dataset in (Dataset.ACCOUNTS, Dataset.VENDORS, Dataset.EMPLOYEES):
        assert rows_of(erp, dataset)[0]
    assert (control.sessions(), logins(sandbox)) == (1, 1)
    erp.close()
    assert control.sessions() == 0


def test_the_session_is_given_back_after_a_failure(control, opened):
    erp = opened()
    control.answer("forbidden", of="/Vendor", times=9)
    with pytest.raises(Exception, match="403"):
        rows_of(erp, Dataset.VENDORS)
    erp.close()
    assert control.sessions() == 0


def test_a_connection_that_was_never_used_takes_no_seat(control):
    open_company(control).close()
    assert control.call("GET", "/stats").get("acumatica", {}).get("logins", 0) == 0


def test_a_logout_that_fails_is_told_and_does_not_fail_the_task(control, caplog):
    erp = open_company(control)
    rows_of(erp, Dataset.VENDORS)
    control.fault("status", "auth/logout", status=500, times=1)
    erp.close()
    assert "keeps its seat" in caplog.text


def test_a_session_that_was_ended_in_the_midst_of_a_read_is_opened_again(sandbox, control, opened):
    erp = opened(page_size=20)
    period = sandbox.world.books.period("FY2027-P04")
    whole, _ = rows_of(erp, Dataset.JOURNAL_LINES, Scope(period))
    batches = erp.read(Dataset.JOURNAL_LINES, Scope(period)).batches
    got = next(batches).num_rows
    control.call("DELETE", "/acumatica/sessions")
    assert got + sum(batch.num_rows for batch in batches) == len(whole)
    assert control.sessions() == 1


def test_a_session_that_nobody_used_for_ten_minutes_is_opened_again(sandbox, control, opened):
    erp = opened()
    rows_of(erp, Dataset.VENDORS)
    sandbox.world.clock.advance(601)
    assert rows_of(erp, Dataset.VENDORS)[0]


@pytest.mark.parametrize(
    "login",
    [cookie_login, password_grant, partial(password_grant, scopes="api offline_access")],
    ids=["cookies", "token", "token that is refreshed"],
)
def test_threads_that_meet_an_ended_login_renew_it_once(sandbox, control, login):
    told = control.info["acumatica"]
    door = HttpSession(told["base_url"], classify=classify)
    sign_in = sign_in_of(door, connect(control, login=login(control)), SYSTEM_CLOCK, None)
    session = HttpSession(
        told["base_url"], authorize=sign_in.headers, on_unauthorized=sign_in.reject, classify=classify
    )
    path = f"entity/{told['endpoint']}/{told['version']}/Vendor"
    session.request("GET", path)
    control.call("DELETE", "/acumatica/sessions")
    control.call("DELETE", "/acumatica/tokens")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: session.request("GET", path).status_code, range(6)))
    assert answers == [200] * 6
    assert logins(sandbox) == 2
    sign_in.sign_out()


@pytest.mark.parametrize("shape", ["json", "text", "html"])
def test_a_taken_seat_is_waited_for_in_whatever_shape_the_refusal_comes(control, opened, shape):
    control.turn(seats=1, refusal=shape)
    control.call("POST", "/acumatica/sessions")
    assert rows_of(opened(), Dataset.VENDORS)[0], "the other session was left idle long enough"


@pytest.mark.parametrize(
    ("login", "shape"),
    [
        (cookie_login, "json"),
        (cookie_login, "text"),
        (cookie_login, "html"),
        (password_grant, "json"),
        (password_grant, "html"),  # a bare 429 of a request says no more than that there were too many
    ],
)
def test_a_seat_that_stays_taken_is_an_error_of_its_own(control, opened, shape, login):
    control.turn(seats=1, refusal=shape, idle_seconds=1e6)
    control.call("POST", "/acumatica/sessions")
    erp = opened(retry=IMPATIENT, login=login(control))
    with pytest.raises(SeatLimitError, match="All sessions that the license allows are taken"):
        rows_of(erp, Dataset.VENDORS)


@pytest.mark.parametrize("shape", ["throttled_json", "throttled_text", "throttled_html"])
def test_too_many_requests_are_waited_out_and_are_no_taken_seat(control, opened, shape):
    erp = opened()
    control.answer(shape, of="/Vendor", times=2)
    assert rows_of(erp, Dataset.VENDORS)[0]
    control.answer(shape, of="/Vendor", times=99)
    with pytest.raises(RateLimitedError) as caught:
        rows_of(opened(retry=IMPATIENT), Dataset.VENDORS)
    assert not isinstance(caught.value, SeatLimitError)


def test_a_wrong_password_is_tried_once_and_no_more(sandbox, control, opened):
    for login in (cookie_login(control, "wrong"), password_grant(control, password="wrong")):
        before = logins(sandbox)
        with pytest.raises(AuthenticationError, match=r"Invalid credentials|invalid_grant|400") as caught:
            rows_of(opened(login=login), Dataset.VENDORS)
        assert logins(sandbox) == before + 1
        assert "wrong" not in str(caught.value)


def test_a_locked_user_is_an_authentication_error(control, opened):
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            rows_of(opened(login=cookie_login(control, "wrong")), Dataset.VENDORS)
    with pytest.raises(AuthenticationError, match="locked out"):
        rows_of(opened(), Dataset.VENDORS)


def test_an_unknown_tenant_is_named_as_such(opened):
    with pytest.raises(UnknownNameError, match="no such tenant"):
        rows_of(opened(tenant="Nowhere"), Dataset.VENDORS)


def test_an_application_of_another_flow_is_told_from_a_wrong_secret(control, opened):
    with pytest.raises(AuthenticationError, match="SM303010"):
        rows_of(opened(login=password_grant(control, client_secret="wrong")), Dataset.VENDORS)
    with pytest.raises(AuthenticationError, match="offline_access"):
        rows_of(opened(login=password_grant(control, scopes="everything")), Dataset.VENDORS)


@pytest.mark.parametrize("scopes", ["api", "api offline_access"])
def test_a_token_is_replaced_a_little_before_its_end(sandbox, control, opened, scopes):
    erp = opened(login=password_grant(control, scopes=scopes))
    rows_of(erp, Dataset.VENDORS)
    sandbox.world.clock.advance(3550)
    rows_of(erp, Dataset.VENDORS)
    refused = [request for request in sandbox.world.stats.requests("acumatica") if request.status == 401]
    assert (logins(sandbox), refused) == (2, [])


def test_a_revoked_token_is_replaced_and_the_request_repeated(sandbox, control, opened):
    erp = opened(login=password_grant(control, scopes="api offline_access"))
    before, _ = rows_of(erp, Dataset.VENDORS)
    control.call("DELETE", "/acumatica/tokens")
    assert rows_of(erp, Dataset.VENDORS)[0] == before
    assert logins(sandbox) == 2


def test_the_session_of_an_offline_grant_is_left_to_its_next_token(control, opened):
    erp = opened(login=password_grant(control, scopes="api offline_access"))
    rows_of(erp, Dataset.VENDORS)
    erp.close()
    assert control.sessions() == 1


def test_a_user_agrees_once_and_the_refresh_token_lives_on_in_the_store(sandbox, control, opened):
    told = control.info["acumatica"]
    login = CodeGrant(told["client_id"], told["client_secret"])
    store, clock = LocalTokenStore(QuickClock(sandbox.world)), QuickClock(sandbox.world)
    key = fingerprint(told["base_url"], login)
    with pytest.raises(AuthenticationError, match="airflow mlconnector login"):
        rows_of(opened(login=login, tokens=store), Dataset.VENDORS)
    asked = {"client_id": login.client_id, "redirect_uri": BACK, "scope": "api offline_access", "response_type": "code"}
    page = f"{told['base_url']}/identity/connect/authorize"
    sent_to = requests.get(page, params=asked, allow_redirects=False, timeout=5).headers["Location"]
    code = parse_qs(urlsplit(sent_to).query)["code"][0]
    door = HttpSession(told["base_url"], classify=classify)
    store.put_refresh_token(key, redeem_code(door, login, code, BACK, clock))
    assert rows_of(opened(login=login, tokens=store), Dataset.VENDORS)[0]
    sandbox.world.clock.advance(3600)
    assert rows_of(opened(login=login, tokens=store), Dataset.VENDORS)[0], "the refresh token was rotated"
    with pytest.raises(AuthenticationError):
        redeem_code(door, login, code, BACK, clock)


def test_a_code_without_offline_access_is_refused_with_what_to_do(sandbox, control):
    told = control.info["acumatica"]
    login = CodeGrant(told["client_id"], told["client_secret"])
    asked = {"client_id": login.client_id, "redirect_uri": BACK, "scope": "api", "response_type": "code"}
    page = f"{told['base_url']}/identity/connect/authorize"
    sent_to = requests.get(page, params=asked, allow_redirects=False, timeout=5).headers["Location"]
    code = parse_qs(urlsplit(sent_to).query)["code"][0]
    door = HttpSession(told["base_url"], classify=classify)
    with pytest.raises(Exception, match="offline_access"):
        redeem_code(door, login, code, BACK, QuickClock(sandbox.world))


def test_secrets_show_in_no_text(control):
    login = password_grant(control)
    secrets = (login.password, login.client_secret)
    connection = connect(control, login=login)
    assert not any(secret in repr(connection) for secret in secrets)
    assert not any(secret in repr(replace(connection, login=CookieLogin("a", login.password))) for secret in secrets)


def test_credentials_are_sent_over_https_only(control):
    with pytest.raises(ConfigurationError, match="https"):
        open_company(control, base_url="http://erp.example.com/AcumaticaERP")


def test_an_invalid_record_is_told_with_the_errors_beside_its_values(control, opened):
    control.answer("invalid", of="/Vendor")
    with pytest.raises(BadRequestError, match="raised at least one error"):
        rows_of(opened(), Dataset.VENDORS)
