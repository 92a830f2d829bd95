# SPDX-License-Identifier: Apache-2.0
"""Anaplan: the Integration API v2.0 with its authentication and OAuth services."""
