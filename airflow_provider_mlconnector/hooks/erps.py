# SPDX-License-Identifier: Apache-2.0
"""Which hook opens which ledger. A new ERP is one line here and its hook."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.flows.erps import System

if TYPE_CHECKING:
    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.systems.port import Erp

HOOKS = {
    System.BUSINESS_CENTRAL: "airflow_provider_mlconnector.hooks.business_central.BusinessCentralHook",
    System.DYNAMICS_FO: "airflow_provider_mlconnector.hooks.dynamics_fo.FinanceOperationsHook",
    System.ACUMATICA: "airflow_provider_mlconnector.hooks.acumatica.AcumaticaHook",
    System.SYSPRO: "airflow_provider_mlconnector.hooks.syspro.SysproHook",
    System.DYNAMICS_GP: "airflow_provider_mlconnector.hooks.dynamics_gp.DynamicsGpHook",
}


def open_erp(flow: Flow) -> Erp:
    """Return the company's books that a flow reads; the caller closes them."""
    spec = flow.spec.erp
    module, _, name = HOOKS[spec.system].rpartition(".")
    hook = getattr(import_module(module), name)(spec.conn_id)
    erp: Erp = hook.get_erp(spec.company, flow.calendar.period_of)
    return erp
