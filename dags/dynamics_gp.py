# SPDX-License-Identifier: Apache-2.0
"""One Airflow DAG for each Dynamics GP flow in the folder ``flows`` beside this file."""

from pathlib import Path

from airflow_provider_mlconnector.dags import close_dags

globals().update(close_dags(Path(__file__).parent / "flows", system="dynamics_gp"))
