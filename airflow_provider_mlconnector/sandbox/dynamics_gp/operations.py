# SPDX-License-Identifier: Apache-2.0
"""What each operation of the web services gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.masterdata import SET_UP_AT
from airflow_provider_mlconnector.sandbox.books.subledgers import Invoice, ap_invoices
from airflow_provider_mlconnector.sandbox.dynamics_gp.chart import SEGMENTS, account_id, gp_accounts, separator_of
from airflow_provider_mlconnector.sandbox.dynamics_gp.criteria import bounds, day, moment, passes
from airflow_provider_mlconnector.sandbox.dynamics_gp.draft_operations import (
    batch_by_key,
    by_key,
    create,
    policy_of,
    summaries,
    voided,
)
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import STEP, DraftEntry
from airflow_provider_mlconnector.sandbox.dynamics_gp.journals import Journal
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import GpCompany, Site
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import TYPE, Call, Fault

Record = dict[str, Any]
_NO_DATE = date(1900, 1, 1)


def perform(site: Site, call: Call) -> Any:
    """Return what a call gives.

    :raises Fault: when the account has no role, the call names no company, or what it asks for is not there.
    """
    if not site.switches.permitted:
        raise Fault("Access is denied.")
    if call.operation == "GetCompanyList":
        return _companies(site, call)
    if call.operation == "GetLoggedValidationResultByKey":
        return _logged(site, str(call.parameter).lower())
    key = call.context.get("OrganizationKey")
    if key is None:
        raise Fault("A validation exception has occurred.", errors=["The company is required in the context."])
    company = site.company(int(key["Id"]))
    match call.operation:
        case "GetPolicyByOperation":
            return policy_of(site, str(call.parameter))
        case "CreateGLTransaction":
            return create(company, call.parameter or {}, call.policy)
        case _:
            return _BY_COMPANY[call.operation](company, call.parameter or {})


def _companies(site: Site, call: Call) -> list[Record]:
    wanted = (call.parameter or {}).get("Id")
    return [
        {
            "Key": {"Id": company.id},
            "Name": company.books.name,
            "ModifiedDate": SET_UP_AT,
            "ModifiedBy": "sa",
            "CreatedDate": SET_UP_AT,
            "AccountSegmentSeparator": separator_of(company.books),
            "IsWorkflowEnabled": False,
        }
        for company in site.companies
        if passes(wanted, company.id, int)
    ]


def _logged(site: Site, log_id: str) -> Record:
    if log_id not in site.logged:
        raise Fault("Business object not found.")
    errors = site.logged[log_id].errors
    return {
        "Errors": [{"ObjectType": "Validation", "Message": error, "Id": str(at)} for at, error in enumerate(errors)]
    }


def _transactions(company: GpCompany, criteria: Record) -> list[Record]:
    posted = [
        _summary(company.books, journal)
        for first, last in _days(company, criteria)
        for journal in company.journals.between(first, last)
        if passes(criteria.get("FiscalYear"), journal.year, int) and _is_wanted(journal, _state(journal), criteria)
    ]
    standing = summaries(company, lambda entry, state: _is_wanted(entry, state, criteria))
    return [*posted, *map(dict, standing)]


def _days(company: GpCompany, criteria: Record) -> list[tuple[date, date]]:
    """Return the first and the last days between which the transactions of a list are looked for."""
    named = criteria.get("JournalId") or {}
    numbers = named.get("Items") or [number for number in [named.get("EqualValue")] if number]
    if criteria.get("Date") is not None or not numbers:
        return [bounds(criteria.get("Date"))]
    found = company.journals.days_of(int(number) for number in numbers)
    return [(one, one) for one in sorted(found)]


def _state(journal: Journal) -> str:
    return "History" if journal.is_history else "Open"


def _is_wanted(journal: Journal | DraftEntry, state: str, criteria: Record) -> bool:
    batch = journal.batch if isinstance(journal, DraftEntry) else ""
    return (
        passes(criteria.get("TransactionState"), state)
        and passes(criteria.get("BatchId"), batch)
        and passes(criteria.get("LedgerType"), journal.ledger)
        and passes(criteria.get("Date"), journal.day, day)
        and passes(criteria.get("ModifiedDate"), journal.modified_at, moment)
        and passes(criteria.get("JournalId"), str(journal.number))
        and passes(criteria.get("SourceDocumentId"), journal.source)
    )


def _transaction_key(journal: Journal) -> Record:
    return {
        TYPE: "GLTransactionPostedKey",
        "JournalId": journal.number,
        "Date": journal.day,
        "RecurringTransactionSequence": 0,
        "FiscalYear": journal.year,
    }


def _summary(books: Books, journal: Journal) -> Record:
    return {
        "Key": _transaction_key(journal),
        "CurrencyKey": {"ISOCode": books.currency},
        "ModifiedDate": journal.modified_at,
        "Reference": journal.reference,
        "SourceDocumentKey": {"Id": journal.source},
        "TransactionState": _state(journal),
        "LedgerType": journal.ledger,
    }


def _posted_transaction(company: GpCompany, key: Record) -> Record:
    number, posted_on = int(key["JournalId"]), day(key["Date"])
    found = company.journals.find(number, posted_on)
    if found is None or found[0].year != int(key["FiscalYear"]):
        if (gone := voided(company, key)) is not None:
            return dict(gone)
        raise Fault("Business object not found.")
    journal, lines = found
    return {
        **_summary(company.books, journal),
        "Lines": [_line(company.books, journal, line) for line in lines],
        "IsVoided": False,
        "ModifiedBy": "sa",
        "PostedBy": "sa",
    }


def sequence_number(journal: Journal, line: Line) -> int:
    """Return a line's number within its transaction; it stays with the line."""
    return (line.entry_number - journal.number + 1) * STEP if journal.number <= line.entry_number else line.entry_number


