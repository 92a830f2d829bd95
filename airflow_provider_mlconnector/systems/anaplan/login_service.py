# SPDX-License-Identifier: Apache-2.0
"""Anaplan's authentication and OAuth services, as requests and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    LostAnswerError,
    MlconnectorError,
    ProtocolError,
    ServerError,
)
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.ports import Token
from airflow_provider_mlconnector.systems.anaplan.wire import json_of, object_of
from airflow_provider_mlconnector.systems.http.failures import error_of_status, said_by
from airflow_provider_mlconnector.systems.http.retry import http_date
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport

if TYPE_CHECKING:
    import requests

LOGIN = "token/authenticate"
PROOF_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)  # before a login by certificate is tried again with a new proof
LIFE = 2100.0  # seconds that a token lives after login or refresh
LEAST_LIFE = 600.0
ANAPLAN_TOKEN = "AnaplanAuthToken"  # noqa: S105  # the name of the scheme
BEARER = "Bearer"
LOGIN_HINT = "Check the login in the connection; passwords expire, and an SSO user has to be an Exception User."
OAUTH_HINT = "Run: airflow mlconnector login"
OAUTH_CODES = frozenset(
    {
        "authorization_pending",
        "slow_down",
        "expired_token",
        "access_denied",
        "invalid_grant",
        "invalid_request",
        "invalid_client",
        "unauthorized_client",
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the OAuth service gives: an access token, and a refresh token unless the old one stays in force."""

    token: Token
    refresh_token: str | None


class LoginService:
    """Logs in, prolongs and refreshes.

    :param before_request: called before every request; it may wait (a budget of requests).
    """

    def __init__(
        self,
        hosts: Hosts,
        transport: Transport = DIRECT,
        *,
        before_request: Callable[[], None] | None = None,
    ) -> None:
        self.clock = transport.clock
        self.logins = 0
        wire = transport.to_login()
        self._auth = HttpSession(hosts.auth, wire, classify=_login_error, before_request=before_request)
        self._oauth = HttpSession(hosts.oauth, wire, classify=_oauth_error, before_request=before_request)

    @property
    def requests_made(self) -> int:
        """Requests sent to both services."""
        return self._auth.requests_made + self._oauth.requests_made

    def authenticate(self, authorization: str, proof: Callable[[], Mapping[str, str]] | None = None) -> Token:
        """Log in with a password or a certificate.

        :param proof: signs the body of one request; called for each, since Anaplan takes a proof but once.
        :raises AuthenticationError: when Anaplan refuses.
        """
        self.logins += 1
        headers = {"Authorization": authorization}
        if proof is None:
            return self._token(self._auth.request("POST", LOGIN, headers=headers, idempotent=True))
        for wait in PROOF_WAITS:
            try:
                return self._token(self._auth.request("POST", LOGIN, json=proof(), headers=headers))
            except (LostAnswerError, ServerError):
                self.clock.sleep(wait)
        return self._token(self._auth.request("POST", LOGIN, json=proof(), headers=headers))

    def refresh(self, token: Token) -> Token:
        """Prolong a token that still lives.

        :raises AuthenticationError: when Anaplan does not know it any more.
        """
        headers = {"Authorization": f"{token.scheme} {token.value}"}
        return self._token(self._auth.request("POST", "token/refresh", headers=headers, idempotent=True))

    def oauth_token(self, form: Mapping[str, str], *, repeatable: bool) -> Grant:
        """Ask the OAuth service for tokens.

        :param repeatable: False for a grant that dies with its first use.
        :raises AuthenticationError: with the service's own code in ``remote_code``.
        """
        self.logins += 1
        body = self._oauth_json("oauth/token", form, repeatable)
        access, refresh, life = body.get("access_token"), body.get("refresh_token"), body.get("expires_in")
        if not isinstance(access, str) or not access:
            raise ProtocolError("Anaplan's OAuth service gave no access token.", path="/oauth/token")
        expires_at = self._end_of_life(float(life) if isinstance(life, (int, float)) else LIFE)
        return Grant(Token(access, expires_at, BEARER), str(refresh) if refresh else None)

    def device_code(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Begin a device grant."""
        return self._oauth_json("oauth/device/code", form, repeatable=True)

    def close(self) -> None:
        """Close the kept connections."""
        self._auth.close()
        self._oauth.close()

    def _oauth_json(self, path: str, form: Mapping[str, str], repeatable: bool) -> Mapping[str, Any]:
        return json_of(self._oauth.request("POST", path, json=dict(form), idempotent=repeatable))

    def _token(self, response: requests.Response) -> Token:
        """Read a token; its life is counted on Anaplan's own clock, which may differ from ours."""
        info = object_of(json_of(response), "tokenInfo")
        value, expires_at = info.get("tokenValue"), info.get("expiresAt")
        if not isinstance(value, str) or not value:
            raise ProtocolError("Anaplan's authentication service gave no token.", path=urlsplit(response.url).path)
        life = LIFE
        if isinstance(expires_at, (int, float)):
            server_time = http_date(response.headers.get("Date")) or self.clock.now()
            life = expires_at / 1000.0 - server_time.timestamp()
        return Token(value, self._end_of_life(life), ANAPLAN_TOKEN)

    def _end_of_life(self, life: float) -> datetime:
        """Return when a token of that many seconds ends; a senseless figure must not make every call log in."""
        return self.clock.now() + timedelta(seconds=min(LIFE, max(LEAST_LIFE, life)))


def _login_error(response: requests.Response) -> MlconnectorError:
    error = error_of_status(response)
    if isinstance(error, AuthenticationError):
        error.hint = LOGIN_HINT
    return error


def _oauth_error(response: requests.Response) -> MlconnectorError:
    """Go by the code in the body: the service's status codes for one and the same refusal differ."""
    code, said = said_by(response)
    if code not in OAUTH_CODES:
        return error_of_status(response)
    path = urlsplit(response.url).path
    message = f"Anaplan's OAuth service refused with {code}{': ' + said if said else ''}."
    return AuthenticationError(message, hint=OAUTH_HINT, status=response.status_code, path=path, remote_code=code)
