# SPDX-License-Identifier: Apache-2.0
"""The question that a ledger answers about master data: what it would make of a record, which nobody writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class SetupObject(Protocol):
    """Checks records of one dataset in one company, and changes none. Not shared between threads."""

    def refusals(self, record: Mapping[str, str], *, exists: bool) -> list[str]:
        """Return why the ledger would not take a record, each as a sentence; none when it would.

        :param record: texts by column of the dataset.
        :param exists: whether the ledger has it already, and would change it.
        :raises BadRequestError: when it cannot be asked at all.
        """

    def close(self) -> None:
        """Log off and release connections."""
