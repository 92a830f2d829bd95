# SPDX-License-Identifier: Apache-2.0
"""The form of a connection to a SYSPRO site."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms.words import PACKAGE, SECRET, TEXT

FORM: dict[str, Any] = {
    "connection-type": "syspro",
    "hook-class-name": f"{PACKAGE}.hooks.syspro.SysproHook",
    "hook-name": "SYSPRO",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "extra"],
        "relabeling": {"login": "Operator", "password": "Operator password", "host": "Server"},
        "placeholders": {"host": "https://syspro.example.com", "login": "ADMIN"},
    },
    "conn-fields": {
        "company": {
            "label": "Company",
            "description": "Id of the company that is read when a flow names none, such as L.",
            "schema": {"type": "string"},
        },
        "odata_path": {
            "label": "OData service",
            "description": "Path of the OData service on the server.",
            "schema": {"type": "string", "default": "/SYSPRO8Odata/SYSPROOData"},
        },
        "entity_url": {
            "label": "Path of a table",
            "description": "Below the service; {company} where the company is part of it, such as {company}/{table}.",
            "schema": {"type": "string", "default": "{table}"},
        },
        "gl_code": {
            "label": "GL code structure",
            "description": "Segments of a GL code with the separator between them: the account, then dimensions.",
            "schema": {"type": "string", "default": "ACCOUNT.DEPARTMENT"},
        },
        "auth": {
            "label": "Authentication",
            "description": "basic: the operator, with every request. session: a session of the e.net service.",
            "schema": {"type": "string", "enum": ["basic", "session"], "default": "basic"},
        },
        "enet_url": {
            "label": "e.net service",
            "description": "For sessions: address of the REST service, such as https://host:30001/SYSPROWCFService/Rest.",
            "schema": TEXT,
        },
        "logon_path": {
            "label": "Logon path",
            "description": "Below the e.net service: Logon, or Utilities/Logon.",
            "schema": {"type": "string", "default": "Logon"},
        },
        "company_password": {
            "label": "Company password",
            "description": "For sessions, where the company has one.",
            "schema": SECRET,
        },
        "webhook_secret": {
            "label": "Webhook secret",
            "description": "For plans handed to a workflow: it checks the signature of each journal by this secret.",
            "schema": SECRET,
        },
    },
}
