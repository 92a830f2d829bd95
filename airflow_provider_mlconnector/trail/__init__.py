# SPDX-License-Identifier: Apache-2.0
"""The memory: a database of our own for runs, batches, accepted cells, leases, the rate budget and the vault."""
