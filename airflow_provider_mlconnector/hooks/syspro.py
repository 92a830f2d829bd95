# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to the books of a company in SYSPRO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.ledger import NO_OPTIONS, LedgerHook, PeriodOf
from airflow_provider_mlconnector.hooks.shelves import open_shelf
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import SECTION, load_settings, origin

if TYPE_CHECKING:
    from airflow_provider_mlconnector.finance.datasets import Dataset
    from airflow_provider_mlconnector.systems.drafting import Drafting
    from airflow_provider_mlconnector.systems.port import Erp
    from airflow_provider_mlconnector.systems.setup import SetupObject
    from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
    from airflow_provider_mlconnector.systems.syspro.hand_over import Workflow

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

    def get_drafting(self, name: str, company: str = "", options: Mapping[str, str] = NO_OPTIONS) -> Drafting:
        """Return what brings journals about in a company; the caller closes it.

        SYSPRO keeps no drafts, so a journal is handed to a person, or posted where the options say so.

        :param name: of the folder, below that of the options, in which the company's journals are handed over.
        :param options: ``folder``, a path, the address of an object store or the name of a folder in the staging area,
            in which each journal becomes a file; ``webhook``, the address of a workflow that is told instead; or
            ``post: yes``. Besides ``object``, the e.net business object (GENTJL), ``template``, the path of an XML file
            with the names that it takes, ``segments``, such as ``DEPARTMENT 000``, for lines that name none, and
            ``validate: no``, where it is not to check.
        :raises ConfigurationError: when the connection lacks something, an option cannot be read, or the workflow's
            host is not among the allowed ones.
        """
        from airflow_provider_mlconnector.systems.syspro.api import SysproApi
        from airflow_provider_mlconnector.systems.syspro.draft_options import read_options
        from airflow_provider_mlconnector.systems.syspro.opening import open_drafts, open_wire

        connection, transport = connection_of(self.fields, company), deployed_transport()
        told = read_options(options)
        shelf = open_shelf(told.folder, name, connection.company) if told.folder else None
        workflow = self._workflow(told.webhook) if told.webhook else None
        api, wire = SysproApi(connection, transport), open_wire(connection, transport)
        return open_drafts(api, wire, told, shelf=shelf, workflow=workflow)

    def get_setup(self, dataset: Dataset, company: str, name: str, template: str = "") -> SetupObject:
        """Return what says whether SYSPRO would take a record, and changes none; the caller closes it.

        :param dataset: vendors or customers.
        :param name: of the e.net setup object, such as APSSSP.
        :param template: XML of its document; the usual one unless given.
        :raises ConfigurationError: when the connection lacks something, or the template cannot be used.
        """
        from airflow_provider_mlconnector.systems.syspro.opening import open_wire
        from airflow_provider_mlconnector.systems.syspro.setup_check import EnetSetup
        from airflow_provider_mlconnector.systems.syspro.setup_xml import USUAL, SetupTemplate

        document = SetupTemplate(dataset, template or USUAL[dataset])
        return EnetSetup(open_wire(connection_of(self.fields, company), deployed_transport()), name, document)

    def _workflow(self, url: str) -> Workflow:
        """Return the workflow behind an address.

        :raises ConfigurationError: when its host is not among the allowed ones, or there is no secret to sign with.
        """
        from airflow_provider_mlconnector.systems.http.entra import require_tls
        from airflow_provider_mlconnector.systems.http.session import HttpSession
        from airflow_provider_mlconnector.systems.syspro.hand_over import Workflow

        if origin(url) not in load_settings().allowed_hosts:
            raise self.fields.error(
                f"would hand journals to {origin(url)}, which is not allowed.",
                hint=f"Have an administrator add {origin(url)} to [{SECTION}] allowed_hosts.",
            )
        session = HttpSession(require_tls(origin(url)), deployed_transport())
        return Workflow(session, url, self.fields.needed("webhook_secret", "secret to sign journals with").encode())


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
