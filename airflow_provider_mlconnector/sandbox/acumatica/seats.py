# SPDX-License-Identifier: Apache-2.0
"""Sessions, of which the license allows a few, and the cookies and tokens that lead to them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from airflow_provider_mlconnector.sandbox.acumatica.site import Refusal, Site, Tenant
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError

TOKEN_SECONDS = 3600.0
REFRESH_SECONDS = 30 * 24 * 3600.0
OFFLINE = "offline_access"
_REFUSED = "API Login Limit: the maximum number of concurrent API logins has been reached."
_TEXT = b"The custom error module does not recognize this error."
_HTML = b"<!DOCTYPE html><html><head><title>API Login Limit</title></head><body><h1>Sign-in refused</h1></body></html>"


@dataclass(slots=True)
class Session:
    """Somebody who is logged in; ``used`` in virtual seconds."""

    id: str
    tenant: Tenant
    branch: str
    used: float


@dataclass(slots=True)
class Grant:
    """What a user allowed an application: one session, whichever of its tokens is shown."""

    tenant: Tenant
    scopes: frozenset[str]
    session_id: str = ""


@dataclass
class Seats:
    """Who is logged in."""

    site: Site
    _sessions: dict[str, Session] = field(default_factory=dict)
    _ever: dict[str, Session] = field(default_factory=dict)
    _tokens: dict[str, tuple[Grant, float]] = field(default_factory=dict)
    _refreshers: dict[str, tuple[Grant, float]] = field(default_factory=dict)
    _codes: dict[str, Grant] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """Return the virtual time."""
        return self.site.world.clock.timestamp()

    def sessions(self) -> list[Session]:
        """Return the sessions that are open, without those that were left idle too long."""
        oldest = self.now - self.site.switches.idle_seconds
        self._sessions = {id_: session for id_, session in self._sessions.items() if session.used >= oldest}
        return list(self._sessions.values())

    def open(self, tenant: Tenant, branch: str = "") -> Session:
        """Take a seat.

        :raises HttpError: 429 when none is free, in the shape that the switches say.
        """
        if len(self.sessions()) >= self.site.switches.seats:
            raise _refusal(self.site.switches.refusal)
        session = Session(secrets.token_hex(12), tenant, branch or tenant.branch, self.now)
        self._sessions[session.id] = self._ever[session.id] = session
        self.site.world.stats.login("acumatica")
        return session

    def close(self, session: Session) -> None:
        """Give a seat back."""
        self._sessions.pop(session.id, None)

    def close_all(self) -> None:
        """End every session, as a restart of the site does; tokens stay good."""
        self._sessions.clear()

    def of_cookie(self, session_id: str) -> Session | None:
        """Return the session of a cookie, if it is still open."""
        self.sessions()
        return self._used(self._sessions.get(session_id))

    def once(self, token: str, session_id: str) -> Session | None:
        """Return the session of an access token or a cookie, even if it is over."""
        grant, _ = self._tokens.get(token, (None, 0.0))
        return self._ever.get(grant.session_id if grant else session_id)

    def of_token(self, token: str) -> Session | None:
        """Return the session of an access token, opened at its first use; None for one that is not good (any more)."""
        grant, expires = self._tokens.get(token, (None, 0.0))
        if grant is None or expires <= self.now:
            return None
        session = self.of_cookie(grant.session_id)
        if session is None:
            session = self.open(grant.tenant)
            grant.session_id = session.id
        return session

    def issue(self, grant: Grant) -> dict[str, object]:
        """Return tokens for a grant, as the token endpoint tells them."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (grant, self.now + TOKEN_SECONDS)
        told: dict[str, object] = {
            "access_token": token,
            "expires_in": int(TOKEN_SECONDS),
            "token_type": "Bearer",
            "scope": " ".join(sorted(grant.scopes)),
        }
        if OFFLINE in grant.scopes:
            refresher = secrets.token_urlsafe(32)
            self._refreshers[refresher] = (grant, self.now + REFRESH_SECONDS)
            told["refresh_token"] = refresher
        return told

    def refreshed(self, refresher: str) -> Grant | None:
        """Return the grant of a refresh token, which is used up by that."""
        grant, expires = self._refreshers.pop(refresher, (None, 0.0))
        return grant if expires > self.now else None

    def code_for(self, grant: Grant) -> str:
        """Return a code for a grant that a user gave in the browser."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = grant
        return code

    def redeemed(self, code: str) -> Grant | None:
        """Return the grant of a code, which is used up by that."""
        return self._codes.pop(code, None)

    def revoke_tokens(self) -> None:
        """Make all access tokens invalid; refresh tokens stay good."""
        self._tokens.clear()

    def _used(self, session: Session | None) -> Session | None:
        if session is not None:
            session.used = self.now
        return session


def seats_of(site: Site) -> Seats:
    """Return the seats of a site."""
    return site.world.state("acumatica.seats", lambda: Seats(site))


def _refusal(shape: Refusal) -> HttpError:
    match shape:
        case Refusal.TEXT:
            return HttpError(429, body=_TEXT, content_type="text/plain")
        case Refusal.HTML:
            return HttpError(429, body=_HTML, content_type="text/html; charset=utf-8")
        case Refusal.JSON:
            return HttpError(429, _REFUSED)
