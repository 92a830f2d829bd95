# SPDX-License-Identifier: Apache-2.0
"""What the fields of several forms are made of."""

from __future__ import annotations

from typing import Any

PACKAGE = "airflow_provider_mlconnector"

SECRET = {"type": ["string", "null"], "format": "password"}
"""Schema of a text that is stored encrypted and shown as dots."""

TEXT = {"type": ["string", "null"]}
"""Schema of a text that may stay empty."""

APPLICATION: dict[str, Any] = {
    "auth": {
        "label": "Authentication",
        "description": "secret: the client secret. certificate: a certificate registered with the application.",
        "schema": {"type": "string", "enum": ["secret", "certificate"], "default": "secret"},
    },
    "certificate": {
        "label": "Certificate (PEM)",
        "description": "The text of the certificate registered with the application.",
        "schema": SECRET,
    },
    "private_key": {
        "label": "Private key (PEM)",
        "description": "The text of the certificate's private key; its passphrase, if any, goes into the password.",
        "schema": SECRET,
    },
}
"""Fields of a form by which an application proves itself to Microsoft Entra ID."""
