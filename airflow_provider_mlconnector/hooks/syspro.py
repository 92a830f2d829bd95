# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to the books of a company in SYSPRO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.ledger import LedgerHook, PeriodOf
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import SECTION, load_settings, origin

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.port import Erp
    from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection

_ODATA_PATH = "/SYSPRO8Odata/SYSPROOData"
_ENET_PATH = "/SYSPROWCFService/Rest"


class SysproHook(LedgerHook):
    """Opens companies of one SYSPRO site.

    :param syspro_conn_id: a connection of type syspro.
    """

    conn_name_attr = "syspro_conn_id"
    default_conn_name = "syspro_default"
    conn_type = "syspro"
    hook_name = "SYSPRO"

    def __init__(self, syspro_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.syspro_conn_id = syspro_conn_id

    def get_erp(self, company: str = "", period_of: PeriodOf | None = None) -> Erp:
        """Return the books of a company, the connection's own unless another is named; the caller closes them.

        Entries know their fiscal periods, so that no calendar is needed.

        :raises ConfigurationError: when the connection lacks something.
        """
        from airflow_provider_mlconnector.systems.syspro.erp import Syspro

        return Syspro(connection_of(self.fields, company), deployed_transport())


def connection_of(fields: Fields, company: str = "") -> SysproConnection:
    """Return where the company is and how to log in.

    :raises ConfigurationError: when a part is missing, or a host is not among the allowed ones.
    """
    from airflow_provider_mlconnector.systems.syspro.connection import Auth, GlCode, SysproConnection

    host = fields.origin(load_settings().allowed_hosts)
    return SysproConnection(
        odata_url=f"{host}/{fields.text('odata_path', _ODATA_PATH).strip('/')}",
        company=company or fields.needed("company", "company"),
        operator=fields.needed("login", "operator"),
        password=fields.needed("password", "operator password"),
        entity_url=fields.text("entity_url", "{table}"),
        auth=fields.choice("auth", Auth, Auth.BASIC),
        enet_url=_enet_url(fields, host),
        logon_path=fields.text("logon_path", "Logon").strip("/"),
        company_password=fields.text("company_password"),
        gl_code=GlCode(fields.text("gl_code", "ACCOUNT.DEPARTMENT")),
    )


def _enet_url(fields: Fields, host: str) -> str:
    """Return the address of the e.net service, which may be another server, or another port of the same.

    :raises ConfigurationError: when it is not among the allowed hosts.
    """
    url = fields.text("enet_url", host + _ENET_PATH).rstrip("/")
    if origin(url) not in load_settings().allowed_hosts:
        raise fields.error(
            f"names the e.net host {origin(url)}, which is not allowed.",
            hint=f"Have an administrator add {origin(url)} to [{SECTION}] allowed_hosts.",
        )
    return url
