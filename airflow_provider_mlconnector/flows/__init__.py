# SPDX-License-Identifier: Apache-2.0
"""Flow files: what is loaded from which ledger into which model, as YAML."""
