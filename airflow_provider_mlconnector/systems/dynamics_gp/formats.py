# SPDX-License-Identifier: Apache-2.0
"""How a company's account numbers are made of segments: one is the account, the others are dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_mlconnector.errors import CapabilityError


@dataclass(frozen=True, slots=True)
class AccountFormat:
    """How account numbers are made.

    :param segments: names of all segments in order; ``main`` is the place of the account.
    :param lengths: characters of each segment.
    """

    segments: tuple[str, ...]
    main: int
    separator: str
    lengths: tuple[int, ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the segments that are no account."""
        return tuple(name for place, name in enumerate(self.segments) if place != self.main)

    def account(self, number: str) -> str:
        """Return the main segment of an account number; one that is not made like this is its own account."""
        parts = self.split(number)
        return parts[self.main] if parts else number.strip()

    def values(self, number: str) -> dict[str, str] | None:
        """Return the values of the dimensions in an account number; None when it is not made like this."""
        parts = self.split(number)
        return dict(zip(self.segments, parts, strict=True)) if parts else None

    def split(self, number: str) -> list[str]:
        """Return the segments of an account number; none when there are more or fewer than the format has."""
        parts = [part.strip() for part in number.strip().split(self.separator)]
        return parts if len(parts) == len(self.segments) else []


def check_dimensions(form: AccountFormat, wanted: Sequence[str]) -> None:
    """Refuse a dimension that is no segment.

    :raises CapabilityError: with the segments that there are.
    """
    strange = [name for name in wanted if name not in form.dimensions]
    if strange:
        raise CapabilityError(
            f"The account format has no segment {', '.join(strange)}; it has {', '.join(form.segments)}.",
            hint="Write the segment's name as Account Format Setup shows it; the main segment is the account.",
        )
