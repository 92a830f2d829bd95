# SPDX-License-Identifier: Apache-2.0
"""The form of a connection to a Business Central environment."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms.words import APPLICATION, PACKAGE, TEXT

FORM: dict[str, Any] = {
    "connection-type": "business_central",
    "hook-class-name": f"{PACKAGE}.hooks.business_central.BusinessCentralHook",
    "hook-name": "Dynamics 365 Business Central",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "extra"],
        "relabeling": {
            "login": "Client id",
            "password": "Client secret, or key passphrase",
            "host": "Host (empty: Microsoft's own)",
        },
        "placeholders": {"login": "00000000-0000-0000-0000-000000000000"},
    },
    "conn-fields": {
        "tenant": {
            "label": "Entra tenant",
            "description": "Tenant id or domain.",
            "schema": {"type": "string"},
        },
        "environment": {
            "label": "Environment",
            "description": "Name of the Business Central environment, such as Production.",
            "schema": {"type": "string", "default": "Production"},
        },
        "company": {
            "label": "Company",
            "description": "Name or id of the company that is read when a flow names none.",
            "schema": TEXT,
        },
        **APPLICATION,
        "source": {
            "label": "Ledger source",
            "description": "reports_finance: the finance API (beta). v2: API v2.0. auto: the first where it answers.",
            "schema": {"type": "string", "enum": ["auto", "reports_finance", "v2"], "default": "auto"},
        },
    },
}
