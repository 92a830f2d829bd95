# SPDX-License-Identifier: Apache-2.0
"""The DAGs of each Dynamics GP flow in the folder ``flows`` beside this file: its close, and its plans."""

from pathlib import Path

from airflow_provider_mlconnector.dags import flow_dags

globals().update(flow_dags(Path(__file__).parent / "flows", system="dynamics_gp"))
