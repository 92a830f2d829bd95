# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector``: one module per command."""
