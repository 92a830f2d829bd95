# SPDX-License-Identifier: Apache-2.0
"""Dynamics 365 Business Central (online): the ledger of one company, read by its OData APIs."""
