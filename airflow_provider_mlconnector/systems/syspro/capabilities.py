# SPDX-License-Identifier: Apache-2.0
"""What SYSPRO can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import Capabilities, DatasetCapability

COUNTS_BEHIND = 200_000
"""How many counts behind its watermark a read of changes begins: row versions are given before they are committed."""

DRAFT_OPTIONS = ("folder", "webhook", "post", "object", "template", "segments", "validate")
"""Names of what a flow can say of its journals: see ``draft_options``."""

_AS_IT_STANDS = DatasetCapability(incremental=False, by_period=False)

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: _AS_IT_STANDS,
        Dataset.COST_CENTRES: _AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(incremental=True, by_period=True, dimensions=True),
        Dataset.ACCOUNT_BALANCES: DatasetCapability(incremental=False, by_period=True),
        Dataset.VENDORS: _AS_IT_STANDS,
        Dataset.CUSTOMERS: _AS_IT_STANDS,
        Dataset.AP_INVOICES: _AS_IT_STANDS,
        Dataset.AP_POSTINGS: _AS_IT_STANDS,
        Dataset.AR_INVOICES: _AS_IT_STANDS,
        Dataset.INVENTORY: _AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=DRAFT_OPTIONS,
    overlap=timedelta(microseconds=COUNTS_BEHIND),
    title="SYSPRO",
    readers=2,
)
