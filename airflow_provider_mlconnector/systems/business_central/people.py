# SPDX-License-Identifier: Apache-2.0
"""Vendors and employees, as they stand today; only the fields that a plan needs are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.names import decode_names, stamps
from airflow_provider_mlconnector.systems.business_central.resources import EMPLOYEES, VENDORS, Resource
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading

if TYPE_CHECKING:
    import pyarrow as pa


def read_vendors(api: BusinessCentralApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the vendors; ``balance`` is what we owe them, in company currency."""
    for rows in _numbered(api, VENDORS, reading):
        own = {
            "blocked": decode_names(rows["blocked"]),
            "currency": rows["currencyCode"],
            "balance": rows["balance"],
        }
        yield canonical_batch(Dataset.VENDORS, {**_numbered_columns(rows), **own})


def read_employees(api: BusinessCentralApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the employees; nothing personal but name and job title is asked for."""
    for rows in _numbered(api, EMPLOYEES, reading):
        own = {"job_title": rows["jobTitle"], "status": decode_names(rows["status"])}
        yield canonical_batch(Dataset.EMPLOYEES, {**_numbered_columns(rows), **own})


def _numbered(api: BusinessCentralApi, resource: Resource, reading: Reading) -> Iterator[pa.RecordBatch]:
    reading.resource = resource.title
    return api.rows(resource, reading.findings)


def _numbered_columns(rows: pa.RecordBatch) -> dict[str, Any]:
    return {
        "record_id": rows["id"],
        "document": rows["number"],
        "modified_at": stamps(rows["lastModifiedDateTime"]),
        "number": rows["number"],
        "name": rows["displayName"],
    }
