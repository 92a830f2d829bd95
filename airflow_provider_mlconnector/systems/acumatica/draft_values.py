# SPDX-License-Identifier: Apache-2.0
"""What a batch and its lines are to hold for a journal, and how far a standing batch does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.periods import parse_key
from airflow_provider_mlconnector.systems.acumatica.company import parse_post_period
from airflow_provider_mlconnector.systems.acumatica.draft_options import Coding
from airflow_provider_mlconnector.systems.acumatica.draft_records import (
    StandingJournal,
    StandingLine,
    description_of,
    number_of,
    reference_of,
    text_of,
)
from airflow_provider_mlconnector.systems.acumatica.journals import BRANCH
from airflow_provider_mlconnector.systems.acumatica.wrapped import day


@dataclass(frozen=True, slots=True)
class Values:
    """Between the journals of a plan and the batches of one ledger.

    :param branch: that batches belong to; "" leaves it to the user's own.
    :param currency: of the ledger; "" where it has none.
    """

    coding: Coding
    ledger: str
    branch: str
    currency: str

    def header(self, journal: Journal) -> dict[str, object]:
        """Return the fields of a new batch, which is on hold."""
        place = {"LedgerID": self.ledger, "BranchID": self.branch, "CurrencyID": self.currency}
        fields = {name: _field(value) for name, value in place.items() if value}
        return {**fields, **_told(journal), "Hold": _field(True)}

    def line(self, journal: Journal, line: JournalLine) -> dict[str, object]:
        """Return the fields of a new line."""
        side, amount = ("DebitAmount", line.amount) if line.amount > 0 else ("CreditAmount", line.amount.copy_negate())
        values: dict[str, Any] = {
            "BranchID": line.dimension.get(BRANCH, self.branch),
            "Account": line.account,
            "Subaccount": self.coding.subaccount(line),
            side: amount,
            "ReferenceNbr": reference_of(journal, line.number),
            "TransactionDescription": text_of(journal, line),
        }
        return {name: _field(value) for name, value in values.items() if value != ""}

    def is_elsewhere(self, batch: StandingJournal) -> bool:
        """Say whether a batch is of another ledger, branch or currency, which lines do not follow on a change."""
        return (
            batch.LedgerID.value != self.ledger
            or (self.branch != "" and batch.BranchID.value != self.branch)
            or (self.currency != "" and batch.CurrencyID.value != self.currency)
        )

    def changed(self, journal: Journal, batch: StandingJournal) -> dict[str, object]:
        """Return the fields of a batch's header that are to be set."""
        same = {
            "Description": batch.Description.value == description_of(journal),
            "TransactionDate": day(batch.TransactionDate) == journal.posting_date,
            "PostPeriod": parse_post_period(batch.PostPeriod.value or "") == parse_key(journal.period),
        }
        return {name: field for name, field in _told(journal).items() if not same[name]}

    def stand(self, journal: Journal, batch: StandingJournal) -> bool:
        """Say whether a batch is what the journal says, header and lines."""
        kept, surplus = self.sort_out(journal, batch)
        return (
            not self.is_elsewhere(batch)
            and not self.changed(journal, batch)
            and not surplus
            and len(kept) == len(journal.lines)
        )

    def sort_out(self, journal: Journal, batch: StandingJournal) -> tuple[dict[int, StandingLine], list[StandingLine]]:
        """Return, by line number of the journal, the lines that can stay, and those that have to go.

        To go have lines that the journal has not, and the second of two that are the same one. A line that says
        something else goes, too, and comes back anew: a new account would bring along its own subaccount.
        """
        wanted = {line.number: line for line in journal.lines}
        kept: dict[int, StandingLine] = {}
        surplus = []
        for found in batch.Details:
            number = number_of(journal, found.ReferenceNbr.value or "")
            line = wanted.get(number)
            if line is not None and number not in kept and self._is(journal, line, found):
                kept[number] = found
            else:
                surplus.append(found)
        return kept, surplus

    def lines(self, journal: Journal, batch: StandingJournal) -> Iterator[JournalLine]:
        """Yield the lines of a batch, in the words of the journal as far as it has them.

        Where the subaccount is what the journal's line makes of its dimensions, they are these; else they are all that
        the subaccount says.
        """
        wanted = {line.number: line for line in journal.lines}
        for found in batch.Details:
            number = number_of(journal, found.ReferenceNbr.value or "")
            line = wanted.get(number)
            told = line.dimensions if line is not None and self._is_placed(line, found) else self._told_by(found)
            yield JournalLine(
                number=number or found.LineNbr.value or 0,
                account=found.Account.value or "",
                dimensions=told,
                amount=found.amount,
                description=found.TransactionDescription.value or "",
            )

    def _is(self, journal: Journal, line: JournalLine, found: StandingLine) -> bool:
        """Say whether a standing line is a line of the journal."""
        text = text_of(journal, line)
        return (
            found.Account.value == line.account
            and self._is_placed(line, found)
            and found.amount == line.amount
            and text in ("", found.TransactionDescription.value)
        )

    def _is_placed(self, line: JournalLine, found: StandingLine) -> bool:
        """Say whether a standing line has the subaccount and the branch that a line's dimensions make."""
        branch = line.dimension.get(BRANCH, self.branch)
        return self.coding.subaccount(line) in ("", _code(found)) and branch in ("", found.BranchID.value)

    def _told_by(self, found: StandingLine) -> tuple[tuple[str, str], ...]:
        """Return all that a line says of its place, but for the branch that every line has."""
        branch = found.BranchID.value or ""
        told = {**self.coding.dimensions(_code(found)), BRANCH: "" if branch == self.branch else branch}
        return tuple(sorted((name, value) for name, value in told.items() if value))


def _told(journal: Journal) -> dict[str, object]:
    """Return the fields of a header that tell the journal."""
    year, number = parse_key(journal.period)
    return {
        "Description": _field(description_of(journal)),
        "TransactionDate": _field(journal.posting_date.isoformat()),
        "PostPeriod": _field(f"{number:02d}{year:04d}"),
    }


def _code(found: StandingLine) -> str:
    return (found.Subaccount.value or "").rstrip()


def _field(value: object) -> dict[str, object]:
    return {"value": value}
