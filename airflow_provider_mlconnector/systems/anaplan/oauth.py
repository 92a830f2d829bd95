# SPDX-License-Identifier: Apache-2.0
"""How a person gets the first refresh token: by a code on another device, or by an address to come back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from airflow_provider_mlconnector.errors import AuthenticationError, DeadlineError, ProtocolError
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.login_service import Grant, LoginService

SCOPE = "openid profile email offline_access"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SLOW_DOWN = 5.0  # seconds to add when the service says so (RFC 8628 §3.5)


@dataclass(frozen=True, slots=True)
class DevicePrompt:
    """What to show to the person: open ``url`` and confirm ``user_code`` within ``expires_in`` seconds."""

    url: str
    user_code: str
    expires_in: float
    interval: float
    device_code: str = field(repr=False)


def device_grant(service: LoginService, client_id: str, show: Callable[[DevicePrompt], None]) -> str:
    """Get a refresh token through the device grant, waiting while the person logs in elsewhere.

    :param show: tells the person what to do; called once.
    :raises AuthenticationError: when the person or Anaplan refuses.
    :raises DeadlineError: when the code has expired.
    """
    prompt = _prompt(service.device_code({"client_id": client_id, "scope": SCOPE}))
    show(prompt)
    form = {"grant_type": DEVICE_GRANT, "device_code": prompt.device_code, "client_id": client_id}
    give_up = service.clock.monotonic() + prompt.expires_in
    interval = prompt.interval
    while service.clock.monotonic() + interval <= give_up:
        service.clock.sleep(interval)
        try:
            return _refresh_token(service.oauth_token(form, repeatable=False))
        except AuthenticationError as exc:
            if exc.remote_code == "slow_down":
                interval += SLOW_DOWN
            elif exc.remote_code == "expired_token":
                break
            elif exc.remote_code != "authorization_pending":
                raise
    raise DeadlineError("The code was not confirmed in time.", hint="Run the command again and open the page at once.")


def authorization_url(hosts: Hosts, client_id: str, redirect_uri: str, state: str) -> str:
    """Return the page where a person consents, for a client of the authorization-code grant."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "state": state,
    }
    return f"{hosts.oauth}/auth/authorize?{urlencode(query)}"


def exchange_code(service: LoginService, client_id: str, client_secret: str, code: str, redirect_uri: str) -> str:
    """Turn the code that Anaplan sent to ``redirect_uri`` into a refresh token; a code works once.

    :raises AuthenticationError: when Anaplan refuses it.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client_id,
        "client_secret": client_secret,
        "redirect_uri": redirect_uri,
    }
    return _refresh_token(service.oauth_token(form, repeatable=False))


def _prompt(body: Mapping[str, object]) -> DevicePrompt:
    url = body.get("verification_uri_complete") or body.get("verification_uri")
    code, user_code = body.get("device_code"), body.get("user_code")
    if not (isinstance(url, str) and isinstance(code, str) and isinstance(user_code, str)):
        raise ProtocolError("Anaplan's OAuth service gave no device code.", path="/oauth/device/code")
    return DevicePrompt(
        url, user_code, _seconds(body.get("expires_in"), 600.0), _seconds(body.get("interval"), 5.0), code
    )


def _refresh_token(grant: Grant) -> str:
    if grant.refresh_token is None:
        raise ProtocolError(
            "Anaplan's OAuth service gave no refresh token.",
            path="/oauth/token",
            hint="The OAuth client must allow the scope offline_access.",
        )
    return grant.refresh_token


def _seconds(value: object, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) else default
