# SPDX-License-Identifier: Apache-2.0
"""Which hook opens which ledger. A new ERP is one line here and its hook."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.flows.erps import System

if TYPE_CHECKING:
    from airflow_provider_mlconnector.finance.datasets import Dataset
    from airflow_provider_mlconnector.flows.compare_spec import SetupSpec
    from airflow_provider_mlconnector.flows.flow import Flow
    from airflow_provider_mlconnector.flows.plan_spec import JournalSpec
    from airflow_provider_mlconnector.systems.drafting import Drafting
    from airflow_provider_mlconnector.systems.port import Erp
    from airflow_provider_mlconnector.systems.setup import SetupObject

HOOKS = {
    System.BUSINESS_CENTRAL: "airflow_provider_mlconnector.hooks.business_central.BusinessCentralHook",
    System.DYNAMICS_FO: "airflow_provider_mlconnector.hooks.dynamics_fo.FinanceOperationsHook",
    System.ACUMATICA: "airflow_provider_mlconnector.hooks.acumatica.AcumaticaHook",
    System.SYSPRO: "airflow_provider_mlconnector.hooks.syspro.SysproHook",
    System.DYNAMICS_GP: "airflow_provider_mlconnector.hooks.dynamics_gp.DynamicsGpHook",
}


def open_erp(flow: Flow) -> Erp:
    """Return the company's books that a flow reads; the caller closes them."""
    erp: Erp = _hook(flow).get_erp(flow.spec.erp.company, flow.calendar.period_of)
    return erp


def open_drafting(flow: Flow, journal: JournalSpec) -> Drafting:
    """Return what writes drafts into the company of a flow; the caller closes it."""
    drafting: Drafting = _hook(flow).get_drafting(journal.name, flow.spec.erp.company, journal.options)
    return drafting


def open_setup(flow: Flow, dataset: Dataset, setup: SetupSpec) -> SetupObject:
    """Return what checks records of a dataset against the company of a flow; the caller closes it."""
    from airflow_provider_mlconnector.flows.loader import named_file

    template = named_file(flow.document, ("compare",), setup.template) if setup.template else None
    text = template.read_text(encoding="utf-8") if template else ""
    opened: SetupObject = _hook(flow).get_setup(dataset, flow.spec.erp.company, setup.object, text)
    return opened


def _hook(flow: Flow) -> Any:
    module, _, name = HOOKS[flow.spec.erp.system].rpartition(".")
    return getattr(import_module(module), name)(flow.spec.erp.conn_id)
