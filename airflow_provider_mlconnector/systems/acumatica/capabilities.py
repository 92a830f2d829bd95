# SPDX-License-Identifier: Apache-2.0
"""What Acumatica can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import AS_IT_STANDS, OF_A_PERIOD, Capabilities, DatasetCapability

SEATS = 1
"""Sessions that we take at once: a license allows few, of all applications together."""

DEFAULT_SEGMENTS, RELEASE = "segments", "release"
"""Names of what a flow may say of this ledger's journals alone."""

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: AS_IT_STANDS,
        Dataset.COST_CENTRES: AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(
            incremental=True, by_period=True, dimensions=True, by_record=True, ledgers=True
        ),
        Dataset.ACCOUNT_BALANCES: OF_A_PERIOD,
        Dataset.VENDORS: AS_IT_STANDS,
        Dataset.EMPLOYEES: AS_IT_STANDS,
        Dataset.AP_INVOICES: DatasetCapability(incremental=True, by_period=False),
        Dataset.PERIODS: AS_IT_STANDS,
        Dataset.PURCHASE_ORDERS: AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=(DEFAULT_SEGMENTS, RELEASE),
    title="Acumatica",
    readers=SEATS,
)
