# SPDX-License-Identifier: Apache-2.0
"""SYSPRO 8: the ledger of one company, read by its OData service; sessions of its e.net service."""
