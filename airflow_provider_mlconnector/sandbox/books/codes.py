# SPDX-License-Identifier: Apache-2.0
"""Tables of codes that the rows of the ledger point into, and amounts and moments as the rows hold them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_MOST_CENTS = 2**63 - 1


class Codes:
    """Codes with a place each; an unknown one gets the next place."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.all = list(codes)
        self._places = {code: place for place, code in enumerate(self.all)}

    def place(self, code: str) -> int:
        """Return a code's place, giving it one when it is new."""
        if code not in self._places:
            self.all.append(code)
            self._places[code] = len(self.all) - 1
        return self._places[code]

    def __contains__(self, code: str) -> bool:
        return code in self._places

    def rename(self, code: str, new: str) -> None:
        """Call a code otherwise; whatever points at its place now says the new one.

        :raises ValueError: when the new code is another's.
        """
        if new in self._places:
            raise ValueError(f"'{new}' is the code of something else")
        if code in self._places:
            place = self._places.pop(code)
            self.all[place] = new
            self._places[new] = place


def milliseconds(moment: datetime) -> int:
    """Return a moment as whole milliseconds since the epoch."""
    return (moment - EPOCH) // MILLISECOND


def money(amount: int) -> Decimal:
    """Return cents as an amount with two decimals."""
    return Decimal(amount).scaleb(-2)


def cents(amount: Decimal) -> int:
    """Return an amount in cents.

    :raises ValueError: for more than two decimals, or more than 17 digits before the point.
    """
    whole = amount.scaleb(2)
    if whole != whole.to_integral_value() or abs(whole) > _MOST_CENTS:
        raise ValueError(f"{amount} is no amount of this ledger")
    return int(whole)
