# SPDX-License-Identifier: Apache-2.0
"""The generated books of one company, which every sandbox ERP shows in its own dialect."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.books.books import Balance, Books, NewLine

__all__ = ["Balance", "Books", "NewLine"]