def _line(books: Books, journal: Journal, line: Line) -> Record:
    return {
        "Key": {
            "TransactionKey": _transaction_key(journal),
            "SequenceNumber": sequence_number(journal, line),
        },
        "CreditAmount": _money(line.credit, books.currency),
        "DebitAmount": _money(line.debit, books.currency),
        "Description": line.description,
        "GLAccountKey": {"Id": account_id(books, line.account, line.department), "IsEncrypted": False},
        "OriginatingDocument": {"Id": line.external_document[:20]} if line.external_document else None,
    }


def _money(amount: Decimal, currency: str) -> Record:
    return {TYPE: "MoneyAmount", "Currency": currency, "Value": amount, "DecimalDigits": 2}


def _posting_accounts(company: GpCompany, criteria: Record) -> list[Record]:
    return [
        {
            **_account(account.id, account.description, account.modified_at, blocked=account.account.blocked),
            "GLAccountCategoryKey": {"Id": account.account.subcategory or None},
            "AllowAccountEntry": account.account.direct_posting,
            "PostingType": "BalanceSheet" if account.account.on_balance_sheet else "ProfitLoss",
            "TypicalBalance": account.typical_balance,
        }
        for account in gp_accounts(company.books)
        if not account.account.statistical
        and passes(criteria.get("GLAccountId"), account.id)
        and passes(criteria.get("ModifiedDate"), account.modified_at, moment)
    ]


def _unit_accounts(company: GpCompany, criteria: Record) -> list[Record]:
    return [
        _account(account.id, account.description, account.modified_at, blocked=account.account.blocked)
        for account in gp_accounts(company.books)
        if account.account.statistical and passes(criteria.get("GLAccountId"), account.id)
    ]


def _account(number: str, description: str, modified_at: datetime, *, blocked: bool) -> Record:
    return {
        "Key": {"Id": number, "IsEncrypted": False},
        "IsActive": not blocked,
        "Description": description,
        "CreatedDate": SET_UP_AT,
        "ModifiedDate": modified_at,
    }


def _formats(company: GpCompany, _: Record) -> list[Record]:
    return [
        {
            "Key": {"SegmentNumber": segment.number},
            "SegmentName": segment.name,
            "MaximumSegmentLength": segment.length,
            "SegmentLength": segment.length,
            "IsMainSegment": segment.is_main,
            "UserDefinedSegment": 0,
        }
        for segment in SEGMENTS
    ]


def _vendors(company: GpCompany, criteria: Record) -> list[Record]:
    return [
        {
            "Key": {"Id": vendor.number},
            "Name": vendor.name,
            "CreatedDate": SET_UP_AT,
            "ModifiedDate": SET_UP_AT,
            "IsOnHold": vendor.blocked == "Payment",
            "IsActive": vendor.blocked != "All",
            "IsOneTime": False,
        }
        for vendor in company.books.vendors
        if passes(criteria.get("Id"), vendor.number) and passes(criteria.get("ModifiedDate"), SET_UP_AT, moment)
    ]


def _employees(company: GpCompany, _: Record) -> list[Record]:
    return [
        {
            "EmployeeKey": {"Id": person.number},
            "Name": {"GivenName": person.given_name, "FamilyName": person.surname},
            "PositionKey": {"Id": person.job_title},
            "IsActive": person.status == "Active",
        }
        for person in company.books.employees
    ]


def _invoices(company: GpCompany, criteria: Record) -> list[Record]:
    return [_invoice(company.books, invoice) for invoice in _wanted_invoices(company.books, criteria)]


def _wanted_invoices(books: Books, criteria: Record) -> Iterator[Invoice]:
    for invoice in ap_invoices(books):
        state = "Open" if invoice.open_amount else "History"
        if (
            passes(criteria.get("Date"), invoice.day, day)
            and passes(criteria.get("ModifiedDate"), invoice.modified_at, moment)
            and passes(criteria.get("TransactionState"), state)
        ):
            yield invoice


def _invoice(books: Books, invoice: Invoice) -> Record:
    names = {vendor.number: vendor.name for vendor in books.vendors}
    modified = invoice.modified_at or datetime.combine(_NO_DATE, datetime.min.time(), UTC)
    return {
        "Key": {"Id": invoice.number},
        "VendorKey": {"Id": invoice.party},
        "VendorName": names.get(invoice.party),
        "Date": invoice.day,
        "CurrencyKey": {"ISOCode": books.currency},
        "DocumentAmount": _money(invoice.amount, books.currency),
        "ModifiedDate": modified.replace(hour=0, minute=0, second=0, microsecond=0),
        "TransactionState": "Open" if invoice.open_amount else "History",
    }


def _invoice_by_key(company: GpCompany, key: Record) -> Record:
    for invoice in ap_invoices(company.books):
        if invoice.number == key.get("Id"):
            return {**_invoice(company.books, invoice), "VendorDocumentNumber": invoice.reference}
    raise Fault("Business object not found.")


_BY_COMPANY: dict[str, Callable[[GpCompany, Record], Any]] = {
    "GetGLTransactionList": _transactions,
    "GetGLTransactionByKey": by_key,
    "GetBatchByKey": batch_by_key,
    "GetGLPostedTransactionByKey": _posted_transaction,
    "GetGLPostingAccountList": _posting_accounts,
    "GetGLUnitAccountList": _unit_accounts,
    "GetGLAccountFormatList": _formats,
    "GetVendorList": _vendors,
    "GetEmployeeList": _employees,
    "GetPayablesInvoiceList": _invoices,
    "GetPayablesInvoiceByKey": _invoice_by_key,
}
