# SPDX-License-Identifier: Apache-2.0
"""What Airflow is told about this package. Called in every process, so it needs nothing but the standard library."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms import (
    acumatica,
    anaplan,
    business_central,
    dynamics_fo,
    dynamics_gp,
    syspro,
    trail,
)
from airflow_provider_mlconnector.forms.words import PACKAGE

_INTEGRATIONS = (
    ("Anaplan", "https://help.anaplan.com/", "anaplan"),
    ("Dynamics 365 Business Central", "https://learn.microsoft.com/dynamics365/business-central/", "business_central"),
    ("Dynamics 365 Finance & Operations", "https://learn.microsoft.com/dynamics365/fin-ops-core/", "dynamics_fo"),
    ("Acumatica", "https://help.acumatica.com/", "acumatica"),
    ("SYSPRO", "https://help.syspro.com/", "syspro"),
    ("Dynamics GP", "https://learn.microsoft.com/dynamics-gp/", "dynamics_gp"),
)
"""Each system's name, its own documentation, and the module of its hook."""


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
            {"integration-name": name, "external-doc-url": url, "tags": ["service"]} for name, url, _ in _INTEGRATIONS
        ],
        "hooks": [
            {"integration-name": name, "python-modules": [f"{PACKAGE}.hooks.{module}"]}
            for name, _, module in _INTEGRATIONS
        ],
        "operators": [
            {
                "integration-name": "Anaplan",
                "python-modules": [
                    f"{PACKAGE}.operators.{module}"
                    for module in ("anaplan", "approval", "close", "erp", "plan", "reconcile", "replay")
                ],
            }
        ],
        "sensors": [{"integration-name": "Anaplan", "python-modules": [f"{PACKAGE}.sensors.anaplan"]}],
        "triggers": [{"integration-name": "Anaplan", "python-modules": [f"{PACKAGE}.triggers.anaplan"]}],
        "connection-types": [
            anaplan.FORM,
            business_central.FORM,
            dynamics_fo.FORM,
            acumatica.FORM,
            syspro.FORM,
            dynamics_gp.FORM,
            trail.FORM,
        ],
        "extra-links": [
            f"{PACKAGE}.operators.links.AnaplanModelLink",
            f"{PACKAGE}.operators.links.AnaplanTaskLink",
        ],
        "asset-uris": [
            {
                "schemes": ["anaplan"],
                "handler": f"{PACKAGE}.assets.sanitize_uri",
                "factory": f"{PACKAGE}.assets.create_asset",
                "to_openlineage_converter": f"{PACKAGE}.assets.convert_asset_to_openlineage",
            }
        ],
        "cli": [f"{PACKAGE}.cli.definition.get_mlconnector_cli_commands"],
        "config": {
            "mlconnector": {
                "description": "Settings of airflow-provider-mlconnector.",
                "options": _OPTIONS,
            }
        },
    }
