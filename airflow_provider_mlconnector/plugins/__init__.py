# SPDX-License-Identifier: Apache-2.0
"""What Airflow loads into each of its processes."""
