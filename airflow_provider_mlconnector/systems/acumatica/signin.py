# SPDX-License-Identifier: Apache-2.0
"""Signing in and out: one session at a time, opened when it is needed, given back whatever happened.

A session is a seat of the license. A refused login waits for a seat for some minutes; a wrong password is never tried
twice, since that locks the user.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    ConfigurationError,
    MlconnectorError,
    ProtocolError,
)
from airflow_provider_mlconnector.systems.acumatica.answers import classify
from airflow_provider_mlconnector.systems.acumatica.connection import (
    OFFLINE,
    AcumaticaConnection,
    CodeGrant,
    CookieLogin,
    PasswordGrant,
)
from airflow_provider_mlconnector.systems.http.entra import require_tls
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.tokens import Token, TokenStore
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport

LOGIN_PATH = "entity/auth/login"
LOGOUT_PATH = "entity/auth/logout"
AUTHORIZE_PATH = "identity/connect/authorize"
TOKEN_PATH = "identity/connect/token"  # noqa: S105 - an address
EARLY = 60.0
"""Seconds before its end at which an access token is replaced."""

SEAT_WAIT = 30.0
"""Seconds between two tries for a seat; an idle session is closed by the server after ten minutes."""

log = logging.getLogger(__name__)


def patient(policy: RetryPolicy) -> RetryPolicy:
    """Return a policy for signing in: 429 means that no seat is free, which takes longer than too many requests."""
    return replace(policy, throttle_wait=max(SEAT_WAIT, policy.throttle_wait))


class SignIn(Protocol):
    """Credentials of requests, and the session behind them."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a request, signing in if need be."""

    def reject(self, headers: Mapping[str, str]) -> None:
        """Forget the credentials that a 401 refused, unless they were replaced already."""

    def sign_out(self) -> None:
        """Give the seat back; a failure to do so is logged, as the work is done by then."""


class CookieSignIn:
    """The legacy login with its cookies."""

    def __init__(self, http: HttpSession, connection: AcumaticaConnection, login: CookieLogin) -> None:
        self._http = http
        self._form = {"name": login.name, "password": login.password, "tenant": connection.tenant}
        if connection.branch:
            self._form["branch"] = connection.branch
        self._lock = threading.Lock()
        self._cookies = ""

    def headers(self) -> Mapping[str, str]:
        """Return the cookies of the session."""
        with self._lock:
            if not self._cookies:
                response = self._http.request("POST", LOGIN_PATH, json=self._form, idempotent=True)
                self._cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in response.cookies)
                if not self._cookies:
                    raise ProtocolError("The login was answered without cookies.", path=f"/{LOGIN_PATH}")
            return {"Cookie": self._cookies}

    def reject(self, headers: Mapping[str, str]) -> None:
        """Forget the cookies of a session that is over."""
        with self._lock:
            if headers.get("Cookie") == self._cookies:
                self._cookies = ""

    def sign_out(self) -> None:
        """Log out."""
        with self._lock:
            if self._cookies:
                _log_out(self._http, {"Cookie": self._cookies})
                self._cookies = ""


class PasswordSignIn:
    """OAuth 2.0 by user name and password; refreshed where the server gave a refresh token."""

    def __init__(self, http: HttpSession, login: PasswordGrant, clock: Clock) -> None:
        self._http = http
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refresher = ""

    def headers(self) -> Mapping[str, str]:
        """Return the bearer token, replaced a little before its end."""
        with self._lock:
            early = self._clock.now() + timedelta(seconds=EARLY)
            if self._token is None or self._token.expires_at <= early:
                self._token, self._refresher = self._fresh()
            return _bearer(self._token)

    def reject(self, headers: Mapping[str, str]) -> None:
        """Forget a token that was refused."""
        with self._lock:
            if self._token is not None and headers == _bearer(self._token):
                self._token = None

    def sign_out(self) -> None:
        """Give the seat back; that of an offline grant is not ours to close, as its next token goes on with it."""
        with self._lock:
            if self._token is not None and OFFLINE not in self._login.scopes.split():
                _log_out(self._http, _bearer(self._token))
            self._token = None

    def _fresh(self) -> tuple[Token, str]:
        application = {"client_id": self._login.client_id, "client_secret": self._login.client_secret}
        if self._refresher:
            try:
                return _token(self._http, {**_refreshing(self._refresher), **application}, self._clock)
            except AuthenticationError:
                log.info("The refresh token is not good any more; logging in with the password.")
        user = {"username": self._login.name, "password": self._login.password, "scope": self._login.scopes}
        return _token(self._http, {"grant_type": "password", **user, **application}, self._clock)


