# SPDX-License-Identifier: Apache-2.0
"""The operations of the web services about entries that were not posted, their batches, and the policy of creating."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.dynamics_gp.criteria import day
from airflow_provider_mlconnector.sandbox.dynamics_gp.draft_rules import refusals
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import SOURCE, DraftEntry, DraftLine
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import GpCompany, Site
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import TYPE, Fault

Record = Mapping[str, Any]

POLICY = "ffa3b9a6-fa25-47a2-8179-cb37c695455e"
"""The policy of CreateGLTransaction."""
PREFIX, REVERSING, BATCH = (
    "dc788b46-e2ae-4b7a-80c2-00cb40dcf76f",
    "b0c9fe57-c4f0-4d6a-b0aa-ab4d6d7596c8",
    "5855c79b-17a8-43b6-ab4f-db52e64fd0bd",
)
"""Its behaviors: whether batches get a prefix, whether entries are reversed, how batches are named."""

_REFUSED = "A validation exception has occurred."
_JOURNAL_ENTRY = "GJ"


def create(company: GpCompany, record: Record, policy: Record) -> None:
    """Save an entry in its batch, unposted; the answer is empty.

    :raises Fault: with all that is wrong; nothing is saved then.
    """
    if str((policy.get("Key") or {}).get("Id", "")).lower() != POLICY:
        raise Fault(_REFUSED, errors=["The policy is not one of CreateGLTransaction."])
    key = record.get("Key") or {}
    if not key:
        raise Fault(_REFUSED, errors=["The Key is required."])
    drafts = company.drafts
    number = int(key["JournalId"]) or drafts.next_number()
    entry = DraftEntry(
        number=number,
        day=day(key["Date"]),
        batch=(record.get("BatchKey") or {}).get("Id") or f"WS{day(key['Date']):%Y%m%d}",
        reference=record.get("Reference") or "",
        source=(record.get("SourceDocumentKey") or {}).get("Id") or _JOURNAL_ENTRY,
        ledger=record.get("LedgerType") or "Base",
        lines=[_line(line) for line in record.get("Lines") or ()],
        modified_at=drafts.books.clock.now(),
    )
    errors = [*_of_currency(company, record), *refusals(drafts, entry)]
    if errors:
        raise Fault(_REFUSED, errors=errors)
    drafts.add(entry)


def summaries(company: GpCompany, is_wanted: Callable[[DraftEntry, str], bool]) -> Iterator[Record]:
    """Yield the entries that a list shows; ``is_wanted`` is given each with its state."""
    for _, entry in sorted(company.drafts.entries.items()):
        if is_wanted(entry, _state(entry)):
            yield _summary(company, entry)


def by_key(company: GpCompany, key: Record) -> Record:
    """Return an entry that was not posted.

    :raises Fault: when there is none of that number and day.
    """
    entry = company.drafts.entries.get(int(key["JournalId"]))
    if entry is None or entry.voided or entry.day != day(key["Date"]):
        raise Fault("Business object not found.")
    return _whole(company, entry)


def voided(company: GpCompany, key: Record) -> Record | None:
    """Return an entry that was voided before it was posted; None when there is none."""
    entry = company.drafts.entries.get(int(key["JournalId"]))
    return _whole(company, entry) if entry is not None and entry.voided else None


def batch_by_key(company: GpCompany, key: Record) -> Record:
    """Return a batch of the general journal.

    :raises Fault: when there is none.
    """
    batch = company.drafts.batches.get(key.get("Id") or "")
    if batch is None or key.get("Source") not in (None, SOURCE):
        raise Fault("Business object not found.")
    entries = [entry for entry in company.drafts.standing() if entry.batch == batch.id]
    return {
        "Key": {"Source": SOURCE, "Id": batch.id, "CreatedDateTime": batch.created_at},
        "NumberOfTransactions": len(entries),
        "Frequency": batch.frequency,
    }


def policy_of(site: Site, operation: str) -> Record:
    """Return the policy of an operation, with the options that the administrator selected.

    :raises Fault: for an operation without one.
    """
    if operation != "CreateGLTransaction":
        raise Fault("Business object not found.")
    selected = {PREFIX: 1, REVERSING: 2 if site.switches.reversing else 1, BATCH: 1}
    return {
        "Key": {"Id": POLICY},
        "Behaviors": [
            {
                "Key": {"PolicyKey": {"Id": POLICY}, "Id": behavior},
                "Internal": behavior != REVERSING,
                "SelectedOption": {"Key": {"BehaviorKey": {"Id": behavior}, "Id": option}},
            }
            for behavior, option in selected.items()
        ],
        "Name": "Create GL transaction policy",
        "RootBusinessObjectName": "GLTransaction",
    }


def _line(record: Record) -> DraftLine:
    return DraftLine(
        sequence=int((record.get("Key") or {}).get("SequenceNumber") or 0),
        account=(record.get("GLAccountKey") or {}).get("Id") or "",
        debit=_amount(record.get("DebitAmount")),
        credit=_amount(record.get("CreditAmount")),
        description=record.get("Description") or "",
        document=(record.get("OriginatingDocument") or {}).get("Id") or "",
    )


def _amount(record: Record | None) -> Decimal:
    return Decimal(record["Value"]) if record else Decimal(0)


def _of_currency(company: GpCompany, record: Record) -> Iterator[str]:
    code = (record.get("CurrencyKey") or {}).get("ISOCode")
    if code and code != company.books.currency:
        yield f"Currency {code} is not set up for {company.books.name}."


def _state(entry: DraftEntry) -> str:
    return "History" if entry.voided else "Work"


def _key(company: GpCompany, entry: DraftEntry) -> Record:
    plain = {"JournalId": entry.number, "Date": entry.day}
    if not entry.voided:
        return plain
    year = company.books.company.fiscal.period_of(entry.day).year
    return {TYPE: "GLTransactionPostedKey", **plain, "RecurringTransactionSequence": 0, "FiscalYear": year}


def _summary(company: GpCompany, entry: DraftEntry) -> dict[str, Any]:
    batch = company.drafts.batch(entry.batch)
    return {
        "Key": _key(company, entry),
        "BatchKey": {"Source": SOURCE, "Id": batch.id, "CreatedDateTime": batch.created_at},
        "CurrencyKey": {"ISOCode": company.books.currency},
        "ModifiedDate": entry.modified_at,
        "Reference": entry.reference,
        "SourceDocumentKey": {"Id": entry.source},
        "TransactionState": _state(entry),
        "LedgerType": entry.ledger,
    }


def _whole(company: GpCompany, entry: DraftEntry) -> Record:
    return {
        **_summary(company, entry),
        "Lines": [_line_record(company, entry, line) for line in entry.lines],
        "IsVoided": entry.voided,
        "ModifiedBy": "sa",
    }


def _line_record(company: GpCompany, entry: DraftEntry, line: DraftLine) -> Record:
    currency = company.books.currency
    return {
        "Key": {"TransactionKey": _key(company, entry), "SequenceNumber": line.sequence},
        "CreditAmount": {TYPE: "MoneyAmount", "Currency": currency, "Value": line.credit, "DecimalDigits": 2},
        "DebitAmount": {TYPE: "MoneyAmount", "Currency": currency, "Value": line.debit, "DecimalDigits": 2},
        "Description": line.description,
        "GLAccountKey": {"Id": line.account, "IsEncrypted": False},
        "OriginatingDocument": {"Id": line.document} if line.document else None,
    }
