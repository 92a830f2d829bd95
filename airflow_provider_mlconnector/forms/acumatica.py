# SPDX-License-Identifier: Apache-2.0
"""The form of a connection to an Acumatica tenant."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms.words import PACKAGE, SECRET, TEXT

FORM: dict[str, Any] = {
    "connection-type": "acumatica",
    "hook-class-name": f"{PACKAGE}.hooks.acumatica.AcumaticaHook",
    "hook-name": "Acumatica",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "extra"],
        "relabeling": {"login": "User", "password": "Password", "host": "Site"},
        "placeholders": {"host": "https://larkfield.acumatica.com", "login": "close"},
    },
    "conn-fields": {
        "site": {
            "label": "Virtual directory",
            "description": "What follows the host in the site's address, such as AcumaticaERP; empty for none.",
            "schema": TEXT,
        },
        "tenant": {
            "label": "Tenant",
            "description": "Login name of the tenant. Empty: the only one, or the one that the client id names.",
            "schema": TEXT,
        },
        "branch": {
            "label": "Branch",
            "description": "Code of the branch that is read when a flow names none. Empty: all of the tenant.",
            "schema": TEXT,
        },
        "auth": {
            "label": "Authentication",
            "description": "password: OAuth 2.0 with user and password. code: OAuth 2.0 by a user who agreed once, see "
            "airflow mlconnector login. cookie: the legacy login, which the vendor is going to remove.",
            "schema": {"type": "string", "enum": ["password", "code", "cookie"], "default": "password"},
        },
        "client_id": {
            "label": "Client id",
            "description": "Of the connected application (form SM303010), with the tenant after the @.",
            "schema": TEXT,
        },
        "client_secret": {
            "label": "Client secret",
            "description": "The shared secret of the connected application.",
            "schema": SECRET,
        },
        "scopes": {
            "label": "Scopes",
            "description": "api: the session is closed after each task. api offline_access: the site keeps it for us.",
            "schema": {"type": "string", "enum": ["api", "api offline_access"], "default": "api"},
        },
        "endpoint": {
            "label": "Endpoint",
            "description": "Name of the web service endpoint (form SM207060).",
            "schema": {"type": "string", "default": "Default"},
        },
        "version": {
            "label": "Endpoint version",
            "description": "A version that the site serves, before 26.200.001; never the newest by itself.",
            "schema": {"type": "string", "default": "25.200.001"},
        },
        "ledger": {
            "label": "Ledger",
            "description": "Code of the ledger that is read. Empty: the only one of type Actual.",
            "schema": TEXT,
        },
        "segments": {
            "label": "Subaccount segments",
            "description": "Names and lengths of the segments in order, such as DEPARTMENT 3, REGION 2. Lines then "
            "have these dimensions, beside SUBACCOUNT, BRANCH and PROJECT.",
            "schema": TEXT,
        },
    },
}
