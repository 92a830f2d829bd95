# SPDX-License-Identifier: Apache-2.0
"""What Airflow is told about this package. Called in every process, so it needs nothing but the standard library."""

from __future__ import annotations

from typing import Any

_PACKAGE = "airflow_provider_mlconnector"

_SECRET = {"type": ["string", "null"], "format": "password"}
_TEXT = {"type": ["string", "null"]}

_ANAPLAN_REGIONS = [
    *("us1", "us2", "us5", "us7", "us9", "eu1", "eu2", "eu3", "eu4", "eu5", "gb1"),
    *("ap1", "sg1", "ae1", "in1", "id1", "me1", "ca1", "au1"),
    "custom",
]

_ANAPLAN: dict[str, Any] = {
    "connection-type": "anaplan",
    "hook-class-name": f"{_PACKAGE}.hooks.anaplan.AnaplanHook",
    "hook-name": "Anaplan",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "extra"],
        "relabeling": {
            "login": "User, or OAuth client id",
            "password": "Password, key passphrase or OAuth client secret",
            "host": "Host (region custom only)",
        },
        "placeholders": {
            "login": "integration@example.com",
            "host": "https://anaplan.example.com",
        },
    },
    "conn-fields": {
        "auth": {
            "label": "Authentication",
            "description": "basic: user and password. certificate: CA certificate and private key. "
            "oauth: client id; the refresh token comes from `airflow mlconnector login`.",
            "schema": {"type": "string", "enum": ["basic", "certificate", "oauth"], "default": "basic"},
        },
        "region": {
            "label": "Region",
            "description": "Where the tenant lives. custom: the host above, listed in [mlconnector] allowed_hosts.",
            "schema": {"type": "string", "enum": _ANAPLAN_REGIONS, "default": "us1"},
        },
        "certificate": {
            "label": "CA certificate (PEM)",
            "description": "The text of the certificate that the tenant's security administrator registered.",
            "schema": _SECRET,
        },
        "private_key": {
            "label": "Private key (PEM)",
            "description": "The text of the certificate's private key; its passphrase, if any, goes into the password.",
            "schema": _SECRET,
        },
        "certificate_version": {
            "label": "Certificate login format",
            "description": "v2 signs a timestamp too; v1 is Anaplan's older format.",
            "schema": {"type": "string", "enum": ["v2", "v1"], "default": "v2"},
        },
        "rotatable": {
            "label": "Rotatable refresh token",
            "description": "Whether the OAuth client was registered with rotatable refresh tokens.",
            "schema": {"type": ["boolean", "null"], "default": True},
        },
    },
}

_BUSINESS_CENTRAL: dict[str, Any] = {
    "connection-type": "business_central",
    "hook-class-name": f"{_PACKAGE}.hooks.business_central.BusinessCentralHook",
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
            "schema": _TEXT,
        },
        "auth": {
            "label": "Authentication",
            "description": "secret: the client secret. certificate: a certificate registered with the application.",
            "schema": {"type": "string", "enum": ["secret", "certificate"], "default": "secret"},
        },
        "certificate": {
            "label": "Certificate (PEM)",
            "description": "The text of the certificate registered with the application.",
            "schema": _SECRET,
        },
        "private_key": {
            "label": "Private key (PEM)",
            "description": "The text of the certificate's private key; its passphrase, if any, goes into the password.",
            "schema": _SECRET,
        },
        "source": {
            "label": "Ledger source",
            "description": "reports_finance: the finance API (beta). v2: API v2.0. auto: the first where it answers.",
            "schema": {"type": "string", "enum": ["auto", "reports_finance", "v2"], "default": "auto"},
        },
    },
}

_TRAIL: dict[str, Any] = {
    "connection-type": "mlconnector_trail",
    "hook-class-name": f"{_PACKAGE}.hooks.trail.TrailHook",
    "hook-name": "mlconnector trail",
    "ui-field-behaviour": {
        "hidden-fields": ["extra"],
        "relabeling": {"schema": "Database"},
        "placeholders": {"host": "postgres.example.com", "port": "5432", "schema": "mlconnector"},
    },
    "conn-fields": {
        "sslmode": {
            "label": "TLS mode",
            "description": "PostgreSQL's sslmode.",
            "schema": {
                "type": "string",
                "enum": ["prefer", "require", "verify-ca", "verify-full", "disable"],
                "default": "prefer",
            },
        },
    },
}


def _option(kind: str, default: str | None, example: str | None, description: str, **more: bool) -> dict[str, Any]:
    """Describe one option of ``[mlconnector]`` as Airflow's schema wants it."""
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
        **more,
    }


