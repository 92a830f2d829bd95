# SPDX-License-Identifier: Apache-2.0
"""Accounts and cost centres out of the GL codes, as they stand today.

A GL code is an account in a cost centre; the account is the first of its segments, its name that of its first code.
Groups are the levels above the accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.canonical import Column, canonical_batch
from airflow_provider_mlconnector.systems.port import Reading, Scope
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.tables import GROUPS, MASTERS

if TYPE_CHECKING:
    import pyarrow as pa

STATISTICAL = "S"
BALANCE_SHEET, INCOME = "Balance Sheet", "Income Statement"
CATEGORIES = {
    "A": ("Assets", BALANCE_SHEET),
    "L": ("Liabilities", BALANCE_SHEET),
    "C": ("Equity", BALANCE_SHEET),
    "R": ("Income", INCOME),
    "E": ("Expense", INCOME),
}
"""Category and statement by the letter of an account's type; a statistical account has neither."""


def master_rows(api: SysproApi, reading: Reading) -> list[dict[str, Any]]:
    """Return the GL codes of the company, without those that SYSPRO keeps for itself."""
    found = [row for batch in api.rows(MASTERS, reading.findings) for row in batch.to_pylist()]
    return [row for row in found if row["GlCode"] not in api.connection.pseudo_codes]


def statistical_codes(api: SysproApi) -> Column:
    """Return the GL codes that count something else than money."""
    import pyarrow as pa

    conditions = {"AccountType": f"AccountType eq '{STATISTICAL}'"}
    found = [row for batch in api.rows(MASTERS, [], conditions) for row in batch["GlCode"].to_pylist()]
    return pa.array(found, pa.string())


def read_accounts(api: SysproApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield groups and accounts; the parent of an account is its group."""
    reading.resource = MASTERS.name
    groups = []
    if api.offers(GROUPS):
        groups = [row for batch in api.rows(GROUPS, reading.findings) for row in batch.to_pylist()]
    accounts: dict[str, dict[str, Any]] = {}
    for row in master_rows(api, reading):
        accounts.setdefault(api.connection.gl_code.split(row["GlCode"])[0], row)
    company = api.connection.company
    rows = [_group(company, row) for row in groups]
    known = {row["account"] for row in rows}
    rows += [_account(company, account, row, known) for account, row in accounts.items()]
    columns = {name: [row.get(name) for row in rows] for name in {name: None for row in rows for name in row}}
    yield canonical_batch(Dataset.ACCOUNTS, columns or {"record_id": []})


def _group(company: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "record_id": f"{company}/group/{row['GlGroup']}",
        "document": row["GlGroup"],
        "account": row["GlGroup"],
        "name": row["Description"],
        "parent": row["ParentGroup"] or None,
        "account_type": "Group",
        "direct_posting": False,
        "statistical": False,
    }


def _account(company: str, account: str, row: dict[str, Any], groups: set[str]) -> dict[str, Any]:
    """Return an account; without any groups to belong to it stands at the top."""
    category, statement = CATEGORIES.get(row["AccountType"], (None, None))
    return {
        "record_id": f"{company}/{account}",
        "document": account,
        "account": account,
        "name": row["Description"],
        "parent": (row["GlGroup"] or None) if groups else None,
        "account_type": "Posting",
        "category": category,
        "statement": statement,
        "direct_posting": True,
        "statistical": row["AccountType"] == STATISTICAL,
    }


def read_cost_centres(api: SysproApi, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the values of each segment that the scope names; SYSPRO has no names for them but in GL codes.

    :raises CapabilityError: when it names none.
    """
    if not scope.dimensions:
        known = ", ".join(api.connection.gl_code.dimensions)
        raise CapabilityError("Cost centres are the values of a segment of GL codes, and none is named.", hint=known)
    reading.resource = MASTERS.name
    codes = [api.connection.gl_code.split(row["GlCode"]) for row in master_rows(api, reading)]
    for dimension in scope.dimensions:
        at = 1 + api.connection.gl_code.dimensions.index(dimension)
        values = sorted({code[at] for code in codes} - {""})
        columns = {
            "record_id": [f"{api.connection.company}/{dimension}/{value}" for value in values],
            "document": values,
            "dimension": [dimension] * len(values),
            "code": values,
            "name": values,
        }
        yield canonical_batch(Dataset.COST_CENTRES, columns)
