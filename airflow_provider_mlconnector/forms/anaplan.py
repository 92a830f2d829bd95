# SPDX-License-Identifier: Apache-2.0
"""The form of a connection to an Anaplan tenant."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.forms.words import PACKAGE, SECRET

_REGIONS = [
    *("us1", "us2", "us5", "us7", "us9", "eu1", "eu2", "eu3", "eu4", "eu5", "gb1"),
    *("ap1", "sg1", "ae1", "in1", "id1", "me1", "ca1", "au1"),
    "custom",
]

FORM: dict[str, Any] = {
    "connection-type": "anaplan",
    "hook-class-name": f"{PACKAGE}.hooks.anaplan.AnaplanHook",
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
            "schema": {"type": "string", "enum": _REGIONS, "default": "us1"},
        },
        "certificate": {
            "label": "CA certificate (PEM)",
            "description": "The text of the certificate that the tenant's security administrator registered.",
            "schema": SECRET,
        },
        "private_key": {
            "label": "Private key (PEM)",
            "description": "The text of the certificate's private key; its passphrase, if any, goes into the password.",
            "schema": SECRET,
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
