# SPDX-License-Identifier: Apache-2.0
"""What Acumatica can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import Capabilities, DatasetCapability

SEATS = 1
"""Sessions that we take at once: a license allows few, of all applications together."""

DEFAULT_SEGMENTS, RELEASE = "segments", "release"
"""Names of what a flow may say of this ledger's journals alone."""

_AS_IT_STANDS = DatasetCapability(incremental=False, by_period=False)

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: _AS_IT_STANDS,
        Dataset.COST_CENTRES: _AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(incremental=True, by_period=True, dimensions=True, by_record=True),
        Dataset.ACCOUNT_BALANCES: DatasetCapability(incremental=False, by_period=True),
        Dataset.VENDORS: _AS_IT_STANDS,
        Dataset.EMPLOYEES: _AS_IT_STANDS,
        Dataset.AP_INVOICES: DatasetCapability(incremental=True, by_period=False),
        Dataset.PERIODS: _AS_IT_STANDS,
        Dataset.PURCHASE_ORDERS: _AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=(DEFAULT_SEGMENTS, RELEASE),
    title="Acumatica",
    readers=SEATS,
)
