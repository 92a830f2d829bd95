# SPDX-License-Identifier: Apache-2.0
"""Dynamics 365 Finance & Operations: the books of one legal entity, over OData: read, and written to as general journals."""
