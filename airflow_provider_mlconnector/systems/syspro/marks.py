# SPDX-License-Identifier: Apache-2.0
"""Watermarks of a ledger that counts its changes and does not date them.

A watermark is a moment; so that one can be kept, a count stands for as many microseconds after a beginning of its own:
row versions count from 1970, journals of a period from 1900. A watermark of one kind is none for the other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum

from airflow_provider_mlconnector.systems.syspro.capabilities import COUNTS_BEHIND

JOURNALS_BEHIND = 50
"""How many journals behind its watermark a read of changes begins: a journal may be posted after a later one."""

_LATEST_OF_JOURNALS = datetime(1969, 12, 31, tzinfo=UTC)


class Counter(Enum):
    """What is counted: the moment at which its count is zero, and how long one count is.

    The overlap of all reads is the same time for both, and so another number of counts.
    """

    JOURNALS = (datetime(1900, 1, 1, tzinfo=UTC), COUNTS_BEHIND // JOURNALS_BEHIND)
    VERSIONS = (datetime(1970, 1, 1, tzinfo=UTC), 1)

    def moment(self, count: int) -> datetime:
        """Return the moment that stands for a count."""
        begin, microseconds = self.value
        return begin + timedelta(microseconds=count * microseconds)

    def since(self, moment: datetime | None) -> int | None:
        """Return from which count on to read; None when the moment is of the other counter, or there is none."""
        if moment is None or (moment < _LATEST_OF_JOURNALS) is not (self is Counter.JOURNALS):
            return None
        begin, microseconds = self.value
        return max(0, (moment - begin) // timedelta(microseconds=microseconds))
