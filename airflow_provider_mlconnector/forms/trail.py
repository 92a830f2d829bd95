# SPDX-License-Identifier: Apache-2.0
"""The form of a connection to the trail's database."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms.words import PACKAGE

FORM: dict[str, Any] = {
    "connection-type": "mlconnector_trail",
    "hook-class-name": f"{PACKAGE}.hooks.trail.TrailHook",
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
