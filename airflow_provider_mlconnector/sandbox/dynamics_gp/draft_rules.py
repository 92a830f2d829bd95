# SPDX-License-Identifier: Apache-2.0
"""What the web services refuse about a general journal entry, each with the sentence that their log keeps."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.dynamics_gp.chart import GpAccount, gp_accounts
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import DraftEntry, DraftLine, Drafts

ROOM = {"BatchKey.Id": 15, "Reference": 30, "Description": 30, "OriginatingDocument.Id": 20}
"""Characters that the fields of an entry have room for."""

_CENT = Decimal("0.01")


def refusals(drafts: Drafts, entry: DraftEntry) -> Iterator[str]:
    """Yield all that is wrong with an entry that is to be created."""
    if drafts.is_taken(entry.number):
        yield f"Journal entry {entry.number} already exists."
    if not entry.reference:
        yield "The Reference is required."
    yield from _too_long("Reference", entry.reference)
    yield from _too_long("BatchKey.Id", entry.batch)
    yield from _of_batch(drafts, entry.batch)
    yield from _of_day(drafts, entry)
    yield from _of_lines(drafts, entry)


def _of_batch(drafts: Drafts, name: str) -> Iterator[str]:
    batch = drafts.batches.get(name)
    if batch is not None and batch.status:
        yield f"Batch {name} is not available; it is marked for posting or being edited."
    if batch is not None and batch.approved:
        yield f"Batch {name} has been approved."


def _of_day(drafts: Drafts, entry: DraftEntry) -> Iterator[str]:
    books = drafts.books
    period = next((one for one in books.periods if one.contains(entry.day)), None)
    if period is None:
        yield f"The transaction date {entry.day} is not in a fiscal period."
    elif books.is_closed(period.key):
        yield f"The fiscal period of {entry.day} is closed."


def _of_lines(drafts: Drafts, entry: DraftEntry) -> Iterator[str]:
    if not entry.lines:
        yield "A transaction needs lines."
    debits, credits = (sum((getattr(line, side) for line in entry.lines), Decimal(0)) for side in ("debit", "credit"))
    if debits != credits:
        yield f"Debits of {debits} and credits of {credits} do not balance."
    sequences = [line.sequence for line in entry.lines]
    if sequences != sorted(set(sequences)):
        yield "The SequenceNumber of each line has to be larger than the one before."
    accounts = {account.id: account for account in gp_accounts(drafts.books)}
    for line in entry.lines:
        yield from _of_line(line, accounts.get(line.account))


def _of_line(line: DraftLine, account: GpAccount | None) -> Iterator[str]:
    if account is None:
        yield f"Account {line.account} does not exist."
    elif account.account.blocked:
        yield f"Account {line.account} is inactive."
    elif not account.account.direct_posting:
        yield f"Account {line.account} does not allow account entry."
    elif account.account.statistical:
        yield f"Account {line.account} is a unit account."
    for amount in (line.debit, line.credit):
        if amount < 0 or amount != amount.quantize(_CENT):
            yield f"{amount} is no amount of line {line.sequence}."
    if line.debit and line.credit:
        yield f"Line {line.sequence} has both a debit and a credit."
    yield from _too_long("Description", line.description)
    yield from _too_long("OriginatingDocument.Id", line.document)


def _too_long(name: str, text: str) -> Iterator[str]:
    if len(text) > ROOM[name]:
        yield f"{name} has more than {ROOM[name]} characters: {text}"
