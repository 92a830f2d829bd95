# SPDX-License-Identifier: Apache-2.0
"""Natural signs: which accounts have a credit balance by nature, by the category in the book of accounts."""

from __future__ import annotations

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.journal import natural_sign
from airflow_provider_mlconnector.pipeline.book import lay_out
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, engine
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.tables import TEXT, YES_NO, table
from airflow_provider_mlconnector.trail.records import BookScope


def categories_of(bench: Bench, flow: str, company: str) -> dict[str, str | None]:
    """Return the category of each account in the book; none at all when the flow never read its accounts."""
    scope = BookScope(flow=flow, company=company, dataset=Dataset.ACCOUNTS, period="")
    state = bench.trail.book(scope)
    if state.base is None:
        return {}
    with engine(bench) as accounts:
        lay_out(accounts, bench.stage, state)
        return dict(accounts.rows("SELECT account, category FROM book"))


def turned_accounts(bench: Bench, flow: str, company: str) -> dict[str, bool]:
    """Return of each account in the book whether its sign is turned.

    :raises DataError: when the flow never read its accounts.
    """
    categories = categories_of(bench, flow, company)
    if not categories:
        raise DataError(
            "Natural signs follow the categories of accounts, and the flow has not read its accounts.",
            hint="Load the dataset accounts in the same flow, before this one, or use sign: ledger.",
        )
    return {account: natural_sign(category) < 0 for account, category in categories.items()}


def place_natures(bench: Bench, db: Engine, plan: LoadPlan) -> None:
    """Name whether the sign of each account is turned ``natures``.

    :raises DataError: when the flow never read its accounts.
    """
    natures = turned_accounts(bench, plan.flow, plan.company)
    rows = [{"account": account, "turned": turned} for account, turned in natures.items()]
    db.table("natures", table({"account": TEXT, "turned": YES_NO}, rows))
