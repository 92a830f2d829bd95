# SPDX-License-Identifier: Apache-2.0
"""Acumatica Cloud ERP, by its contract-based REST API."""
