# SPDX-License-Identifier: Apache-2.0
"""The applications of the tenant, and the tokens that they hold."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_mlconnector.sandbox.entra.certificate import ClientCertificate, client_certificate
from airflow_provider_mlconnector.sandbox.state import World

NAME = "entra"
TENANT_ID = "5f1d8f36-1a5c-4d1e-9c58-6a1b6e0f7c11"
TENANT_DOMAIN = "larkfield.onmicrosoft.com"


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration: it proves itself by its secret or its certificate, and gets tokens for one service.

    :param system: the system whose logins its logins are.
    :param scope: regular expression of the scopes that it may ask for.
    :param unknown_scope: AADSTS number, error and text by which another one is refused; ``{scope}`` stands in the text.
    :param secret_expired: whether the secret has run out.
    """

    system: str
    client_id: str
    scope: str
    unknown_scope: tuple[int, str, str] = (
        1002012,
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Use a scope with /.default suffixed.",
    )
    secret_expired: Callable[[], bool] = lambda: False
    client_secret: str = field(default_factory=lambda: f"sbx~{secrets.token_urlsafe(27)}")
    certificate: ClientCertificate = field(default_factory=client_certificate)

    def granted_scope(self, wanted: str) -> str:
        """Return the one of some scopes that it may have; "" for none."""
        return next((scope for scope in wanted.split() if re.fullmatch(self.scope, scope)), "")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: for whom, for which service, and until when, in virtual seconds since the epoch."""

    client_id: str
    audience: str
    expires: float


@dataclass
class Directory:
    """Applications by client id, and the tokens that were given out. Used by the server's one event loop."""

    world: World
    applications: dict[str, Application] = field(default_factory=dict)
    _tokens: dict[str, Token] = field(default_factory=dict)

    def register(self, application: Application) -> Application:
        """Add an application."""
        self.applications[application.client_id] = application
        return application

    def issue(self, application: Application, scope: str, seconds: float) -> str:
        """Return a new access token; it looks like a JWT, but only these servers can read it."""
        token = ".".join(("eyJ0eXAiOiJKV1QifQ", secrets.token_urlsafe(48), secrets.token_urlsafe(32)))
        expires = self.world.clock.timestamp() + seconds
        self._tokens[token] = Token(application.client_id, scope.removesuffix("/.default"), expires)
        return token

    def revoke(self, application: Application) -> None:
        """Make all tokens of an application invalid, as an administrator may."""
        self._tokens = {text: token for text, token in self._tokens.items() if token.client_id != application.client_id}

    def holder(self, authorization: str) -> Token | None:
        """Return the token of a bearer header; None when it is missing, unknown or expired."""
        scheme, _, text = authorization.partition(" ")
        token = self._tokens.get(text) if scheme.lower() == "bearer" else None
        return token if token is not None and token.expires > self.world.clock.timestamp() else None


def directory_of(world: World) -> Directory:
    """Return the one directory of a world."""
    return world.state(NAME, lambda: Directory(world))
