# SPDX-License-Identifier: Apache-2.0
"""What Dynamics GP can be asked for; light enough to be read while a DAG file is parsed."""

from __future__ import annotations

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.port import AS_IT_STANDS, OF_A_PERIOD, Capabilities, DatasetCapability

MOST_IN_FLIGHT = 2
"""Reads side by side. Each call keeps a process of the application busy, of which a server has a few."""

DEFAULT_SEGMENTS = "segments"
"""Option of a flow's journals: values of segments for lines that name none."""

CAPABILITIES = Capabilities(
    datasets={
        Dataset.ACCOUNTS: AS_IT_STANDS,
        Dataset.COST_CENTRES: AS_IT_STANDS,
        Dataset.JOURNAL_LINES: DatasetCapability(
            incremental=True, by_period=True, dimensions=True, by_record=True, ledgers=True
        ),
        Dataset.ACCOUNT_BALANCES: OF_A_PERIOD,
        Dataset.VENDORS: AS_IT_STANDS,
        Dataset.AP_INVOICES: AS_IT_STANDS,
        Dataset.EMPLOYEES: AS_IT_STANDS,
        Dataset.PERIODS: AS_IT_STANDS,
    },
    drafts_journals=True,
    draft_options=(DEFAULT_SEGMENTS,),
    title="Dynamics GP",
    readers=MOST_IN_FLIGHT,
)
