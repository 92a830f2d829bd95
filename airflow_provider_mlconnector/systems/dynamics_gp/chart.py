# SPDX-License-Identifier: Apache-2.0
"""The chart of accounts: account numbers made of segments, one of which is the account and the others are dimensions.

An account of Dynamics GP is a combination of segment values. The datasets know the main segment as the account; what
the other segments hold are dimensions, by the names that the account format gives them. Values of segments have no list
of their own in either service: they are those that accounts are made of, and their names are in the database alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.formats import check_dimensions
from airflow_provider_mlconnector.systems.dynamics_gp.tables import GpTables
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_YEAR = 1901
"""Years before it stand for no date: the service shows 1900-01-01 or 0001-01-01 where there is none."""

STATEMENTS = {"BalanceSheet": "Balance Sheet", "ProfitLoss": "Income Statement"}


@dataclass(frozen=True, slots=True)
class GpAccount:
    """An account with all its segments; ``is_unit`` for one that counts something else than money."""

    number: str
    description: str
    active: bool
    is_unit: bool
    allows_entry: bool
    category: str
    statement: str
    modified_at: datetime | None


def list_accounts(api: GpApi) -> list[GpAccount]:
    """Ask for all posting and unit accounts."""
    posting = api.listed("GetGLPostingAccountList", api.soap.make("GLPostingAccountCriteria"))
    return [_account(row, is_unit=False) for row in posting] + list_units(api)


def list_units(api: GpApi) -> list[GpAccount]:
    """Ask for the unit accounts."""
    rows = api.listed("GetGLUnitAccountList", api.soap.make("GLUnitAccountCriteria"))
    return [_account(row, is_unit=True) for row in rows]


def read_accounts(api: GpApi, reading: Reading, tables: GpTables | None) -> Iterator[pa.RecordBatch]:
    """Yield the main accounts in order, each once; neither service knows a parent.

    An account's name is that of its segment value, from the database; without it, it is the shortest description of the
    accounts made with it, as those of single departments have the department's name behind.
    """
    reading.resource = "GetGLPostingAccountList, GetGLUnitAccountList"
    form = api.account_format
    names = tables.segment_names(form.main + 1) if tables else {}
    groups: dict[str, list[GpAccount]] = {}
    for account in list_accounts(api):
        groups.setdefault(form.account(account.number), []).append(account)
    found = sorted(groups.items())
    columns = {
        "record_id": [number for number, _ in found],
        "document": [number for number, _ in found],
        "modified_at": [_latest(group) for _, group in found],
        "account": [number for number, _ in found],
        "name": [names.get(number) or _shortest(group) for number, group in found],
        "account_type": ["Unit" if group[0].is_unit else "Posting" for _, group in found],
        "category": [group[0].category for _, group in found],
        "statement": [group[0].statement or None for _, group in found],
        "blocked": [not any(account.active for account in group) for _, group in found],
        "direct_posting": [any(account.allows_entry for account in group) for _, group in found],
        "statistical": [group[0].is_unit for _, group in found],
    }
    yield canonical_batch(Dataset.ACCOUNTS, columns)


def read_cost_centres(api: GpApi, scope: Scope, reading: Reading, tables: GpTables | None) -> Iterator[pa.RecordBatch]:
    """Yield the values of the segments that a scope names, or of all but the account, as far as accounts have them."""
    reading.resource = "GetGLPostingAccountList, GetGLUnitAccountList"
    form = api.account_format
    wanted = scope.dimensions or form.dimensions
    check_dimensions(form, wanted)
    splits = [form.values(account.number) for account in list_accounts(api)]
    rows = sorted({(name, values[name]) for values in splits if values for name in wanted})
    names = {name: tables.segment_names(form.segments.index(name) + 1) for name in wanted} if tables else {}
    columns = {
        "record_id": [f"{name}/{code}" for name, code in rows],
        "document": [code for _, code in rows],
        "dimension": [name for name, _ in rows],
        "code": [code for _, code in rows],
        "name": [names.get(name, {}).get(code) or code for name, code in rows],
        "value_type": ["Standard"] * len(rows),
        "blocked": [False] * len(rows),
    }
    yield canonical_batch(Dataset.COST_CENTRES, columns)


def stamp(moment: datetime | None) -> datetime | None:
    """Return a modified stamp in UTC; None for the dates that stand for none."""
    if moment is None or moment.year < FIRST_YEAR:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _account(row: Any, *, is_unit: bool) -> GpAccount:
    category = getattr(row, "GLAccountCategoryKey", None)
    return GpAccount(
        number=str(row.Key.Id),
        description=(row.Description or "").strip(),
        active=row.IsActive is not False,
        is_unit=is_unit,
        allows_entry=getattr(row, "AllowAccountEntry", True) is not False,
        category=(category.Id or "" if category is not None else "").strip(),
        statement=STATEMENTS.get(getattr(row, "PostingType", None) or "", ""),
        modified_at=stamp(row.ModifiedDate),
    )


def _shortest(group: list[GpAccount]) -> str:
    described = [account.description for account in group if account.description]
    return min(described, key=lambda text: (len(text), text), default=group[0].number)


def _latest(group: list[GpAccount]) -> datetime | None:
    return max((account.modified_at for account in group if account.modified_at), default=None)
