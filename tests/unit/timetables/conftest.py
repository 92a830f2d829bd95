# SPDX-License-Identifier: Apache-2.0
"""Airflow is imported here: give it a home of its own before it looks for one."""

import os
import tempfile

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="mlconnector-airflow-"))
