# SPDX-License-Identifier: Apache-2.0
"""Opening the sandbox's Acumatica as a flow or a test wants it."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.flows.flow import Flow
from airflow_provider_mlconnector.systems.acumatica.connection import (
    AcumaticaConnection,
    CookieLogin,
    Login,
    PasswordGrant,
)
from airflow_provider_mlconnector.systems.acumatica.erp import Acumatica
from airflow_provider_mlconnector.systems.acumatica.subaccounts import parse_segments
from airflow_provider_mlconnector.systems.http.retry import RetryPolicy
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.sandbox_control import SandboxControl

STEADY = RetryPolicy(uniform=lambda low, high: high)


def cookie_login(control: SandboxControl, password: str = "") -> CookieLogin:
    told = control.info["acumatica"]
    return CookieLogin(told["login"], password or told["password"])


def password_grant(control: SandboxControl, company: str = "LARKFIELD", **changes: str) -> PasswordGrant:
    told = control.info["acumatica"]
    plain = {
        "client_id": told["client_ids"][company],
        "client_secret": told["client_secret"],
        "name": told["login"],
        "password": told["password"],
    }
    return PasswordGrant(**plain | changes)


def connect(control: SandboxControl, company: str = "LARKFIELD", login: Login | None = None, **options: Any) -> Any:
    """Return the connection to a company; ``options`` are other values of its fields."""
    told = control.info["acumatica"]
    plain = {
        "base_url": told["base_url"],
        "login": login or cookie_login(control),
        "tenant": told["tenants"][company],
        "branch": company,
        "segments": parse_segments(told["segments"]),
    }
    return AcumaticaConnection(**plain | options)


def open_company(
    control: SandboxControl,
    company: str = "LARKFIELD",
    *,
    clock: Clock = SYSTEM_CLOCK,
    tokens: Any = None,
    retry: RetryPolicy = STEADY,
    **options: Any,
) -> Acumatica:
    """Open a company; the caller closes it."""
    return Acumatica(connect(control, company, **options), Transport(clock=clock, retry=retry), tokens=tokens)


def open_acumatica(control: SandboxControl, flow: Flow, clock: Clock, **options: Any) -> Acumatica:
    """Open the company of a flow."""
    return open_company(control, flow.spec.erp.company, clock=clock, **options)
