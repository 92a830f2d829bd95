# SPDX-License-Identifier: Apache-2.0
"""The way from an Airflow connection to the books of a company in Business Central."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.hooks.entra import credential_of
from airflow_provider_mlconnector.hooks.fields import Fields
from airflow_provider_mlconnector.hooks.ledger import NO_OPTIONS, LedgerHook, PeriodOf
from airflow_provider_mlconnector.hooks.transport import deployed_transport
from airflow_provider_mlconnector.settings import load_settings

if TYPE_CHECKING:
    from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection
    from airflow_provider_mlconnector.systems.drafting import Drafting
    from airflow_provider_mlconnector.systems.port import Erp

_API_PATH = "/business_central"
_LOGIN_PATH = "/entra"


class BusinessCentralHook(LedgerHook):
    """Opens companies of one Business Central environment.

    :param business_central_conn_id: a connection of type business_central.
    """

    conn_name_attr = "business_central_conn_id"
    default_conn_name = "business_central_default"
    conn_type = "business_central"
    hook_name = "Dynamics 365 Business Central"

    def __init__(self, business_central_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.business_central_conn_id = business_central_conn_id

    def get_erp(self, company: str = "", period_of: PeriodOf | None = None) -> Erp:
        """Return the books of a company, the connection's own unless another is named; the caller closes them.

        :raises ConfigurationError: when the connection lacks something.
        """
        from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral

        return BusinessCentral(connection_of(self.fields, company), period_of, deployed_transport())

    def get_drafting(self, name: str, company: str = "", options: Mapping[str, str] = NO_OPTIONS) -> Drafting:
        """Return what writes drafts into a journal batch of a company; the caller closes it.

        :param name: code of the batch.
        :param options: ``template``, the name of the batch's template, where that is not the company's default one.
        :raises ConfigurationError: when the connection lacks something.
        """
        from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
        from airflow_provider_mlconnector.systems.business_central.drafts import BusinessCentralDrafts
        from airflow_provider_mlconnector.systems.business_central.journals import BatchName

        api = BusinessCentralApi(connection_of(self.fields, company), deployed_transport(), replica=False)
        return BusinessCentralDrafts(api, BatchName(name, options.get("template", "")))


def connection_of(fields: Fields, company: str = "") -> BusinessCentralConnection:
    """Return where the company is and how to log in.

    Without a host of its own the connection leads to Microsoft's. A host of its own serves both: Business Central below
    ``/business_central``, the login below ``/entra``.

    :raises ConfigurationError: when a part is missing, or the own host is not among the allowed ones.
    """
    from airflow_provider_mlconnector.systems.business_central.connection import (
        CLOUD_URL,
        BusinessCentralConnection,
        FinanceApi,
    )
    from airflow_provider_mlconnector.systems.http.entra import LOGIN_URL

    own = fields.origin(load_settings().allowed_hosts) if fields.host else ""
    return BusinessCentralConnection(
        tenant=fields.needed("tenant", "Entra tenant"),
        environment=fields.text("environment", "Production"),
        company=company or fields.needed("company", "company"),
        credential=credential_of(fields),
        base_url=own + _API_PATH if own else CLOUD_URL,
        authority_url=own + _LOGIN_PATH if own else LOGIN_URL,
        source=fields.choice("source", FinanceApi, FinanceApi.AUTO),
    )
