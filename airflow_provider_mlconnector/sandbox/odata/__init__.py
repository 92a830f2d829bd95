# SPDX-License-Identifier: Apache-2.0
"""The part of OData v4 that the sandbox's servers share: options, filters, ordering and paging. No wire format."""
