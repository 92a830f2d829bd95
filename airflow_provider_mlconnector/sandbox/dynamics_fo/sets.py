# SPDX-License-Identifier: Apache-2.0
"""The entity sets by name, and the rows of one that a request may see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from airflow_provider_mlconnector.sandbox.dynamics_fo import draft_sets, journal_sets, master_sets
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import WireError, no_set
from airflow_provider_mlconnector.sandbox.odata.rows import Row, RowFrame


@dataclass(frozen=True, slots=True)
class EntitySet:
    """An entity set; ``entity`` is the name of its type, ``is_journal`` says that it needs the right to read journals.

    :param rows: returns all its rows, in order of their numbers.
    :param like: returns rows such as it has, for a set that may be empty.
    """

    entity: str
    rows: Callable[[Environment], Iterable[Row]]
    is_journal: bool = False
    like: Callable[[Environment], Iterable[Row]] | None = None


SETS = {
    "GeneralJournalEntryBiEntities": EntitySet("GeneralJournalEntryBiEntity", journal_sets.header_rows, True),
    "GeneralJournalAccountEntryBiEntities": EntitySet(
        "GeneralJournalAccountEntryBiEntity", journal_sets.entry_rows, True
    ),
    "MainAccounts": EntitySet("MainAccount", master_sets.accounts),
    "DimensionAttributes": EntitySet("DimensionAttribute", master_sets.dimensions),
    "FinancialDimensionValues": EntitySet("FinancialDimensionValue", master_sets.dimension_values),
    "DimensionParameters": EntitySet("DimensionParameters", master_sets.dimension_parameters),
    "DimensionIntegrationFormats": EntitySet("DimensionIntegrationFormat", master_sets.dimension_formats),
    "Ledgers": EntitySet("Ledger", master_sets.ledgers),
    "LegalEntities": EntitySet("LegalEntity", master_sets.legal_entities),
    "FiscalPeriods": EntitySet("FiscalPeriod", master_sets.fiscal_periods),
    "FiscalCalendarPeriodBiEntities": EntitySet("FiscalCalendarPeriodBiEntity", master_sets.fiscal_period_records),
    "LedgerFiscalPeriods": EntitySet("LedgerFiscalPeriod", master_sets.ledger_periods),
    "VendorsV2": EntitySet("VendorV2", master_sets.vendors),
}
DRAFTS = {
    "JournalNames": EntitySet("JournalName", draft_sets.name_rows),
    "LedgerJournalHeaders": EntitySet("LedgerJournalHeader", draft_sets.header_rows, like=draft_sets.like_header),
    "LedgerJournalLines": EntitySet("LedgerJournalLine", draft_sets.line_rows, like=draft_sets.like_line),
}
"""The general journals that wait to be posted; they may be empty."""

PUBLISHED = {
    "LkGeneralJournalHeaders": SETS["GeneralJournalEntryBiEntities"],
    "LkGeneralJournalLines": SETS["GeneralJournalAccountEntryBiEntities"],
}
"""The journals once more under names of the customer's own, whose fields have a prefix."""

PREFIX = "Lk"


class Sets:
    """Serves the rows of the sets; those of the journals are kept until the journals change."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._kept: dict[str, tuple[Any, RowFrame]] = {}

    def frame(self, name: str) -> tuple[EntitySet, RowFrame]:
        """Return a set and all its rows.

        :raises WireError: 404 when there is no such set, 403 when the user may not read it.
        """
        switches = self._environment.switches
        found = self.public().get(name)
        if found is None:
            raise no_set(name)
        if found.is_journal and not switches.reads_journals:
            raise WireError(403, "Access denied to the entity.")
        posted = self._environment.posted().version if found.is_journal else object()
        state = (posted, tuple(asdict(switches).items()))
        if name not in self._kept or self._kept[name][0] != state:
            self._kept[name] = (state, RowFrame.of(self._shown(name, found)))
        return found, self._kept[name][1]

    def public(self) -> dict[str, EntitySet]:
        """Return the sets that are public, by name, whoever may read them."""
        hidden = set() if self._environment.switches.journal_sets else {name for name in SETS if SETS[name].is_journal}
        return {name: found for name, found in (SETS | DRAFTS | PUBLISHED).items() if name not in hidden}

    def samples(self) -> Iterator[tuple[str, str, Row]]:
        """Yield each set that is public, with the name of its type and a row such as it has."""
        for name, found in self.public().items():
            yield name, found.entity, next(iter(self._shown(name, replace(found, rows=found.like or found.rows))))

    def visible(self, frame: RowFrame, *, cross_company: bool) -> RowFrame:
        """Return the rows of the user's own company, unless all companies are asked for."""
        if cross_company or not frame.rows or "dataAreaId" not in frame.rows[0]:
            return frame
        own = self._environment.switches.default_company
        return RowFrame.of(row for row in frame.rows if row["dataAreaId"] == own)

    def _shown(self, name: str, found: EntitySet) -> Iterable[Row]:
        switches = self._environment.switches
        rows = found.rows(self._environment)
        key = "SourceKey" if found.is_journal else None
        for row in sorted(rows, key=lambda row: row[key]) if key else rows:
            shown = {field: value for field, value in row.items() if field not in switches.dropped_fields}
            shown |= {field: str(shown[field]) for field in switches.text_fields if field in shown}
            shown |= dict.fromkeys(switches.added_fields, "")
            yield {f"{PREFIX}{field}": value for field, value in shown.items()} if name in PUBLISHED else shown
