# SPDX-License-Identifier: Apache-2.0
"""The DAGs of each Business Central flow in the folder ``flows`` beside this file: its close, and its plans."""

from pathlib import Path

from airflow_provider_mlconnector.dags import close_dags, plan_dags

FLOWS = Path(__file__).parent / "flows"
globals().update(close_dags(FLOWS, system="business_central") | plan_dags(FLOWS, system="business_central"))