_OPTIONS: dict[str, dict[str, Any]] = {
    "allowed_hosts": _option(
        "string",
        "",
        "https://anaplan.example.com,http://127.0.0.1:8123",
        "Origins, separated by commas, that a connection may name as its own host. "
        "The vendors' public hosts need no entry.",
    ),
    "trail_conn_id": _option(
        "string",
        "mlconnector_trail",
        "mlconnector_trail",
        "Connection to the trail's database. Where it does not exist, the SQLite file ``trail_path`` is used.",
    ),
    "trail_path": _option(
        "string",
        "",
        "/var/lib/airflow/trail.db",
        "SQLite file of the trail, for one machine. Empty: mlconnector/trail.db under AIRFLOW_HOME.",
    ),
    "staging": _option(
        "string",
        "",
        "s3://aws_default@finance-staging/mlconnector",
        "Where batches, import files and dumps are kept: a folder that all workers see, or the URL of an object store "
        "(connection id before the @). Empty: mlconnector/stage under AIRFLOW_HOME.",
    ),
    "vault_key": _option(
        "string",
        "",
        None,
        "Fernet key that encrypts stored tokens. Empty: Airflow's own [core] fernet_key.",
        sensitive=True,
    ),
    "requests_per_minute": _option(
        "integer", "600", "600", "The Anaplan tenant's allowance, shared by all workers and triggerers."
    ),
    "reserve": _option(
        "integer", "60", "60", "Requests per minute of that allowance that are left to people and other tools."
    ),
    "read_timeout": _option(
        "float", "300", "300", "Seconds without a byte after which a request counts as unanswered."
    ),
    "http_proxy": _option("string", "", "http://proxy.example.com:3128", "Proxy for http URLs.", sensitive=True),
    "https_proxy": _option("string", "", "http://proxy.example.com:3128", "Proxy for https URLs.", sensitive=True),
    "ca_bundle": _option(
        "string",
        "",
        "/etc/ssl/certs/company.pem",
        "File of CA certificates to verify servers with. Empty: the usual ones.",
    ),
    "memory_limit": _option(
        "string", "512MB", "512MB", "Memory that one step's joins may use before they spill to the disk."
    ),
    "grace": _option(
        "float", "15", "15", "Seconds for which a worker itself polls a remote task before the task defers."
    ),
    "first_poll": _option("float", "10", "10", "Seconds until a trigger looks at its remote task for the first time."),
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, as ``airflow/provider_info.schema.json`` wants it."""
    return {
        "package-name": "airflow-provider-mlconnector",
        "name": "mlconnector",
        "description": "Keeps an Anaplan planning model and an ERP ledger in agreement.",
        "integrations": [
            {
                "integration-name": "Anaplan",
                "external-doc-url": "https://help.anaplan.com/",
                "tags": ["service"],
            },
            {
                "integration-name": "Dynamics 365 Business Central",
                "external-doc-url": "https://learn.microsoft.com/dynamics365/business-central/",
                "tags": ["service"],
            },
        ],
        "hooks": [
            {"integration-name": "Anaplan", "python-modules": [f"{_PACKAGE}.hooks.anaplan"]},
            {
                "integration-name": "Dynamics 365 Business Central",
                "python-modules": [f"{_PACKAGE}.hooks.business_central"],
            },
        ],
        "operators": [
            {
                "integration-name": "Anaplan",
                "python-modules": [
                    f"{_PACKAGE}.operators.{module}" for module in ("anaplan", "close", "erp", "reconcile", "replay")
                ],
            }
        ],
        "sensors": [{"integration-name": "Anaplan", "python-modules": [f"{_PACKAGE}.sensors.anaplan"]}],
        "triggers": [{"integration-name": "Anaplan", "python-modules": [f"{_PACKAGE}.triggers.anaplan"]}],
        "connection-types": [_ANAPLAN, _BUSINESS_CENTRAL, _TRAIL],
        "extra-links": [
            f"{_PACKAGE}.operators.links.AnaplanModelLink",
            f"{_PACKAGE}.operators.links.AnaplanTaskLink",
        ],
        "asset-uris": [
            {
                "schemes": ["anaplan"],
                "handler": f"{_PACKAGE}.assets.sanitize_uri",
                "factory": f"{_PACKAGE}.assets.create_asset",
                "to_openlineage_converter": f"{_PACKAGE}.assets.convert_asset_to_openlineage",
            }
        ],
        "cli": [f"{_PACKAGE}.cli.definition.get_mlconnector_cli_commands"],
        "config": {
            "mlconnector": {
                "description": "Settings of airflow-provider-mlconnector.",
                "options": _OPTIONS,
            }
        },
    }
