# SPDX-License-Identifier: Apache-2.0
"""The ledgers that a flow can read. A new one is one line here, its folder in ``systems`` and its hook."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module

from airflow_provider_mlconnector.systems.port import Capabilities


class System(StrEnum):
    """Name of an ERP in flow files; also the name of its folder in ``systems``."""

    BUSINESS_CENTRAL = "business_central"
    DYNAMICS_FO = "dynamics_fo"
    ACUMATICA = "acumatica"
    SYSPRO = "syspro"
    DYNAMICS_GP = "dynamics_gp"

    @property
    def capabilities(self) -> Capabilities:
        """What can be asked of it; its module is light and is loaded at the first use."""
        module = import_module(f"airflow_provider_mlconnector.systems.{self}.capabilities")
        capabilities: Capabilities = module.CAPABILITIES
        return capabilities
