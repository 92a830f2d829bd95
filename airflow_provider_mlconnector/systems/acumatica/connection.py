# SPDX-License-Identifier: Apache-2.0
"""Where a company's books are, and how to sign in."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_mlconnector.systems.acumatica.subaccounts import Segments

DEFAULT_ENDPOINT = "Default"
DEFAULT_VERSION = "25.200.001"
CONTRACT = 4
"""The contract that is understood here: how fields and drop-downs are written."""

FIRST_OF_CONTRACT_5 = "26.200.001"
"""The version of the endpoint Default from which on contract 5 is spoken."""

OFFLINE = "offline_access"
PAGE_SIZE = 500
"""Journals of one request; each comes with all its lines."""


@dataclass(frozen=True, slots=True)
class CookieLogin:
    """The legacy login: a user's name and password for cookies. Announced for removal."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    """OAuth 2.0 with a user's name and password, by a connected application (form SM303010).

    :param client_id: of the form ``GUID@Tenant``.
    :param scopes: ``api``, or ``api offline_access``.
    """

    client_id: str
    client_secret: str = field(repr=False)
    name: str
    password: str = field(repr=False)
    scopes: str = "api"


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """OAuth 2.0 by a user who agreed once in a browser; what lives on is a refresh token in the token store."""

    client_id: str
    client_secret: str = field(repr=False)


Login = CookieLogin | PasswordGrant | CodeGrant


@dataclass(frozen=True, slots=True, kw_only=True)
class AcumaticaConnection:
    """One company of a tenant.

    :param base_url: address of the site, with its virtual directory if it has one.
    :param tenant: login name of the tenant; "" for the only one, or where the client id names it.
    :param branch: code of the branch that is read; "" reads all of the tenant.
    :param endpoint: name and ``version`` of the endpoint; never the newest by itself.
    :param ledger: code of the ledger that is read; "" for the only one of type Actual.
    :param segments: of the subaccounts.
    """

    base_url: str
    login: Login
    tenant: str = ""
    branch: str = ""
    endpoint: str = DEFAULT_ENDPOINT
    version: str = DEFAULT_VERSION
    ledger: str = ""
    segments: Segments = field(default_factory=Segments)
    page_size: int = PAGE_SIZE
