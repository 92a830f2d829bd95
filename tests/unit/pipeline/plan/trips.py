# SPDX-License-Identifier: Apache-2.0
"""The trips of all ledgers: by the flows that are shipped, and by those of a company whose periods are weeks."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.flows.erps import System
from tests.unit.pipeline.plan.round_trip import FLOWS, PIPELINE, Trip

BC, FO, ACU, GP, SYS = System.BUSINESS_CENTRAL, System.DYNAMICS_FO, System.ACUMATICA, System.DYNAMICS_GP, System.SYSPRO
MONTHS = {
    BC: "larkfield_close",
    FO: "fo_manufacturer_close",
    ACU: "acumatica_services_close",
    GP: "gp_distributor_close",
    SYS: "syspro_trading_close",
}
"""Flows of Larkfield, as they are shipped with their plans."""
WEEKS = {
    BC: "tui/tui_close",
    FO: "dynamics_fo/tui_close",
    ACU: "acumatica/tui_acumatica",
    GP: "gp/gp_tui_close",
    SYS: "syspro/syspro_tui_close",
}
"""Flows of a company whose ledger itself has periods of 4, 4 and 5 weeks."""
JOURNALS = {
    BC: {"name": "ANAPLAN"},
    FO: {"name": "ANAPLAN"},
    ACU: {"name": "ACTUAL", "options": {"segments": "LOCATION 00"}},
    GP: {"name": "ANAPLAN", "options": {"segments": "Department 000"}},
    SYS: {"name": "BUDGET", "options": {"segments": "DEPARTMENT 000"}},
}


def months(system: System, **journal: Any) -> Trip:
    return Trip(system, FLOWS / f"{MONTHS[system]}.yaml", "LARKFIELD", "FY2027-P05", journal)


def weeks(system: System, **journal: Any) -> Trip:
    return Trip(system, PIPELINE / f"{WEEKS[system]}.yaml", "TUI", "FY2027-P05", {**JOURNALS[system], **journal})
