# SPDX-License-Identifier: Apache-2.0
"""The JSON schema of a flow file, so that editors complete keys and show what is allowed."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.flows.spec import FlowSpec


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a flow file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **FlowSpec.model_json_schema()}
