# SPDX-License-Identifier: Apache-2.0
"""Why journals could not be written into a batch, or not be posted from it afterwards, found before a person is asked.

What the service does not tell is not checked: whether dimension values are blocked (without the finance API), number
series of the batch, posting dates allowed to single users, combinations of dimensions, and VAT set up on accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.money import ZERO, add_money
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.journals import (
    Batch,
    BatchName,
    find_batch,
    line_reference,
)
from airflow_provider_mlconnector.systems.business_central.periods import PostingDays, posting_days
from airflow_provider_mlconnector.systems.business_central.posting_setup import (
    PostingAccount,
    posting_accounts,
    posting_values,
)
from airflow_provider_mlconnector.systems.drafting import Found, Problem, too_long

LONGEST = {"document number": 20, "external document number": 35, "description": 100}
"""Characters that the fields of a journal line have room for."""

_CENT = Decimal("0.01")
_MOST = Decimal(10) ** 16


def batch_problem(name: BatchName, batch: Batch | None) -> str:
    """Return why a batch cannot be written into; "" when it can."""
    if batch is None:
        where = f"in template {name.template}" if name.template else "in the default template of general journals"
        return f"there is no such journal batch {where}; make one, without a balancing account"
    if batch.balancing_account:
        return (
            f"the batch has the balancing account {batch.balancing_account}, with which every line would balance "
            "itself; take it away, or use another batch"
        )
    return ""


def find_problems(api: BusinessCentralApi, name: BatchName, journals: Sequence[Journal]) -> list[Problem]:
    """Check journals against the company as it stands; ``key`` is "" where a problem concerns all of them."""
    used = {line.account for journal in journals for line in journal.lines}
    codes = {code for journal in journals for line in journal.lines for code, _ in line.dimensions}
    book = _Book(posting_accounts(api, used), posting_values(api, codes), posting_days(api))
    batch = batch_problem(name, find_batch(api, name))
    problems = [Problem("", None, str(name), batch)] if batch else []
    for journal in journals:
        problems += book.of_journal(journal)
        for line in journal.lines:
            problems += [Problem(journal.key, line.number, *found) for found in book.of_line(journal, line)]
    return problems


@dataclass(frozen=True, slots=True)
class _Book:
    """What the company allows, read once."""

    accounts: Mapping[str, PostingAccount]
    values: Mapping[str, Mapping[str, str]]
    days: PostingDays

    def of_journal(self, journal: Journal) -> Iterator[Problem]:
        """Yield what is wrong with a journal as a whole."""
        day = self.days.refusal(journal.posting_date)
        if day:
            yield Problem(journal.key, None, str(journal.posting_date), day)
        total = add_money(line.amount for line in journal.lines)
        if total != ZERO:
            yield Problem(journal.key, None, journal.key, f"debits and credits differ by {total.normalize():f}")
        for subject, sentence in too_long("document number", journal.key, LONGEST["document number"]):
            yield Problem(journal.key, None, subject, sentence)

    def of_line(self, journal: Journal, line: JournalLine) -> Iterator[Found]:
        """Yield what is wrong with a line."""
        account = self.accounts.get(line.account)
        if account is None:
            yield line.account, "there is no such account"
        else:
            yield from ((line.account, refusal) for refusal in account.refusals(line.dimension))
        for code, value in line.dimensions:
            yield from self._of_value(code, value)
        yield from _of_texts(journal, line)
        if line.amount != line.amount.quantize(_CENT) or abs(line.amount) >= _MOST:
            yield f"{line.amount:f}", "no amount that the ledger can hold; it keeps two decimals"

    def _of_value(self, code: str, value: str) -> Iterator[Found]:
        known = self.values.get(code)
        if known is None:
            yield code, "there is no such dimension"
        elif value not in known:
            yield value, f"dimension {code} has no such value"
        elif known[value]:
            yield value, f"the value of dimension {code} {known[value]}"


def _of_texts(journal: Journal, line: JournalLine) -> Iterator[Found]:
    texts = {"external document number": line_reference(journal.key, line.number), "description": line.description}
    for name, text in texts.items():
        yield from too_long(name, text, LONGEST[name])
