# SPDX-License-Identifier: Apache-2.0
"""Why journals could not be entered, or not be posted afterwards, found before a person is asked.

What nothing tells is not checked: fiscal periods and the state of the batch without a connection to the database,
accounts that a user may not use, and analytical accounting. Amounts are in the company's own currency, so that no
other one has to be set up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.money import ZERO, add_money, round_money
from airflow_provider_mlconnector.systems.drafting import Found, Problem, too_long
from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import Coding
from airflow_provider_mlconnector.systems.dynamics_gp.entries import TEXT_ROOM
from airflow_provider_mlconnector.systems.dynamics_gp.posting_setup import PostingSetup

BATCH_ROOM, DOCUMENT_ROOM = 15, 20
"""Characters of a batch's name, and of the number of the document that a line came from."""

_DECIMALS = 2
_MOST = Decimal(10) ** 14
"""Amounts are kept with 19 digits, five of them decimals."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks journals against what a company allows."""

    setup: PostingSetup
    coding: Coding
    batch: str

    def problems(self, journals: Sequence[Journal]) -> Iterator[Problem]:
        """Yield all there is; ``key`` is "" where a problem concerns all journals."""
        if not self.batch:
            yield Problem("", None, "batch", "the flow names no batch")
        for subject, sentence in too_long("name of the batch", self.batch, BATCH_ROOM):
            yield Problem("", None, subject, sentence)
        for sentence in self.setup.batch:
            yield Problem("", None, self.batch, sentence)
        for journal in journals:
            for subject, sentence in self._of_journal(journal):
                yield Problem(journal.key, None, subject, sentence)
            for line in journal.lines:
                for subject, sentence in self._of_line(line):
                    yield Problem(journal.key, line.number, subject, sentence)

    def _of_journal(self, journal: Journal) -> Iterator[Found]:
        refusal = self.setup.of_day(journal.posting_date)
        if refusal:
            yield str(journal.posting_date), refusal
        total = add_money(line.amount for line in journal.lines)
        if total != ZERO:
            yield journal.key, f"debits and credits differ by {total.normalize():f}"
        yield from too_long("originating document", journal.key, DOCUMENT_ROOM)

    def _of_line(self, line: JournalLine) -> Iterator[Found]:
        unclear = list(self.coding.problems(line))
        yield from unclear
        if not unclear:
            number = self.coding.number(line)
            yield from ((number, sentence) for sentence in self.setup.of_account(number))
        yield from too_long("description", line.description.strip(), TEXT_ROOM)
        if abs(line.amount) >= _MOST or line.amount != round_money(line.amount, _DECIMALS):
            yield f"{line.amount:f}", "no amount that the ledger can hold; it keeps 14 digits and two decimals"
