# SPDX-License-Identifier: Apache-2.0
"""General journals that nobody posted yet: batches, their lines, and what the server fills in by itself.

It fills in as codeunit 5469 (Graph Mgt - Journal Lines) and ``Gen. Journal Line.SetUpNewLine`` do.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import AccountType
from airflow_provider_mlconnector.sandbox.business_central.journal_bodies import Values
from airflow_provider_mlconnector.sandbox.business_central.posting_rules import PostingRules
from airflow_provider_mlconnector.sandbox.business_central.tenant import SYSTEM, record_id
from airflow_provider_mlconnector.sandbox.business_central.wire import BLANK_GUID, WireError, dialog, wrong_field
from airflow_provider_mlconnector.sandbox.state import World

GL_ACCOUNT = "G/L Account"
LISTED_TYPES = (GL_ACCOUNT, "Bank Account")
"""Types of account whose lines the API lists; it hides the others."""

DEFAULT_TEMPLATE = "GENERAL"
TEMPLATES = (DEFAULT_TEMPLATE, "ASSETS")

PETTY_CASH = "10130"
"""What the batch that is there from the beginning is balanced with, where the chart has it."""

STEP = 10_000
_MILLISECOND = timedelta(milliseconds=1)
_LAST_DIGITS = re.compile(r"\d+(?=\D*$)")


@dataclass(slots=True)
class Batch:
    """A journal batch.

    :param balancing_account: number of the account that every line is balanced with; "" for none.
    :param series: the next number of its number series.
    """

    id: str
    code: str
    name: str
    modified_at: datetime
    template: str = DEFAULT_TEMPLATE
    balancing_account: str = ""
    series: str = "G00001"


@dataclass(slots=True)
class DraftLine:
    """A line of a batch; ``dimensions`` are value codes by dimension."""

    id: str
    batch: Batch
    number: int
    posting_date: date
    document: str
    modified_at: datetime
    external: str = ""
    account_type: str = GL_ACCOUNT
    account: str = ""
    amount: Decimal = Decimal(0)
    description: str = ""
    comment: str = ""
    tax_code: str = ""
    balance_account_type: str = GL_ACCOUNT
    balancing_account: str = ""
    dimensions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Savepoint:
    """Batches and lines as they were at a moment."""

    batches: list[Batch]
    lines: list[DraftLine]


class Journals:
    """The batches of one company, and what its setup says of posting. Used by the server's one event loop."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.rules = PostingRules(books)
        self.post_calls = 0
        self.batches: list[Batch] = []
        self.lines: list[DraftLine] = []
        self._ids = itertools.count(1)
        self._last_change = books.clock.now()
        cash = next((account.number for account in books.accounts if account.number == PETTY_CASH), "")
        self.put_batch("DEFAULT", balancing_account=cash)
        self.put_batch("ANAPLAN")

    def put_batch(self, code: str, *, template: str = DEFAULT_TEMPLATE, balancing_account: str = "") -> Batch:
        """Add a batch, or give the one of that code another balancing account.

        :raises WireError: 400 for a template or account that there is not.
        """
        if template not in TEMPLATES:
            raise WireError(400, "Internal_InvalidTableRelation", f"There is no journal template '{template}'.")
        if balancing_account:
            self._checked_account(balancing_account)
        for batch in self.batches:
            if (batch.template, batch.code) == (template, code):
                batch.balancing_account, batch.modified_at = balancing_account, self.stamp()
                return batch
        batch = Batch(self._new_id("journal"), code, code, self.stamp(), template, balancing_account)
        self.batches.append(batch)
        return batch

    def add_batch(self, given: Values) -> Batch:
        """Add a batch as a request says."""
        template, code = given.get("templateDisplayName", DEFAULT_TEMPLATE), given.get("code", "")
        if not code:
            raise dialog("Name must be filled in. Enter a value.")
        if any((batch.template, batch.code) == (template, code) for batch in self.batches):
            raise _taken("Gen. Journal Batch", f"Journal Template Name='{template}',Name='{code}'")
        batch = self.put_batch(code, template=template, balancing_account=self._named(given, "balancingAccount") or "")
        batch.name = given.get("displayName", code)
        return batch

    def remove_batch(self, batch: Batch) -> None:
        """Delete a batch and its lines."""
        self.lines = [line for line in self.lines if line.batch is not batch]
        self.batches.remove(batch)

    def lines_of(self, batch: Batch, document: str = "") -> list[DraftLine]:
        """Return a batch's lines, perhaps those of one document alone, in order of their numbers."""
        own = (line for line in self.lines if line.batch is batch and document in ("", line.document))
        return sorted(own, key=lambda line: line.number)

    def insert(self, batch: Batch, given: Values) -> DraftLine:
        """Add a line to a batch.

        :raises WireError: 400 when a line has its number already, or it names an account that is not to be posted to.
        """
        before = self.lines_of(batch)
        number = given.get("lineNumber") or (before[-1].number if before else 0) + STEP
        self._check_free(batch, number)
        line = DraftLine(
            self._new_id("journal line"),
            batch,
            number,
            posting_date=before[-1].posting_date if before else self.books.clock.now().date(),
            document=self._document_after(before, given) if before else batch.series,
            modified_at=self.stamp(),
            balancing_account=batch.balancing_account,
        )
        self._fill(line, given)
        self.lines.append(line)
        return line

    def change(self, line: DraftLine, given: Values) -> None:
        """Change a line as a request says.

        :raises WireError: 400 as :meth:`insert`, and when it is to go into another batch.
        """
        if given.get("journalId", line.batch.id) != line.batch.id:
            raise dialog("The Journal Batch Id isn't editable.")
        if (number := given.get("lineNumber", line.number)) != line.number:
            self._check_free(line.batch, number)
            line.number = number
        self._fill(line, given)
        self.touch(line)

    def remove(self, line: DraftLine) -> None:
        """Delete a line."""
        self.lines.remove(line)

    def savepoint(self) -> Savepoint:
        """Keep what there is now, so that what is changed from here on can be rolled back."""
        return Savepoint(list(self.batches), [replace(line, dimensions=dict(line.dimensions)) for line in self.lines])

    def roll_back(self, savepoint: Savepoint) -> None:
        """Undo what was changed since a savepoint."""
        self.batches, self.lines = savepoint.batches, savepoint.lines

    def touch(self, line: DraftLine) -> None:
        """Note that a line was changed."""
        line.modified_at = self.stamp()

    def stamp(self) -> datetime:
        """Return a moment after every one that was given before, be the clock stopped."""
        self._last_change = max(self.books.clock.now(), self._last_change + _MILLISECOND)
        return self._last_change

    def _fill(self, line: DraftLine, given: Values) -> None:
        if given.get("journalDisplayName", line.batch.name) != line.batch.name:
            raise dialog("The Journal Batch Display Name isn't editable.")
        line.account_type = given.get("accountType", line.account_type)
        account = self._named(given, "account") if line.account_type == GL_ACCOUNT else given.get("accountNumber")
        if account is not None:
            self._put_account(line, account)
        line.balance_account_type = given.get("balanceAccountType", line.balance_account_type)
        line.balancing_account = self._named(given, "balancingAccount") or line.balancing_account
        line.posting_date = given.get("postingDate", line.posting_date)
        line.document = given.get("documentNumber", line.document)
        line.external = given.get("externalDocumentNumber", line.external)
        line.amount = given.get("amount", line.amount)
        line.description = given.get("description", line.description)
        line.comment = given.get("comment", line.comment)
        line.tax_code = given.get("taxCode", line.tax_code)

    def _put_account(self, line: DraftLine, account: str) -> None:
        """Give a line another account, and with it the account's name and default dimensions."""
        line.account = account
        posts = bool(account) and line.account_type == GL_ACCOUNT
        line.description = self.books.account(account).name if posts else ""
        line.dimensions = self.rules.default_values(account) if posts else {}

    def _named(self, given: Values, role: str) -> str | None:
        """Return the number of the account that a request names by id or number; "" for a blank one, None for none."""
        names = [name for name in (f"{role}Id", f"{role}Number") if name in given]
        numbers = [self._number_of(name, given[name]) for name in names]
        if len(set(numbers)) > 1:
            raise dialog("The account values do not match to a specific Account.")
        if numbers and numbers[0]:
            self._checked_account(numbers[0])
        return numbers[0] if numbers else None

    def _number_of(self, name: str, value: str) -> str:
        if value in ("", BLANK_GUID):
            return ""
        for account in self.books.accounts:
            if value in (account.number, record_id("account", account.number)) and not account.statistical:
                return account.number
        raise dialog(f'The "{name}" does not match to an Account.')

    def _checked_account(self, number: str) -> None:
        """See that an account may be posted to by a journal.

        :raises WireError: 400 when it may not.
        """
        account = self.books.account(number)
        wanted = (
            ("Account Type", account.type.value, AccountType.POSTING.value),
            ("Blocked", "Yes" if account.blocked else "No", "No"),
            ("Direct Posting", "Yes" if account.direct_posting else "No", "Yes"),
        )
        for name, value, needed in wanted:
            if value != needed:
                raise wrong_field(
                    f"{name} must be equal to '{needed}'  in G/L Account: No.={number}. Current value is '{value}'."
                )

    def _check_free(self, batch: Batch, number: int) -> None:
        if any(line.number == number for line in self.lines_of(batch)):
            fields = f"Journal Template Name='{batch.template}',Journal Batch Name='{batch.code}',Line No.='{number}'"
            raise _taken("Gen. Journal Line", fields)

    def _document_after(self, before: list[DraftLine], given: Values) -> str:
        """Return the document number of a line that names none: the one before, or the next when that is done."""
        last = before[-1]
        balance = sum((line.amount for line in before if not line.balancing_account), Decimal(0))
        if balance and given.get("externalDocumentNumber", "") == last.external:
            return last.document
        return _LAST_DIGITS.sub(lambda match: f"{int(match[0]) + 1:0{len(match[0])}d}", last.document, count=1)

    def _new_id(self, kind: str) -> str:
        return record_id(kind, self.books.code, str(next(self._ids)))


def journals_of(world: World, books: Books) -> Journals:
    """Return the journals of a company."""
    return world.state(f"{SYSTEM}/journals/{books.code}", lambda: Journals(books))


def _taken(table: str, fields: str) -> WireError:
    message = f"The record in table {table} already exists. Identification fields and values: {fields}"
    return WireError(400, "Internal_EntityWithSameKeyExists", message)
