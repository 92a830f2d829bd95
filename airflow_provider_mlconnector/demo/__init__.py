# SPDX-License-Identifier: Apache-2.0
"""A rehearsal of the close: sandbox and a real Airflow, started and stopped together."""
