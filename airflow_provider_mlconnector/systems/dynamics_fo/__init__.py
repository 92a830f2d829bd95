# SPDX-License-Identifier: Apache-2.0
"""Dynamics 365 Finance & Operations: the read side of one legal entity's books, over OData."""
