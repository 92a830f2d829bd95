# SPDX-License-Identifier: Apache-2.0
"""Where an environment is, which company of it is read, and under which names it publishes its journals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from airflow_provider_mlconnector.systems.http.entra import EntraConnection

LARGEST_PAGE = 10_000
"""Rows per page above which the service cuts."""


class DimensionSource(StrEnum):
    """Where a line's dimensions are read from: its JSON column, or its display value by the active format.

    ``AUTO`` takes the JSON column where lines carry one.
    """

    AUTO = "auto"
    JSON = "json"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """An entity set under the name by which a customer publishes it.

    :param renamed: by the stock name of a field, the name that it has there.
    """

    name: str
    renamed: Mapping[str, str] = field(default_factory=dict)

    def field(self, name: str) -> str:
        """Return the name that a stock field has in this set."""
        return self.renamed.get(name, name)


STOCK_HEADERS = PublishedSet("GeneralJournalEntryBiEntities")
STOCK_LINES = PublishedSet("GeneralJournalAccountEntryBiEntities")


@dataclass(frozen=True, slots=True)
class DisplayFormat:
    """How the segments of a ledger account are joined to its display value."""

    segments: tuple[str, ...]
    delimiter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinanceOperationsConnection(EntraConnection):
    """One legal entity of an environment.

    :param environment_url: the whole address, such as ``https://contoso.operations.dynamics.com``.
    :param company: id of the legal entity (``usmf``), or its name.
    :param headers: the set of posted journals' headers; ``lines`` that of their account entries.
    :param display_format: of ledger accounts; None asks the environment for the active one.
    :param closing_types: posting types of the year-end close.
    """

    environment_url: str
    company: str
    page_size: int = LARGEST_PAGE
    headers: PublishedSet = STOCK_HEADERS
    lines: PublishedSet = STOCK_LINES
    dimensions: DimensionSource = DimensionSource.AUTO
    display_format: DisplayFormat | None = None
    closing_types: frozenset[str] = frozenset({"TransferOpeningClosing", "Closing", "YearResult"})

    @property
    def root(self) -> str:
        """Address that all entity sets are below."""
        return f"{self.environment_url.rstrip('/')}/data"

    @property
    def scope(self) -> str:
        """What a token is asked for: this very environment, without a slash behind it."""
        return f"{self.environment_url.rstrip('/')}/.default"