class SharedSignIn:
    """OAuth 2.0 by a user who agreed in a browser: one token for the whole deployment, and its refresh token."""

    def __init__(
        self, http: HttpSession, connection: AcumaticaConnection, login: CodeGrant, tokens: TokenStore, clock: Clock
    ) -> None:
        self._http = http
        self._login = login
        self._tokens = tokens
        self._clock = clock
        self._key = fingerprint(connection.base_url, login)

    def headers(self) -> Mapping[str, str]:
        """Return the deployment's bearer token."""
        return _bearer(self._tokens.token(self._key, fresh=self._fresh, early=EARLY))

    def reject(self, headers: Mapping[str, str]) -> None:
        """Forget a token that was refused."""
        self._tokens.reject(self._key, headers.get("Authorization", "").partition(" ")[2])

    def sign_out(self) -> None:
        """Leave the session of the grant alone: other tasks work in it."""

    def _fresh(self, _: Token | None, refresher: str | None) -> tuple[Token, str | None]:
        if refresher is None:
            raise AuthenticationError(
                "Nobody has agreed yet that this deployment reads the books.", hint="Run: airflow mlconnector login"
            )
        application = {"client_id": self._login.client_id, "client_secret": self._login.client_secret}
        return _token(self._http, {**_refreshing(refresher), **application}, self._clock)


def sign_in_of(http: HttpSession, connection: AcumaticaConnection, clock: Clock, tokens: TokenStore | None) -> SignIn:
    """Return how a connection signs in.

    :param tokens: keeps the refresh token of a code grant; no other login needs it.
    """
    login = connection.login
    if isinstance(login, CookieLogin):
        return CookieSignIn(http, connection, login)
    if isinstance(login, PasswordGrant):
        return PasswordSignIn(http, login, clock)
    if tokens is None:
        raise AuthenticationError("There is no token store for the refresh token of this login.")
    return SharedSignIn(http, connection, login, tokens, clock)


def fingerprint(base_url: str, login: CodeGrant) -> str:
    """Return the key of a login in the token store."""
    text = f"acumatica\n{base_url.rstrip('/')}\n{login.client_id}"
    return hashlib.sha256(text.encode()).hexdigest()


def authorization_url(connection: AcumaticaConnection, redirect_uri: str, state: str) -> str:
    """Return the page where a user agrees that the connected application reads the books."""
    query = {
        "response_type": "code",
        "client_id": _code_grant(connection).client_id,
        "redirect_uri": redirect_uri,
        "scope": f"api {OFFLINE}",
        "state": state,
    }
    return f"{connection.base_url.rstrip('/')}/{AUTHORIZE_PATH}?{urlencode(query)}"


def store_consent(
    connection: AcumaticaConnection,
    code: str,
    redirect_uri: str,
    tokens: TokenStore,
    transport: Transport = DIRECT,
) -> None:
    """Turn the code that the site sent to ``redirect_uri`` into a refresh token, and store it.

    :raises AuthenticationError: when the site refuses it.
    :raises ProtocolError: when it gives no refresh token.
    """
    login = _code_grant(connection)
    door = HttpSession(require_tls(connection.base_url), transport, classify=classify)
    try:
        refresher = redeem_code(door, login, code, redirect_uri, transport.clock)
    finally:
        door.close()
    tokens.put_refresh_token(fingerprint(connection.base_url, login), refresher)


def _code_grant(connection: AcumaticaConnection) -> CodeGrant:
    if not isinstance(connection.login, CodeGrant):
        raise ConfigurationError("The connection does not sign in by a user's consent.", hint="Set its auth to code.")
    return connection.login


def redeem_code(http: HttpSession, login: CodeGrant, code: str, redirect_uri: str, clock: Clock) -> str:
    """Turn the code that the site sent to ``redirect_uri`` into a refresh token; a code works once.

    :raises AuthenticationError: when the site refuses it.
    :raises ProtocolError: when it gives no refresh token.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": login.client_id,
        "client_secret": login.client_secret,
    }
    _, refresher = _token(http, form, clock)
    if not refresher:
        raise ProtocolError(
            "The site gave no refresh token.", hint="The connected application must allow the scope offline_access."
        )
    return refresher


def _refreshing(refresher: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": refresher}


def _token(http: HttpSession, form: Mapping[str, str], clock: Clock) -> tuple[Token, str]:
    """Ask for a token; a spent code or refresh token cannot be sent twice."""
    repeatable = form["grant_type"] == "password"
    told: Any = http.request("POST", TOKEN_PATH, data=form, idempotent=repeatable).json()
    if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
        raise ProtocolError("The token endpoint gave no access token.", path=f"/{TOKEN_PATH}")
    expires = clock.now() + timedelta(seconds=float(told.get("expires_in") or 3600))
    return Token(told["access_token"], expires, "Bearer"), str(
        told.get("refresh_token") or form.get("refresh_token", "")
    )


def _bearer(token: Token) -> dict[str, str]:
    return {"Authorization": f"{token.scheme} {token.value}"}


def _log_out(http: HttpSession, headers: Mapping[str, str]) -> None:
    try:
        http.request("POST", LOGOUT_PATH, headers=headers, data=b"", idempotent=False)
    except AuthenticationError:
        log.debug("The session was over already.")
    except MlconnectorError as error:
        log.warning("The session was not closed, and keeps its seat until it has been idle for some minutes: %s", error)
