# SPDX-License-Identifier: Apache-2.0
"""What Finance & Operations can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import AS_IT_STANDS, OF_A_PERIOD, Capabilities, DatasetCapability

ACTUAL_LAYER = "Current"
"""The posting layer of what happened; others hold what tax, operations or a budget make of it."""

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: AS_IT_STANDS,
        Dataset.COST_CENTRES: AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(incremental=True, by_period=True, dimensions=True, ledgers=True),
        Dataset.ACCOUNT_BALANCES: OF_A_PERIOD,
        Dataset.VENDORS: AS_IT_STANDS,
        Dataset.PERIODS: AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=("layer", "workflow", "mandatory", "posting_service", "posting_arguments"),
    overlap=timedelta(hours=1),  # numbers are given out in blocks per server, and long postings commit late
    title="Finance & Operations",
    readers=4,
    actual_ledger=ACTUAL_LAYER,
)
