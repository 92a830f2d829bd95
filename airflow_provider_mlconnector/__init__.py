# SPDX-License-Identifier: Apache-2.0
"""Airflow provider that keeps an Anaplan model and an ERP ledger in agreement."""

__version__ = "0.1.0"
