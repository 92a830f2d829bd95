# SPDX-License-Identifier: Apache-2.0
"""The sandbox's ledgers, each opened as the flow that reads it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection
from airflow_provider_mlconnector.systems.business_central.erp import BusinessCentral
from airflow_provider_mlconnector.systems.dynamics_fo.connection import FinanceOperationsConnection
from airflow_provider_mlconnector.systems.dynamics_fo.erp import FinanceOperations
from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection, Query
from airflow_provider_mlconnector.systems.dynamics_gp.erp import DynamicsGp
from airflow_provider_mlconnector.systems.http.entra import ClientSecret
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount
from airflow_provider_mlconnector.systems.port import Erp
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
from airflow_provider_mlconnector.systems.syspro.erp import Syspro
from tests.sandbox_control import SandboxControl
from tests.unit.systems.acumatica.opening import open_acumatica


def open_ledger(control: SandboxControl, flow: Flow, clock: Clock, **options: Any) -> Erp:
    """Open the company of a flow; ``options`` are those of the connection."""
    return OPENERS[flow.spec.erp.system](control, flow, clock, **options)


def business_central_connection(
    control: SandboxControl, *, secret: str | None = None, **options: Any
) -> BusinessCentralConnection:
    """Return a connection to the environment; to Larkfield unless the options name another company."""
    told = control.info["business_central"]
    plain = {
        "tenant": told["tenant"],
        "environment": told["environment"],
        "company": told["company"],
        "credential": ClientSecret(told["client_id"], secret or told["client_secret"]),
        "base_url": told["base_url"],
        "authority_url": told["authority_url"],
    }
    return BusinessCentralConnection(**plain | options)


def open_business_central(
    control: SandboxControl, flow: Flow, clock: Clock, *, secret: str | None = None, **options: Any
) -> BusinessCentral:
    """Open the company in the environment."""
    connection = business_central_connection(control, secret=secret, **options)
    return BusinessCentral(connection, flow.calendar.period_of, Transport(clock=clock))


def finance_operations_connection(
    control: SandboxControl, company: str, *, secret: str | None = None, **options: Any
) -> FinanceOperationsConnection:
    """Return a connection to a legal entity of the environment."""
    told = control.info["dynamics_fo"]
    plain = {
        "environment_url": told["base_url"],
        "tenant": told["tenant"],
        "company": company,
        "credential": ClientSecret(told["login"], secret or told["password"]),
        "authority_url": told["authority_url"],
    }
    return FinanceOperationsConnection(**plain | options)


def open_finance_operations(
    control: SandboxControl, flow: Flow, clock: Clock, *, secret: str | None = None, **options: Any
) -> FinanceOperations:
    """Open the legal entity in the environment."""
    connection = finance_operations_connection(control, flow.spec.erp.company, secret=secret, **options)
    return FinanceOperations(connection, flow.calendar.period_of, Transport(clock=clock))


def syspro_connection(control: SandboxControl, company: str, **options: Any) -> SysproConnection:
    """Return a connection to a company on the site."""
    told = control.info["syspro"]
    plain = {name: told[name] for name in ("odata_url", "enet_url", "entity_url", "password", "company_password")}
    return SysproConnection(**plain | {"operator": told["login"], "company": company} | options)


def open_syspro(control: SandboxControl, flow: Flow, clock: Clock, **options: Any) -> Syspro:
    """Open the company on the site."""
    return Syspro(syspro_connection(control, flow.spec.erp.company, **options), Transport(clock=clock))


def gp_connection(control: SandboxControl, company: str, **options: Any) -> GpConnection:
    """Return a connection to a company on the GP server."""
    told = control.info["dynamics_gp"]
    plain: dict[str, Any] = {
        "company": company,
        "account": WindowsAccount(told["login"], told["password"]),
        "soap_url": told["soap_url"],
        "sba_url": told["sba_url"],
        "tenant": told["tenant"],
    }
    return GpConnection(**plain | options)


def open_gp(
    control: SandboxControl, flow: Flow, clock: Clock, *, query: Query | None = None, **options: Any
) -> DynamicsGp:
    """Open the company on the GP server; ``query`` reads its database."""
    connection = gp_connection(control, flow.spec.erp.company, **options)
    return DynamicsGp(connection, flow.calendar.period_of, Transport(clock=clock), query=query)


OPENERS: dict[System, Callable[..., Erp]] = {
    System.BUSINESS_CENTRAL: open_business_central,
    System.DYNAMICS_FO: open_finance_operations,
    System.ACUMATICA: open_acumatica,
    System.SYSPRO: open_syspro,
    System.DYNAMICS_GP: open_gp,
}
