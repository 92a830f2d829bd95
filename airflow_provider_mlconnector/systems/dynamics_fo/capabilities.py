# SPDX-License-Identifier: Apache-2.0
"""What Finance & Operations can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import Capabilities, DatasetCapability

ACTUAL_LAYER = "Current"
"""The posting layer of what happened; others hold what tax, operations or a budget make of it."""

_AS_IT_STANDS = DatasetCapability(incremental=False, by_period=False)

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: _AS_IT_STANDS,
        Dataset.COST_CENTRES: _AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(incremental=True, by_period=True, dimensions=True),
        Dataset.ACCOUNT_BALANCES: DatasetCapability(incremental=False, by_period=True),
        Dataset.VENDORS: _AS_IT_STANDS,
        Dataset.PERIODS: _AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=("layer", "workflow", "mandatory", "posting_service", "posting_arguments"),
    overlap=timedelta(hours=1),  # numbers are given out in blocks per server, and long postings commit late
    title="Finance & Operations",
    readers=4,
    actual_ledger=ACTUAL_LAYER,
)
