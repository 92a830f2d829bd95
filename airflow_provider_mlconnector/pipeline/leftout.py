# SPDX-License-Identifier: Apache-2.0
"""What a plan leaves out of a book by rule, in amounts: the ERP's own figures hold it, the model does not."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import ZERO, add_money
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.selection import LEFT_OUT

LeftOut = Mapping[str, Mapping[str, Decimal]]
"""By reason, debit minus credit per account."""


def left_out_by_rule(db: Engine, plan: LoadPlan) -> LeftOut:
    """Add up the journal lines of ``selection`` that are left out; nothing for another dataset."""
    if plan.dataset is not Dataset.JOURNAL_LINES:
        return {}
    reason = quoted(LEFT_OUT)
    rows = db.rows(
        f"SELECT {reason}, account, sum(amount) FROM selection WHERE {reason} IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    found: dict[str, dict[str, Decimal]] = {}
    for why, account, amount in rows:
        found.setdefault(why, {})[account] = amount
    return found


def without(by_account: Mapping[str, Decimal], left_out: LeftOut) -> dict[str, Decimal]:
    """Return movements less what is left out of them by rule; an account that they do not know stays unknown."""
    return {
        account: add_money([amount, *(out.get(account, ZERO).copy_negate() for out in left_out.values())])
        for account, amount in by_account.items()
    }
