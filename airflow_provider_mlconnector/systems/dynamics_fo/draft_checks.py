# SPDX-License-Identifier: Apache-2.0
"""Why journals could not be written, or not be posted afterwards, found before a person is asked.

What the environment does not tell is not checked: what account structures demand (the flow may say it), what single
companies say of shared accounts, rights of single users, and number sequences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine
from airflow_provider_mlconnector.finance.money import ZERO, add_money
from airflow_provider_mlconnector.systems.drafting import Found, Problem, too_long
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company
from airflow_provider_mlconnector.systems.dynamics_fo.dimensions import active_format
from airflow_provider_mlconnector.systems.dynamics_fo.draft_options import JournalOptions
from airflow_provider_mlconnector.systems.dynamics_fo.general_journals import JOURNAL_NAMES, Values
from airflow_provider_mlconnector.systems.dynamics_fo.ledger_accounts import LedgerAccounts
from airflow_provider_mlconnector.systems.dynamics_fo.posting_setup import (
    Fiscal,
    PostingAccount,
    PostingValue,
    fiscal_periods,
    posting_accounts,
    posting_values,
)
from airflow_provider_mlconnector.systems.http.keyset import literal

LONGEST = {"text": 255, "ledger account": 500, "document number": 20}
"""Characters that the fields of a journal line have room for, as the environment's tables are defined."""

DAILY = "Daily"
BY_HAND = "Manually"

_CENT = Decimal("0.01")
_MOST = Decimal(10) ** 15


def find_problems(
    api: FinanceOperationsApi, company: Company, name: str, options: JournalOptions, journals: Sequence[Journal]
) -> list[Problem]:
    """Check journals against the company as it stands; ``key`` is "" where a problem concerns all of them."""
    longest = max((len(journal.lines) for journal in journals), default=0)
    refusals = _name_refusals(_journal_name(api, company, name), options, longest)
    general = [*((name, refusal) for refusal in refusals), *_of_company(company)]
    try:
        accounts: LedgerAccounts | None = LedgerAccounts(api.connection.display_format or active_format(api))
    except ConfigurationError as error:
        accounts = None
        general.append(("format of ledger accounts", error.message))
    codes = {code for journal in journals for line in journal.lines for code, _ in line.dimensions}
    book = _Book(
        accounts,
        posting_accounts(api, company),
        posting_values(api, company, codes),
        fiscal_periods(api, company),
        options,
    )
    problems = [Problem("", None, *found) for found in general]
    for journal in journals:
        problems += [Problem(journal.key, None, *found) for found in book.of_journal(journal)]
        for line in journal.lines:
            problems += [Problem(journal.key, line.number, *found) for found in book.of_line(journal, line)]
    return problems


def _journal_name(api: FinanceOperationsApi, company: Company, name: str) -> Values | None:
    where = f"dataAreaId eq {literal(company.ledger.company)} and Name eq {literal(name)}"
    return next((row for row in api.rows(JOURNAL_NAMES, [], where=where) if row["Name"] == name), None)


def _name_refusals(row: Values | None, options: JournalOptions, longest: int) -> Iterator[str]:
    """Yield why journals cannot be made under a name, the longest of them with so many lines."""
    if row is None:
        yield "there is no such journal name; set it up under General ledger, Journal names, as type Daily"
        return
    if row["Type"] != DAILY:
        yield f"the journal name is of type {row['Type']}; general journals need one of type {DAILY}"
    if "Yes" in (row["IsApprovalActive"], row["IsWorkflowApprovalActive"]) and not options.workflow:
        yield (
            "its journals need an approval in the ledger, too, and cannot be changed meanwhile; "
            "take that off, or write 'workflow: allowed' under the journal's options"
        )
    if offset := row["OffsetAccountDisplayValue"]:
        yield (
            f"the journal name has the offset account {offset}, with which every line would balance itself; "
            "take it away, or use another name"
        )
    if row["NewVoucher"] == BY_HAND:
        yield "vouchers are entered by hand under this journal name; let the number sequence give them"
    limit = row["PostingLineLimit"] or 0
    if 0 < limit < longest:
        yield f"at most {limit} lines are posted at once under this journal name; a journal has {longest}"


def _of_company(company: Company) -> Iterator[Found]:
    if not company.ledger.currency:
        yield company.ledger.company, "the ledger has no accounting currency"


@dataclass(frozen=True, slots=True)
class _Book:
    """What the company allows, read once; ``values`` are by dimension in upper case."""

    ledger_accounts: LedgerAccounts | None
    accounts: Mapping[str, PostingAccount]
    values: Mapping[str, Mapping[str, PostingValue]]
    periods: Sequence[Fiscal]
    options: JournalOptions

    def of_journal(self, journal: Journal) -> Iterator[Found]:
        """Yield what is wrong with a journal as a whole."""
        day = journal.posting_date
        periods = [period for period in self.periods if period.first <= day <= period.last]
        if not periods:
            yield str(day), "no period of the ledger's fiscal calendar has this day"
        for period in periods:
            if period.status != "Open":
                status = "closed" if period.status == "Closed" else "on hold"
                yield str(day), f"period {period.name} is {status} in the ledger"
        total = add_money(line.amount for line in journal.lines)
        if total != ZERO:
            yield journal.key, f"debits and credits differ by {total.normalize():f}"
        yield from too_long("document number", journal.key, LONGEST["document number"])

    def of_line(self, journal: Journal, line: JournalLine) -> Iterator[Found]:
        """Yield what is wrong with a line."""
        account = self.accounts.get(line.account)
        if account is None:
            yield line.account, "there is no such main account in the ledger's chart"
        else:
            found = account.refusals(journal.posting_date, debit=line.amount > 0)
            yield from ((line.account, refusal) for refusal in found)
        for code, value in line.dimensions:
            yield from self._of_value(journal, code, value)
        yield from self._of_segments(line)
        text = line.description.strip() or journal.description.strip()
        yield from too_long("text", text, LONGEST["text"])
        if line.amount != line.amount.quantize(_CENT) or abs(line.amount) >= _MOST:
            yield f"{line.amount:f}", "no amount that the ledger can hold; it keeps two decimals"

    def _of_value(self, journal: Journal, code: str, value: str) -> Iterator[Found]:
        known = self.values.get(code.upper())
        if known is None:
            yield code, "the environment has no such dimension"
        elif value not in known:
            yield value, f"dimension {code} has no such value in this company"
        else:
            refusals = known[value].refusals(journal.posting_date)
            yield from ((value, f"the value of dimension {code} {refusal}") for refusal in refusals)

    def _of_segments(self, line: JournalLine) -> Iterator[Found]:
        """Yield what would be dropped silently from a line's ledger account, and what it lacks."""
        codes = {code.upper() for code, _ in line.dimensions}
        for demand in self.options.mandatory:
            if demand.missed_by(line.account, codes):
                yield demand.dimension, f"account {line.account} demands a value of this dimension"
        if self.ledger_accounts is None:
            return
        lost = self.ledger_accounts.strange(code for code, _ in line.dimensions)
        for code in lost:
            segments = ", ".join(self.ledger_accounts.format.segments)
            yield code, f"the active format of ledger accounts has no segment for it, only {segments}"
        if not lost:
            text = self.ledger_accounts.write(line.account, line.dimension)
            yield from too_long("ledger account", text, LONGEST["ledger account"])
