# SPDX-License-Identifier: Apache-2.0
"""The chart of accounts, as it stands today.

Master data is read whole each time: a deletion leaves no stamp that an incremental read could find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.hierarchy import parents_by_totals
from airflow_provider_mlconnector.systems.business_central.names import decode_name, head
from airflow_provider_mlconnector.systems.business_central.resources import ACCOUNTS, FINANCE_ACCOUNTS
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading

if TYPE_CHECKING:
    import pyarrow as pa

STATEMENTS = {
    "Assets": "Balance Sheet",
    "Liabilities": "Balance Sheet",
    "Equity": "Balance Sheet",
    "Income": "Income Statement",
    "Cost of Goods Sold": "Income Statement",
    "Expense": "Income Statement",
}
"""The statement that an account's category belongs to, in the words of the finance API."""


Place = tuple[str | None, str | None]
"""An account's parent and the statement that it belongs to."""

NOWHERE: Place = (None, None)


def read_accounts(api: BusinessCentralApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the chart of accounts in order, headings and totals included.

    The parent is what the finance API says; without it, it follows from the Begin-Total and End-Total accounts around.
    """
    reading.resource = ACCOUNTS.title
    chart = [row for batch in api.rows(ACCOUNTS, reading.findings) for row in batch.to_pylist()]
    for row in chart:
        row["accountType"], row["category"] = decode_name(row["accountType"]), decode_name(row["category"] or "")
    places = _finance_places(api, reading) if api.offers(FINANCE_ACCOUNTS) else _derived_places(chart)
    columns = {
        **head(chart, document="number"),
        "account": [row["number"] for row in chart],
        "name": [row["displayName"] for row in chart],
        "parent": [places.get(row["number"], NOWHERE)[0] for row in chart],
        "account_type": [row["accountType"] for row in chart],
        "category": [row["category"] for row in chart],
        "subcategory": [row["subCategory"] for row in chart],
        "statement": [places.get(row["number"], NOWHERE)[1] for row in chart],
        "blocked": [row["blocked"] for row in chart],
        "direct_posting": [row["directPosting"] for row in chart],
        "statistical": [False] * len(chart),
    }
    yield canonical_batch(Dataset.ACCOUNTS, columns)


def _finance_places(api: BusinessCentralApi, reading: Reading) -> dict[str, Place]:
    rows = [row for batch in api.rows(FINANCE_ACCOUNTS, reading.findings) for row in batch.to_pylist()]
    return {
        row["accountNumber"]: (row["parentAccountNumber"] or None, decode_name(row["incomeBalance"] or "") or None)
        for row in rows
    }


def _derived_places(chart: Sequence[Mapping[str, Any]]) -> dict[str, Place]:
    parents = parents_by_totals((row["number"], row["accountType"]) for row in chart)
    return {
        row["number"]: (parent, STATEMENTS.get(row["category"])) for row, parent in zip(chart, parents, strict=True)
    }
