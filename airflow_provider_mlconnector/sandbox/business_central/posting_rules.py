# SPDX-License-Identifier: Apache-2.0
"""What a company's setup says of posting: on which days, and with which dimensions on which accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.books import Books


class Validation(StrEnum):
    """What an account demands of a dimension."""

    NONE = " "
    CODE_MANDATORY = "Code Mandatory"
    SAME_CODE = "Same Code"
    NO_CODE = "No Code"


@dataclass(frozen=True, slots=True)
class DefaultDimension:
    """The default dimension of an account; ``value`` is "" where there is a rule and no default."""

    account: str
    dimension: str
    value: str = ""
    validation: Validation = Validation.NONE

    def refusal(self, value: str) -> str:
        """Return why a line with this value ("" for none) cannot be posted; "" when it can."""
        where = f"for G/L Account {self.account}"
        match self.validation:
            case Validation.CODE_MANDATORY if not value:
                return f"Select a Dimension Value Code for the Dimension Code {self.dimension} {where}."
            case Validation.SAME_CODE if value != self.value:
                wanted = f"Select Dimension Value Code {self.value}" if self.value else "Leave out a value"
                return f"{wanted} for the Dimension Code {self.dimension} {where}."
            case Validation.NO_CODE if value:
                return f"Dimension Code {self.dimension} must not be used {where}."
            case _:
                return ""


class PostingRules:
    """The rules of one company."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._defaults: dict[tuple[str, str], DefaultDimension] = {}

    def put_default(self, default: DefaultDimension) -> None:
        """Set an account's default dimension.

        :raises KeyError: when there is no such account, dimension or value.
        """
        self.books.account(default.account)
        if default.dimension not in self.books.dimensions:
            raise KeyError(f"there is no dimension '{default.dimension}'")
        if default.value:
            self.books.value(default.dimension, default.value)
        self._defaults[default.account, default.dimension] = default

    def clear(self) -> None:
        """Forget all default dimensions, and let all days be posted on."""
        self._defaults.clear()
        self.books.posting_window = (None, None)

    def defaults(self, account: str = "") -> list[DefaultDimension]:
        """Return the default dimensions of an account, or of all."""
        return [default for default in self._defaults.values() if account in ("", default.account)]

    def default_values(self, account: str) -> dict[str, str]:
        """Return the values that a line gets with an account, by dimension."""
        return {default.dimension: default.value for default in self.defaults(account) if default.value}

    def refuses_day(self, day: date) -> bool:
        """Say whether nothing may be posted on a day: outside the window, or in a closed period."""
        first, last = self.books.posting_window
        outside = (first is not None and day < first) or (last is not None and day > last)
        return outside or self.books.is_closed(self.books.company.fiscal.period_of(day).key)

    def refusals(self, account: str, dimensions: Mapping[str, str]) -> list[str]:
        """Return why a line with these dimensions cannot be posted to an account."""
        known = {(value.dimension, value.code): value for name in dimensions for value in self.books.values(name)}
        blocked = [
            f"Dimension Value {dimension} - {code} is blocked or gone."
            for dimension, code in dimensions.items()
            if (dimension, code) not in known or known[dimension, code].blocked
        ]
        demanded = [default.refusal(dimensions.get(default.dimension, "")) for default in self.defaults(account)]
        return [*blocked, *filter(None, demanded)]
