# SPDX-License-Identifier: Apache-2.0
"""Cost centres: the values of a dimension, as they stand today."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.connection import FinanceApi
from airflow_provider_mlconnector.systems.business_central.hierarchy import parents_by_totals
from airflow_provider_mlconnector.systems.business_central.names import decode_name, head
from airflow_provider_mlconnector.systems.business_central.resources import (
    DIMENSION_VALUES,
    DIMENSIONS,
    FINANCE_DIMENSION_VALUES,
)
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.http.keyset import literal
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa


def read_cost_centres(api: BusinessCentralApi, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the values of each dimension that the scope names.

    :raises CapabilityError: when it names none, or one that the company does not have.
    """
    if not scope.dimensions:
        raise CapabilityError(
            "Cost centres are the values of a dimension, and none is named.", hint="Name it, such as DEPARTMENT."
        )
    finance = api.offers(FINANCE_DIMENSION_VALUES)
    resource = FINANCE_DIMENSION_VALUES if finance else DIMENSION_VALUES
    reading.resource = resource.title
    if not finance and api.connection.source is FinanceApi.AUTO:
        detail = "the finance API does not answer; whether values are blocked, totals or standard is unknown"
        reading.findings.append(Finding(FindingKind.FALLBACK, FINANCE_DIMENSION_VALUES.title, detail))
    ids = dimension_ids(api)
    for code in scope.dimensions:
        if code not in ids:
            raise CapabilityError(f"The company has no dimension {code}; it has {', '.join(sorted(ids)) or 'none'}.")
        if finance:
            yield _finance_values(api, code, reading)
        else:
            yield _plain_values(api, code, ids[code], reading)


def dimension_ids(api: BusinessCentralApi) -> dict[str, str]:
    """Return the company's dimensions, id by code."""
    return {row["code"]: row["id"] for batch in api.rows(DIMENSIONS, []) for row in batch.to_pylist()}


def _finance_values(api: BusinessCentralApi, code: str, reading: Reading) -> pa.RecordBatch:
    batches = api.rows(FINANCE_DIMENSION_VALUES, reading.findings, where=f"dimensionCode eq {literal(code)}")
    rows = [row for batch in batches for row in batch.to_pylist()]
    kinds = [decode_name(row["dimensionValueType"]) for row in rows]
    codes = [row["dimensionValueCode"] for row in rows]
    columns = {
        **head(rows, document="dimensionValueCode"),
        "dimension": [code] * len(rows),
        "code": codes,
        "name": [row["dimensionValueName"] for row in rows],
        "parent": parents_by_totals(zip(codes, kinds, strict=True)),
        "value_type": kinds,
        "blocked": [row["blocked"] for row in rows],
    }
    return canonical_batch(Dataset.COST_CENTRES, columns)


def _plain_values(api: BusinessCentralApi, code: str, dimension_id: str, reading: Reading) -> pa.RecordBatch:
    path = f"{api.path(DIMENSIONS)}({dimension_id})/{DIMENSION_VALUES.name}"
    rows = [row for batch in api.rows(DIMENSION_VALUES, reading.findings, path=path) for row in batch.to_pylist()]
    columns = {
        **head(rows, document="code"),
        "dimension": [code] * len(rows),
        "code": [row["code"] for row in rows],
        "name": [row["displayName"] for row in rows],
    }
    return canonical_batch(Dataset.COST_CENTRES, columns)
