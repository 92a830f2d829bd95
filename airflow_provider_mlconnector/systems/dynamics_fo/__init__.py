# SPDX-License-Identifier: Apache-2.0
"""Dynamics 365 Finance & Operations: one legal entity's books over OData, read, and written to as general journals."""
