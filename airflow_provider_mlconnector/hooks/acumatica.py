# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to the books of a company in Acumatica."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.ledger import NO_OPTIONS, LedgerHook, PeriodOf
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import load_settings, origin

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.acumatica.connection import AcumaticaConnection, Login
    from airflow_provider_mlconnector.systems.drafting import Drafting
    from airflow_provider_mlconnector.systems.http.tokens import TokenStore
    from airflow_provider_mlconnector.systems.port import Erp

_VENDORS_DOMAIN = ".acumatica.com"


class Auth(StrEnum):
    """How a connection signs in."""

    PASSWORD = "password"  # noqa: S105 - the word of a choice
    CODE = "code"
    COOKIE = "cookie"


class Scopes(StrEnum):
    """What an application asks for: a session that ends with its token, or one that outlives it."""

    API = "api"
    OFFLINE = "api offline_access"


class AcumaticaHook(LedgerHook):
    """Opens companies of one Acumatica tenant.

    :param acumatica_conn_id: a connection of type acumatica.
    """

    conn_name_attr = "acumatica_conn_id"
    default_conn_name = "acumatica_default"
    conn_type = "acumatica"
    hook_name = "Acumatica"

    def __init__(self, acumatica_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.acumatica_conn_id = acumatica_conn_id

    def get_erp(self, company: str = "", period_of: PeriodOf | None = None) -> Erp:
        """Return the books of a branch, the connection's own unless another is named; the caller closes them.

        :param period_of: not needed: journals tell their periods.
        :raises ConfigurationError: when the connection lacks something.
        """
        from airflow_provider_mlconnector.systems.acumatica.erp import Acumatica

        return Acumatica(connection_of(self.fields, company), deployed_transport(), tokens=self._token_store())

    def get_drafting(self, name: str, company: str = "", options: Mapping[str, str] = NO_OPTIONS) -> Drafting:
        """Return what writes drafts into a ledger of a branch; the caller closes it.

        :param name: code of the ledger.
        :param options: ``segments``, values of the subaccounts' segments for lines that name none, such as ``LOCATION
            00``; ``release``, whether a whole journal is released, which posts it: false unless it is said.
        :raises ConfigurationError: when the connection lacks something, or an option cannot be read.
        """
        from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
        from airflow_provider_mlconnector.systems.acumatica.draft_options import read_options
        from airflow_provider_mlconnector.systems.acumatica.drafts import AcumaticaDrafts

        connection = connection_of(self.fields, company)
        named = replace(connection, ledger=name or connection.ledger)
        api = AcumaticaApi(named, deployed_transport(), tokens=self._token_store())
        return AcumaticaDrafts(api, read_options(options))

    def code_grant(self, redirect_uri: str) -> CodeConsent:
        """Return how a user agrees in a browser that this connection reads the books.

        :param redirect_uri: address that the connected application is registered with.
        :raises ConfigurationError: when the connection signs in otherwise, or no address is named.
        """
        if auth_of(self.fields) is not Auth.CODE or not redirect_uri:
            raise ConfigurationError(
                f"Connection '{self.acumatica_conn_id}' does not log in by a user's consent to an address.",
                hint="Set its authentication to code, and name the registered address by --redirect-uri.",
            )
        return CodeConsent(connection_of(self.fields), redirect_uri, _vault())

    def _token_store(self) -> TokenStore | None:
        """Return what keeps the refresh token where a user agreed in a browser; no other login needs the trail."""
        return _vault() if auth_of(self.fields) is Auth.CODE else None


@dataclass(frozen=True, slots=True)
class CodeConsent:
    """The authorization-code grant of a connection, step by step."""

    connection: AcumaticaConnection
    redirect_uri: str
    tokens: TokenStore

    def page(self, state: str) -> str:
        """Return the page where the user agrees."""
        from airflow_provider_mlconnector.systems.acumatica.signin import authorization_url

        return authorization_url(self.connection, self.redirect_uri, state)

    def keep(self, code: str) -> None:
        """Turn the code into a refresh token, and store it encrypted."""
        from airflow_provider_mlconnector.systems.acumatica.signin import store_consent

        store_consent(self.connection, code, self.redirect_uri, self.tokens, deployed_transport())


def _vault() -> TokenStore:
    from airflow_provider_mlconnector.hooks.trail import TrailHook, open_cipher, open_trail
    from airflow_provider_mlconnector.systems.http.tokens import Token
    from airflow_provider_mlconnector.trail.vault import Vault

    return Vault(open_trail(TrailHook().get_url()).engine, open_cipher(load_settings()), Token)


def auth_of(fields: Fields) -> Auth:
    """Return how the connection signs in."""
    return fields.choice("auth", Auth, Auth.PASSWORD)


def connection_of(fields: Fields, company: str = "") -> AcumaticaConnection:
    """Return where the company is and how to sign in.

    :raises ConfigurationError: when a part is missing, or the host is neither the vendor's nor among the allowed ones.
    """
    from airflow_provider_mlconnector.systems.acumatica.connection import (
        DEFAULT_ENDPOINT,
        DEFAULT_VERSION,
        AcumaticaConnection,
    )
    from airflow_provider_mlconnector.systems.acumatica.subaccounts import parse_segments

    site = fields.text("site").strip("/")
    root = _origin(fields)
    return AcumaticaConnection(
        base_url=f"{root}/{site}" if site else root,
        login=login_of(fields),
        tenant=fields.text("tenant"),
        branch=company or fields.text("branch"),
        endpoint=fields.text("endpoint", DEFAULT_ENDPOINT),
        version=fields.text("version", DEFAULT_VERSION),
        ledger=fields.text("ledger"),
        segments=parse_segments(fields.text("segments")),
    )


def login_of(fields: Fields) -> Login:
    """Return the connection's login.

    :raises ConfigurationError: when it lacks a part.
    """
    from airflow_provider_mlconnector.systems.acumatica.connection import CodeGrant, CookieLogin, PasswordGrant

    auth = auth_of(fields)
    if auth is Auth.COOKIE:
        return CookieLogin(fields.needed("login", "user"), fields.needed("password", "password"))
    client_id, secret = fields.needed("client_id", "client id"), fields.needed("client_secret", "client secret")
    if auth is Auth.CODE:
        return CodeGrant(client_id, secret)
    return PasswordGrant(
        client_id,
        secret,
        fields.needed("login", "user"),
        fields.needed("password", "password"),
        fields.choice("scopes", Scopes, Scopes.API).value,
    )


def _origin(fields: Fields) -> str:
    """Return the connection's host as an origin; hosts of the vendor's own cloud need not be listed."""
    own = origin(fields.host) if fields.host else ""
    parts = urlsplit(own)
    if parts.scheme == "https" and (parts.hostname or "").endswith(_VENDORS_DOMAIN) and not fields.port:
        return own
    return fields.origin(load_settings().allowed_hosts)
