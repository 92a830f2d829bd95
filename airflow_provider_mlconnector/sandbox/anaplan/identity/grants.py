# SPDX-License-Identifier: Apache-2.0
"""OAuth clients, device codes, authorization codes and refresh tokens.

A rotatable refresh token dies with its use and a new one takes its place; one that is used again after that ends the
whole session, as two workers who refresh at once find out.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.anaplan.identity.people import User
from airflow_provider_mlconnector.sandbox.anaplan.ids import Seeded
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

DEVICE_LIFE_SECONDS = 900
DEVICE_INTERVAL_SECONDS = 5
CODE_LIFE_SECONDS = 60
ROTATABLE_LIFE_SECONDS = 43_200
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ0123456789"


class OAuthError(StrEnum):
    """Error words of the token endpoint."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    EXPIRED = "expired_token"
    DENIED = "access_denied"
    INVALID_GRANT = "invalid_grant"
    INVALID_REQUEST = "invalid_request"
    UNAUTHORIZED_CLIENT = "unauthorized_client"


class GrantError(Exception):
    """The grant is refused."""

    def __init__(self, error: OAuthError, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Decision(StrEnum):
    """What a person decided about a device."""

    PENDING = "pending"
    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application; device clients have no secret, code clients a redirect address too."""

    id: str
    rotatable: bool
    secret: str = ""
    redirect_uri: str = ""

    @property
    def is_device(self) -> bool:
        """Say whether it may use the device grant."""
        return not self.secret


@dataclass(frozen=True, slots=True)
class Clients:
    """The tenant's applications."""

    device: Client
    rotating_device: Client
    web: Client

    @classmethod
    def make(cls, seeded: Seeded) -> Clients:
        """Return the registered clients."""
        return cls(
            device=Client(seeded.lower("oauth/device"), rotatable=False),
            rotating_device=Client(seeded.lower("oauth/rotating"), rotatable=True),
            web=Client(
                seeded.lower("oauth/web"),
                rotatable=True,
                secret=seeded.lower("oauth/web/secret"),
                redirect_uri="http://127.0.0.1/callback",
            ),
        )

    def find(self, client_id: str) -> Client:
        """Return a client.

        :raises GrantError: when it is not registered.
        """
        for client in (self.device, self.rotating_device, self.web):
            if client.id == client_id:
                return client
        raise GrantError(OAuthError.UNAUTHORIZED_CLIENT, "Unknown client.")


@dataclass(slots=True)
class Device:
    """A device that waits for a person's decision."""

    code: str
    user_code: str
    client: Client
    expires_at: datetime
    decision: Decision = Decision.PENDING
    user: User | None = None
    polled_at: datetime | None = None


@dataclass(slots=True)
class _Refresh:
    client: Client
    user: User
    family: str
    expires_at: datetime | None
    used: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """Who was let in, and the refresh token that goes with it."""

    user: User
    refresh_token: str


class Grants:
    """All grants under way. Safe for threads."""

    def __init__(self, clients: Clients, clock: VirtualClock) -> None:
        self.clients = clients
        self._clock = clock
        self._lock = threading.RLock()
        self._devices: dict[str, Device] = {}
        self._codes: dict[str, tuple[Client, User, datetime]] = {}
        self._refreshes: dict[str, _Refresh] = {}

    def start_device(self, client_id: str) -> Device:
        """Begin the device grant."""
        client = self.clients.find(client_id)
        if not client.is_device:
            raise GrantError(OAuthError.UNAUTHORIZED_CLIENT, "Not a device client.")
        letters = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(8))
        device = Device(
            secrets.token_urlsafe(16), f"{letters[:4]}-{letters[4:]}", client, self._in(DEVICE_LIFE_SECONDS)
        )
        with self._lock:
            self._devices[device.code] = device
        return device

    def decide(self, user_code: str, decision: Decision, user: User) -> bool:
        """Note a person's decision; False when no device waits under that code."""
        with self._lock:
            for device in self._devices.values():
                if device.user_code == user_code and device.expires_at > self._clock.now():
                    device.decision, device.user = decision, user
                    return True
            return False

    def by_device(self, client_id: str, device_code: str) -> Granted:
        """Answer a device that asks whether it was approved.

        :raises GrantError: while it was not.
        """
        client, now = self.clients.find(client_id), self._clock.now()
        with self._lock:
            device = self._devices.get(device_code)
            if device is None or device.client != client:
                raise GrantError(OAuthError.INVALID_GRANT, "Unknown device code.")
            if device.expires_at <= now:
                raise GrantError(OAuthError.EXPIRED, "The device code has expired.")
            too_soon = device.polled_at and now < device.polled_at + timedelta(seconds=DEVICE_INTERVAL_SECONDS)
            device.polled_at = now
            if device.decision is Decision.DENY:
                raise GrantError(OAuthError.DENIED, "The user denied the request.")
            if device.decision is Decision.PENDING or device.user is None:
                if too_soon:
                    raise GrantError(OAuthError.SLOW_DOWN, "You are polling too quickly.")
                raise GrantError(OAuthError.PENDING, "User has yet to authorize device code.")
            del self._devices[device_code]
            return Granted(device.user, self.issue(client, device.user))

    def authorize(self, client_id: str, redirect_uri: str, user: User) -> str:
        """Return an authorization code, as after the login page."""
        client = self.clients.find(client_id)
        if client.is_device or client.redirect_uri != redirect_uri:
            raise GrantError(OAuthError.INVALID_REQUEST, "The redirect address is not registered.")
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._codes[code] = (client, user, self._in(CODE_LIFE_SECONDS))
        return code

    def by_code(self, client_id: str, secret: str, code: str, redirect_uri: str) -> Granted:
        """Exchange an authorization code, once."""
        client = self.clients.find(client_id)
        _check_secret(client, secret)
        with self._lock:
            owner, user, expires_at = self._codes.pop(code, (None, None, self._clock.now()))
        if owner != client or user is None or expires_at <= self._clock.now() or redirect_uri != client.redirect_uri:
            raise GrantError(OAuthError.INVALID_GRANT, "Invalid authorization code.")
        return Granted(user, self.issue(client, user))

    def by_refresh(self, client_id: str, secret: str, token: str) -> Granted:
        """Use a refresh token; a rotatable one is replaced."""
        client = self.clients.find(client_id)
        _check_secret(client, secret)
        with self._lock:
            refresh = self._refreshes.get(token)
            if refresh is None or refresh.client != client:
                raise GrantError(OAuthError.INVALID_GRANT, "Unknown or invalid refresh token.")
            if refresh.used:
                self._end_family(refresh.family)
                raise GrantError(OAuthError.INVALID_GRANT, "The refresh token was used before.")
            if refresh.expires_at and refresh.expires_at <= self._clock.now():
                raise GrantError(OAuthError.INVALID_GRANT, "The refresh token has expired.")
            if not client.rotatable:
                return Granted(refresh.user, token)
            refresh.used = True
            return Granted(refresh.user, self.issue(client, refresh.user, refresh.family))

    def issue(self, client: Client, user: User, family: str = "") -> str:
        """Make a refresh token; those of one ``family`` descend from one login."""
        token = secrets.token_urlsafe(32)
        expires_at = self._in(ROTATABLE_LIFE_SECONDS) if client.rotatable else None
        with self._lock:
            self._refreshes[token] = _Refresh(client, user, family or token, expires_at)
        return token

    def _end_family(self, family: str) -> None:
        self._refreshes = {token: known for token, known in self._refreshes.items() if known.family != family}

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)


def _check_secret(client: Client, secret: str) -> None:
    if client.secret and not hmac.compare_digest(client.secret.encode(), secret.encode()):
        raise GrantError(OAuthError.UNAUTHORIZED_CLIENT, "Wrong client secret.")
