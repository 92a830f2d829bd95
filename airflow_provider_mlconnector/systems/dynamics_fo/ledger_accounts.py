# SPDX-License-Identifier: Apache-2.0
"""Ledger accounts as the environment takes them: account and dimensions as one text, in its active format.

What this module guarantees: a segment is written by its name, never by its place; each one of the format is written,
blank where a line has none; what the format has no segment for is refused, for the environment would drop it silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.dynamics_fo.connection import DisplayFormat
from airflow_provider_mlconnector.systems.dynamics_fo.dimensions import join, split

MAIN_ACCOUNT = "MAINACCOUNT"
"""Name of the segment that holds the main account, in upper case."""

Dimensions = tuple[tuple[str, str], ...]
"""Value by dimension, sorted by dimension."""


@dataclass(frozen=True, slots=True)
class LedgerAccounts:
    """Writes and reads ledger accounts in one format.

    :raises ConfigurationError: when the format has no segment for the main account.
    """

    format: DisplayFormat

    def __post_init__(self) -> None:
        if MAIN_ACCOUNT not in self.names:
            raise ConfigurationError(
                f"The active format of ledger accounts has no main account: {', '.join(self.format.segments)}.",
                hint="Add MainAccount under Financial dimension configuration for integrating applications.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The segments of the format in upper case."""
        return tuple(name.upper() for name in self.format.segments)

    def strange(self, codes: Iterable[str]) -> list[str]:
        """Return those of the dimensions that the format has no segment for."""
        return [code for code in codes if code.upper() not in self.names or code.upper() == MAIN_ACCOUNT]

    def write(self, account: str, dimensions: Mapping[str, str]) -> str:
        """Return a ledger account as text.

        :raises ConfigurationError: when the format has no segment for one of the dimensions.
        """
        lost = self.strange(dimensions)
        if lost:
            raise ConfigurationError(
                f"The active format of ledger accounts has no segment for {', '.join(lost)}; "
                f"it has {', '.join(self.format.segments)}.",
                hint="Add it under Financial dimension configuration for integrating applications.",
            )
        values = {code.upper(): value for code, value in dimensions.items()} | {MAIN_ACCOUNT: account}
        return join((values.get(name, "") for name in self.names), self.format.delimiter)

    def read(self, text: str, codes: Iterable[str]) -> tuple[str, Dimensions]:
        """Return the account and the dimensions that a text says.

        :param codes: dimensions as the flow writes them; others keep the names of the format.
        """
        known = {code.upper(): code for code in codes}
        names = [known.get(name.upper(), name) for name in self.format.segments]
        values = dict(zip(names, split(text, self.format.delimiter), strict=False))
        account = values.pop(self.format.segments[self.names.index(MAIN_ACCOUNT)], "")
        return account, tuple(sorted((code, value) for code, value in values.items() if value))
