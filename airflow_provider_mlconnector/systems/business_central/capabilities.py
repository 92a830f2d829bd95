# SPDX-License-Identifier: Apache-2.0
"""What Business Central can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import AS_IT_STANDS, OF_A_PERIOD, Capabilities, DatasetCapability

MOST_IN_FLIGHT = 5
"""Requests of one user that the service works on at a time; the rest would queue there (operational limits, online)."""

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: AS_IT_STANDS,
        Dataset.COST_CENTRES: AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(incremental=True, by_period=True, dimensions=True, by_record=True),
        Dataset.ACCOUNT_BALANCES: OF_A_PERIOD,
        Dataset.VENDORS: AS_IT_STANDS,
        Dataset.EMPLOYEES: AS_IT_STANDS,
        Dataset.PERIODS: AS_IT_STANDS,
        Dataset.PURCHASE_ORDERS: AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=("template",),
    title="Business Central",
    readers=MOST_IN_FLIGHT,
)
