# SPDX-License-Identifier: Apache-2.0
"""Why journals could not be saved, or not be released afterwards, found before a person is asked.

What the endpoint does not tell is not checked: restrictions of a user to some accounts, periods that are closed in one
company alone, project groups of accounts, and units of measure that an account demands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.money import ZERO, add_money, round_money
from airflow_provider_mlconnector.finance.periods import parse_key
from airflow_provider_mlconnector.systems.acumatica.draft_options import Coding
from airflow_provider_mlconnector.systems.acumatica.draft_records import (
    DESCRIPTION_ROOM,
    REFERENCE_ROOM,
    TEXT_ROOM,
    description_of,
    reference_of,
    text_of,
)
from airflow_provider_mlconnector.systems.acumatica.entities import Ledger
from airflow_provider_mlconnector.systems.acumatica.journals import BRANCH
from airflow_provider_mlconnector.systems.acumatica.posting_setup import STATISTICAL, PostingSetup, branches_of
from airflow_provider_mlconnector.systems.drafting import Found, Problem, too_long

_DECIMALS = 4
_MOST = Decimal(10) ** 15
"""Amounts are kept with 19 digits, four of them decimals."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks journals against what a company allows.

    :param ledger_id: the ledger that they are written to; ``branch`` the one that they belong to.
    """

    setup: PostingSetup
    coding: Coding
    ledger_id: str
    branch: str

    @property
    def ledger(self) -> Ledger | None:
        """The ledger, if there is one of that code."""
        return self.setup.ledgers.get(self.ledger_id)

    def problems(self, journals: Sequence[Journal]) -> Iterator[Problem]:
        """Yield all there is; ``key`` is "" where a problem concerns all journals."""
        for sentence in self.setup.of_ledger(self.ledger_id, self.branch):
            yield Problem("", None, self.ledger_id, sentence)
        for journal in journals:
            for subject, sentence in self._of_journal(journal):
                yield Problem(journal.key, None, subject, sentence)
            for line in journal.lines:
                for subject, sentence in self._of_line(journal, line):
                    yield Problem(journal.key, line.number, subject, sentence)

    def _of_journal(self, journal: Journal) -> Iterator[Found]:
        refusal = self.setup.of_period(parse_key(journal.period))
        if refusal:
            yield journal.period, refusal
        total = add_money(line.amount for line in journal.lines)
        if total != ZERO and (self.ledger is None or self.ledger.Type.value != STATISTICAL):
            yield journal.key, f"debits and credits differ by {total.normalize():f}"
        yield from too_long("description", description_of(journal), DESCRIPTION_ROOM)

    def _of_line(self, journal: Journal, line: JournalLine) -> Iterator[Found]:
        yield from self.setup.of_account(line.account, self.ledger)
        unclear = list(self.coding.problems(line))
        yield from unclear
        if not unclear:
            yield from self.setup.of_subaccount(line.account, self.coding.subaccount(line))
        yield from self._of_branch(line.dimension)
        yield from too_long("reference", reference_of(journal, line.number), REFERENCE_ROOM)
        yield from too_long("text", text_of(journal, line), TEXT_ROOM)
        if abs(line.amount) >= _MOST or line.amount != round_money(line.amount, _DECIMALS):
            yield f"{line.amount:f}", "no amount that the ledger can hold; it keeps 15 digits and four decimals"

    def _of_branch(self, named: Mapping[str, str]) -> Iterator[Found]:
        branch = named.get(BRANCH)
        if branch and self.ledger is not None and branch not in branches_of(self.ledger):
            yield branch, f"no such branch posts to the ledger {self.ledger_id}"
