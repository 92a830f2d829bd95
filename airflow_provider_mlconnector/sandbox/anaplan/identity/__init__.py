# SPDX-License-Identifier: Apache-2.0
"""Who may come in: people, tokens, certificates and OAuth grants."""
