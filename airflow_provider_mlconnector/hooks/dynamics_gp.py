# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to the books of a company in Dynamics GP."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.ledger import NO_OPTIONS, LedgerHook, PeriodOf
from airflow_provider_mlconnector.hooks.trail import TrailHook
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import load_settings

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.drafting import Drafting
    from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection, Query
    from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount
    from airflow_provider_mlconnector.systems.port import Erp

SOAP_PATH = "/DynamicsGPWebServices/DynamicsGPService.asmx"
SBA_PATH = "/GPService"
KEYTAB = "KRB5_CLIENT_KTNAME"
"""Environment variable that names a worker's keytab, as Kerberos itself reads it."""

_LONGEST_WINDOW = 366


class Ledger(StrEnum):
    """A reporting ledger."""

    BASE = "Base"
    IFRS = "IFRS"
    LOCAL = "Local"


class DynamicsGpHook(LedgerHook):
    """Opens companies of one installation of Dynamics GP.

    :param dynamics_gp_conn_id: a connection of type dynamics_gp.
    """

    conn_name_attr = "dynamics_gp_conn_id"
    default_conn_name = "dynamics_gp_default"
    conn_type = "dynamics_gp"
    hook_name = "Dynamics GP"

    def __init__(self, dynamics_gp_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dynamics_gp_conn_id = dynamics_gp_conn_id

    def get_erp(self, company: str = "", period_of: PeriodOf | None = None) -> Erp:
        """Return the books of a company, the connection's own unless another is named; the caller closes them.

        :raises ConfigurationError: when the connection lacks something.
        """
        from airflow_provider_mlconnector.systems.dynamics_gp.erp import READ_TIMEOUT, DynamicsGp
        from airflow_provider_mlconnector.trail.memories import Memories

        return DynamicsGp(
            connection_of(self.fields, company),
            period_of,
            deployed_transport(at_least=READ_TIMEOUT),
            query=query_of(self.fields),
            memory=Memories(lambda: TrailHook().get_conn().engine),
        )

    def get_drafting(self, name: str, company: str = "", options: Mapping[str, str] = NO_OPTIONS) -> Drafting:
        """Return what writes drafts into a batch of a company; the caller closes it.

        :param name: of the batch, which is made with the first entry where there is none.
        :param options: ``segments``, values of the account numbers' segments for lines that name none, such as
            ``Department 000``.
        :raises ConfigurationError: when the connection lacks something, or an option cannot be read.
        """
        from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
        from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import read_options
        from airflow_provider_mlconnector.systems.dynamics_gp.drafts import DynamicsGpDrafts
        from airflow_provider_mlconnector.systems.dynamics_gp.erp import READ_TIMEOUT
        from airflow_provider_mlconnector.systems.dynamics_gp.tables import GpTables

        query = query_of(self.fields)
        api = GpApi(connection_of(self.fields, company), deployed_transport(at_least=READ_TIMEOUT))
        return DynamicsGpDrafts(api, name, read_options(options), GpTables(query) if query else None)


def connection_of(fields: Fields, company: str = "") -> GpConnection:
    """Return where the company is and how to log in.

    :raises ConfigurationError: when a part is missing, or a host is not among the allowed ones.
    """
    from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection

    allowed = load_settings().allowed_hosts
    sba_host = fields.text("sba_host")
    sba = replace(fields, host=sba_host, port=None).origin(allowed) if sba_host else ""
    return GpConnection(
        company=company or fields.needed("company", "company"),
        account=account_of(fields),
        soap_url=fields.origin(allowed) + fields.text("soap_path", SOAP_PATH),
        sba_url=sba + fields.text("sba_path", SBA_PATH) if sba else "",
        tenant=fields.text("tenant", "DefaultTenant"),
        sba_company=fields.text("sba_company"),
        gl_resource=fields.text("gl_resource"),
        gl_fields=_names(fields),
        window=_window(fields),
        ledger=fields.choice("ledger", Ledger, Ledger.BASE).value,
    )


def account_of(fields: Fields) -> WindowsAccount:
    """Return whom to log in, and by what."""
    from airflow_provider_mlconnector.systems.http.windows_auth import Scheme, Secret, WindowsAccount

    secret = fields.choice("secret", Secret, Secret.PASSWORD)
    by_password = secret is Secret.PASSWORD
    keytab = os.environ.get(KEYTAB, "").removeprefix("FILE:")
    if secret is Secret.KEYTAB and not keytab:
        raise fields.error("asks for a keytab, and the worker has none.", hint=f"Set {KEYTAB} on the workers.")
    return WindowsAccount(
        user=fields.needed("login", "Windows account") if by_password else fields.login,
        password=fields.needed("password", "password") if by_password else "",
        secret=secret,
        file=keytab if secret is Secret.KEYTAB else "",
        scheme=fields.choice("auth", Scheme, Scheme.AUTO),
        host=fields.text("kerberos_host"),
    )


def query_of(fields: Fields) -> Query | None:
    """Return what runs statements on the company's database; None when no connection to it is named."""
    conn_id = fields.text("sql_conn_id")
    if not conn_id:
        return None
    hook = BaseHook.get_connection(conn_id).get_hook()
    return lambda statement: hook.get_records(statement)


def _names(fields: Fields) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in fields.text("gl_fields").split(",") if part.strip()]
    if not all(sign and name.strip() for _, sign, name in pairs):
        raise fields.error("has gl_fields that are no pairs.", hint="Write them as JRNENTRY=JournalEntry,TRXDATE=Date.")
    return tuple((column.strip(), name.strip()) for column, _, name in pairs)


def _window(fields: Fields) -> timedelta:
    text = fields.text("window_days", "7")
    if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_WINDOW:
        raise fields.error(f"has '{text}' as window_days.", hint=f"Write a number of days from 1 to {_LONGEST_WINDOW}.")
    return timedelta(days=int(text))
