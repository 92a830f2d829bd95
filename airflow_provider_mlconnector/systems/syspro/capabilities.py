# SPDX-License-Identifier: Apache-2.0
"""What SYSPRO can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import AS_IT_STANDS, OF_A_PERIOD, Capabilities, DatasetCapability

COUNTS_BEHIND = 200_000
"""How many counts behind its watermark a read of changes begins: row versions are given before they are committed."""

DRAFT_OPTIONS = ("folder", "webhook", "post", "object", "template", "segments", "validate")
"""Names of what a flow can say of its journals: see ``draft_options``."""

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: AS_IT_STANDS,
        Dataset.COST_CENTRES: AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(incremental=True, by_period=True, dimensions=True),
        Dataset.ACCOUNT_BALANCES: OF_A_PERIOD,
        Dataset.VENDORS: AS_IT_STANDS,
        Dataset.CUSTOMERS: AS_IT_STANDS,
        Dataset.AP_INVOICES: AS_IT_STANDS,
        Dataset.AP_POSTINGS: AS_IT_STANDS,
        Dataset.AR_INVOICES: AS_IT_STANDS,
        Dataset.INVENTORY: AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=DRAFT_OPTIONS,
    setup_checks=(Dataset.VENDORS, Dataset.CUSTOMERS),
    overlap=timedelta(microseconds=COUNTS_BEHIND),
    title="SYSPRO",
    readers=2,
)
