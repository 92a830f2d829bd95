# SPDX-License-Identifier: Apache-2.0
"""The form of a connection to an installation of Dynamics GP."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms.words import PACKAGE, TEXT

FORM: dict[str, Any] = {
    "connection-type": "dynamics_gp",
    "hook-class-name": f"{PACKAGE}.hooks.dynamics_gp.DynamicsGpHook",
    "hook-name": "Dynamics GP",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "extra"],
        "relabeling": {
            "host": "Web services' host",
            "login": "Windows account",
        },
        "placeholders": {"host": "http://gpserver:48620", "login": "DOMAIN\\account"},
    },
    "conn-fields": {
        "company": {
            "label": "Company",
            "description": "Name or number of the company that is read when a flow names none.",
            "schema": TEXT,
        },
        "soap_path": {
            "label": "Path of the legacy endpoint",
            "description": "Path of the SOAP web services on the host.",
            "schema": {"type": "string", "default": "/DynamicsGPWebServices/DynamicsGPService.asmx"},
        },
        "sba_host": {
            "label": "SBA's host",
            "description": "Where Service Based Architecture is installed, such as https://gpserver. Empty: nowhere.",
            "schema": TEXT,
        },
        "sba_path": {
            "label": "SBA's path",
            "description": "Path of SBA on its host.",
            "schema": {"type": "string", "default": "/GPService"},
        },
        "tenant": {
            "label": "Tenant",
            "description": "SBA's tenant; a single one is called DefaultTenant.",
            "schema": {"type": "string", "default": "DefaultTenant"},
        },
        "sba_company": {
            "label": "Company in SBA's addresses",
            "description": "The database's name, or whatever a test of the connection says that the server knows. "
            "Empty: the company's name.",
            "schema": TEXT,
        },
        "gl_resource": {
            "label": "SBA resource of journal lines",
            "description": "A service of your own with the columns of GL20000, such as Product/Series/Resource. "
            "Empty: journals come from the web services.",
            "schema": TEXT,
        },
        "gl_fields": {
            "label": "Names of its columns",
            "description": "Where it calls them otherwise: JRNENTRY=JournalEntry,TRXDATE=Date.",
            "schema": TEXT,
        },
        "sql_conn_id": {
            "label": "Connection to the database",
            "description": "Airflow connection that may read the company's database: GL00100, GL00105, GL10110, "
            "GL10111, GL40200 and SY40100. Empty: balances are summed from journals, and totals are not compared.",
            "schema": TEXT,
        },
        "window_days": {
            "label": "Days per list",
            "description": "How many days one list of transactions spans.",
            "schema": {"type": "string", "default": "7"},
        },
        "ledger": {
            "label": "Reporting ledger",
            "description": "The ledger that is read.",
            "schema": {"type": "string", "enum": ["Base", "IFRS", "Local"], "default": "Base"},
        },
        "auth": {
            "label": "Authentication",
            "description": "auto: NTLM for DOMAIN\\user, Negotiate for user@realm, a keytab or tickets.",
            "schema": {"type": "string", "enum": ["auto", "negotiate", "ntlm"], "default": "auto"},
        },
        "secret": {
            "label": "Proof of the account",
            "description": "password; keytab: the worker's KRB5_CLIENT_KTNAME; tickets: the worker's ticket cache.",
            "schema": {"type": "string", "enum": ["password", "keytab", "tickets"], "default": "password"},
        },
        "kerberos_host": {
            "label": "Host of the service principal",
            "description": "Where HTTP/<host> is registered under another name than the address has.",
            "schema": TEXT,
        },
    },
}
