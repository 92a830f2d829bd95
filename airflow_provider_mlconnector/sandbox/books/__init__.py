# SPDX-License-Identifier: Apache-2.0
"""The books of companies, which every sandbox ERP shows in its own dialect.

A line knows what ledgers know: its fiscal period (which need not be that of its date), why it was posted, its ledger
and its currency. Two companies have tidy books, made in masses; a third one, small, holds what real ledgers hold. What
people, failures and year ends do to books are methods of :class:`Books`, and control routes.
"""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.books.books import Balance, Books, NewLine, Posting

__all__ = ["Balance", "Books", "NewLine", "Posting"]
