# SPDX-License-Identifier: Apache-2.0
"""Journal entries under numbers of our own: looked for among unposted, open and historical ones, and entered.

The service numbers an entry that brings no number, and does not tell which one it took. An entry that brings one is
refused when there is another with it. So a document has the same numbers to choose from in every run, far above those
of the ledger's own series: however late a lost request comes, it makes no second entry.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.errors import BadRequestError, ConflictError, NotFoundError
from airflow_provider_mlconnector.finance.drafts import Journal
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import Coding
from airflow_provider_mlconnector.systems.dynamics_gp.soap import rows_in

WORK = "Work"
STATES = (WORK, "Open", "History")
BATCH_SOURCE = "GL_Normal"
CREATE = "CreateGLTransaction"
TEXT_ROOM = 30
"""Characters of a line's description, and of a reference."""

FIRST_NUMBER, NUMBERS = 80_000_000, 19_000_000
"""Where our numbers begin, and how many they are; an entry's number has up to eight digits."""
CHOICES = 8
"""Numbers of a document: the next one is taken where the one before belongs to something else."""
SEQUENCE_STEP = 16_384
"""Between the sequence numbers of two lines, as the application itself counts."""

_LOOKS = 3
_NEVER = datetime(1900, 1, 1)  # noqa: DTZ001 - stands for no date, as the service writes it
_NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A line of an entry; ``document`` is the number of the document that it came from."""

    account: str
    amount: Decimal
    description: str
    document: str


@dataclass(frozen=True, slots=True)
class StandingEntry:
    """A journal entry as it stands; one that a person voided counts for nothing, but keeps its number."""

    number: int
    day: date
    batch: str
    reference: str
    state: str
    voided: bool
    lines: tuple[EntryLine, ...]

    def is_of(self, key: str) -> bool:
        """Say whether it is the document of a key; a person may have typed over its reference."""
        return self.reference == key or any(line.document == key for line in self.lines)


def numbers_of(key: str) -> list[int]:
    """Return the numbers that a document may have, the first choice first."""
    start = int(hashlib.sha256(key.encode()).hexdigest()[:12], 16)
    return [FIRST_NUMBER + (start + place) % NUMBERS for place in range(CHOICES)]


def standing_entries(api: GpApi, key: str) -> list[StandingEntry]:
    """Return what stands under the numbers of a document: its entry, and those of others.

    :raises ConflictError: when entries go on being posted or deleted between the list and its entries.
    """
    criteria = api.soap.make(
        "GLTransactionCriteria",
        JournalId=api.soap.texts(str(number) for number in numbers_of(key)),
        TransactionState=api.soap.among("GLTransactionState", STATES),
    )
    for _ in range(_LOOKS):
        try:
            return [_entry(api, summary) for summary in api.listed("GetGLTransactionList", criteria)]
        except NotFoundError:
            continue  # it was posted or deleted since the list was made
    raise ConflictError(f"Entries under the numbers of {key} were posted or deleted while they were looked at.")


def enter(api: GpApi, batch: str, number: int, journal: Journal, coding: Coding, policy: Any) -> None:
    """Enter a journal as an unposted entry of a batch, once; the batch is made where there is none.

    :raises LostAnswerError: when it may have been entered all the same.
    :raises ConflictError: when there is an entry of that number by now.
    :raises BadRequestError: with the sentences of the service's validation.
    """
    make = api.soap.make
    lines = [
        make(
            "GLTransactionLine",
            Key=make("GLTransactionLineKey", SequenceNumber=place * SEQUENCE_STEP),
            DebitAmount=_money(api, max(line.amount, _NOTHING)),
            CreditAmount=_money(api, max(-line.amount, _NOTHING)),
            Description=text_of(journal, line.description),
            GLAccountKey=make("GLAccountNumberKey", Id=coding.number(line), IsEncrypted=False),
            OriginatingDocument=make("GLOriginatingDocumentLine", Id=journal.key),
        )
        for place, line in enumerate(journal.lines, start=1)
    ]
    transaction = make(
        "GLTransaction",
        Key=make(
            "GLTransactionKey", JournalId=number, Date=datetime.combine(journal.posting_date, datetime.min.time())
        ),
        BatchKey=make("BatchKey", Source=BATCH_SOURCE, Id=batch, CreatedDateTime=_NEVER),
        Lines=make("ArrayOfGLTransactionLine", lines),
        Reference=journal.key,
        LedgerType=api.connection.ledger,
    )
    try:
        api.soap.call(CREATE, api.context, glTransaction=transaction, policy=policy)
    except BadRequestError as error:
        if "already exist" in error.message or "duplicate" in error.message.casefold():
            raise ConflictError(error.message, status=error.status, request_id=error.request_id) from error
        raise


def text_of(journal: Journal, description: str) -> str:
    """Return the description of a line: its own, or that of its journal, as far as there is room."""
    return description.strip() or journal.description.strip()[:TEXT_ROOM]


def _entry(api: GpApi, summary: Any) -> StandingEntry:
    operation = "GetGLTransactionByKey" if summary.TransactionState == WORK else "GetGLPostedTransactionByKey"
    whole = api.soap.call(operation, api.context, key=summary.Key)
    rows = sorted(rows_in(whole.Lines, "GLTransactionLine"), key=lambda row: int(row.Key.SequenceNumber))
    return StandingEntry(
        number=int(whole.Key.JournalId),
        day=whole.Key.Date.date(),
        batch=str(getattr(whole.BatchKey, "Id", None) or "").strip(),
        reference=(whole.Reference or "").strip(),
        state=str(summary.TransactionState),
        voided=bool(whole.IsVoided),
        lines=tuple(_line(row) for row in rows),
    )


def _line(row: Any) -> EntryLine:
    debit, credit = (_NOTHING if one is None else Decimal(one.Value) for one in (row.DebitAmount, row.CreditAmount))
    return EntryLine(
        account=str(row.GLAccountKey.Id).strip(),
        amount=add_money((debit, credit.copy_negate())),
        description=(row.Description or "").strip(),
        document=str(getattr(row.OriginatingDocument, "Id", None) or "").strip(),
    )


def _money(api: GpApi, amount: Decimal) -> Any:
    return api.soap.make("MoneyAmount", Value=amount.quantize(_NOTHING), DecimalDigits=2)
