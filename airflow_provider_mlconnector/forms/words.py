# SPDX-License-Identifier: Apache-2.0
"""What the fields of several forms are made of."""

from __future__ import annotations

PACKAGE = "airflow_provider_mlconnector"

SECRET = {"type": ["string", "null"], "format": "password"}
"""Schema of a text that is stored encrypted and shown as dots."""

TEXT = {"type": ["string", "null"]}
"""Schema of a text that may stay empty."""
