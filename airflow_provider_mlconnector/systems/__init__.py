# SPDX-License-Identifier: Apache-2.0
"""The remote systems, one folder each, free of Airflow; what they share is in ``http``, what they answer in port."""
