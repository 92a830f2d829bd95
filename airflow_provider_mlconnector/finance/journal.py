# SPDX-License-Identifier: Apache-2.0
"""The sign of an account: on which side of the ledger its balance is normally found."""

from __future__ import annotations

CREDIT_NATURED = frozenset({"liabilities", "equity", "income"})
"""Account categories, in lower case, whose balance is normally a credit, so that debit minus credit is negative."""


def natural_sign(category: str | None) -> int:
    """Return what makes debit minus credit positive as a rule: -1 for credit-natured accounts, else 1.

    An account without a known category keeps its sign, so that nothing is turned by a guess.

    :param category: as in the dataset ``accounts``, in upper or lower case.
    """
    return -1 if (category or "").lower() in CREDIT_NATURED else 1
