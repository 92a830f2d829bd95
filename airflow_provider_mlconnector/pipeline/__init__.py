# SPDX-License-Identifier: Apache-2.0
"""The steps of a close, in order: extract, prepare, load, reconcile. None of them knows Airflow."""
