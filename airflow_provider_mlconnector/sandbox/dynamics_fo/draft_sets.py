# SPDX-License-Identifier: Apache-2.0
"""``LedgerJournalHeaders``, ``LedgerJournalLines`` and ``JournalNames`` as rows, in the order of the wire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.dynamics_fo.display import DELIMITERS, MAIN_ACCOUNT, written
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import (
    DraftHeader,
    DraftLine,
    GeneralJournals,
    JournalName,
    all_journals,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import ETAG, NO_DATE, etag, noon, yes_no
from airflow_provider_mlconnector.sandbox.odata.rows import Row

_NO_TEXT = (
    *("DefaultDimensionDisplayValue", "OffsetDefaultDimensionDisplayValue", "FinTagDisplayValue", "OffsetText"),
    *("OffsetFinTagDisplayValue", "Invoice", "PaymentId", "PaymentMethod", "PaymentReference", "PostingProfile"),
    *("SalesTaxGroup", "ItemSalesTaxGroup", "SalesTaxCode", "CashDiscount", "BankGroupId", "ChineseVoucher"),
)
_NO_NUMBER = ("ExchRateSecond", "ReportingCurrencyExchRate", "Quantity", "CashDiscountAmount", "DiscountPercentage")
_NO_DATE = ("DocumentDate", "DueDate", "ReverseDate", "CashDiscountDate")
_NO = ("ReverseEntry", "OverrideSalesTax", "IsWithholdingCalculationEnabled")
_UNUSED = {
    **dict.fromkeys(_NO_TEXT, ""),
    **dict.fromkeys(_NO_NUMBER, Decimal(0)),
    **dict.fromkeys(_NO_DATE, NO_DATE),
    **dict.fromkeys(_NO, "No"),
}
"""Columns of a line that nothing here is ever written to."""


def name_rows(environment: Environment) -> Iterator[Row]:
    """Yield the journal names of every company."""
    for journals in all_journals(environment.world):
        for name in journals.names.values():
            yield _name_row(environment, journals, name)


def header_rows(environment: Environment) -> Iterator[Row]:
    """Yield the general journals of every company."""
    for journals in all_journals(environment.world):
        for header in journals.headers.values():
            yield header_row(journals, header)


def line_rows(environment: Environment) -> Iterator[Row]:
    """Yield the lines of the general journals of every company."""
    for journals in all_journals(environment.world):
        for header, line in journals.all_lines():
            yield line_row(environment, journals, header, line)


def like_header(environment: Environment) -> Iterator[Row]:
    """Yield a general journal such as there may be."""
    journals, header = _like(environment)
    yield header_row(journals, header)


def like_line(environment: Environment) -> Iterator[Row]:
    """Yield a line such as there may be."""
    journals, header = _like(environment)
    line = DraftLine(journals.next_record(), Decimal(1), date.min, journals.books.currency)
    yield line_row(environment, journals, header, line)


def header_row(journals: GeneralJournals, header: DraftHeader) -> Row:
    """Return a journal as it is written."""
    lines = journals.lines_of(header.number)
    return {
        ETAG: etag(header.version, header.record),
        "dataAreaId": journals.area,
        "JournalBatchNumber": header.number,
        "AccountingCurrency": journals.books.currency,
        "JournalName": header.name.name,
        "IntegrationKey": header.integration_key,
        "Description": header.description,
        "PostingLayer": header.layer,
        "IsPosted": yes_no(header.posted),
        "JournalTotalCredit": sum((line.credit for line in lines), Decimal(0)),
        "JournalTotalDebit": sum((line.debit for line in lines), Decimal(0)),
    }


def line_row(environment: Environment, journals: GeneralJournals, header: DraftHeader, line: DraftLine) -> Row:
    """Return a line as it is written."""
    return {
        ETAG: etag(line.version, line.record),
        "dataAreaId": journals.area,
        "JournalBatchNumber": header.number,
        "LineNumber": line.number,
        "Voucher": line.voucher,
        "TransDate": noon(line.day),
        "AccountType": "Ledger",
        "AccountDisplayValue": _display(environment, line.segments),
        "OffsetAccountType": "Ledger",
        "OffsetAccountDisplayValue": _display(environment, line.offset),
        "DebitAmount": line.debit,
        "CreditAmount": line.credit,
        "CurrencyCode": line.currency,
        "ExchRate": Decimal(100),
        "Text": line.text,
        "Document": line.document,
        "Company": journals.area,
        "OffsetCompany": journals.area,
        **_UNUSED,
    }


def _like(environment: Environment) -> tuple[GeneralJournals, DraftHeader]:
    journals = GeneralJournals(environment.default_company())
    return journals, journals.add_header(next(iter(journals.names.values())))


def _name_row(environment: Environment, journals: GeneralJournals, name: JournalName) -> Row:
    offset = {MAIN_ACCOUNT: name.offset_account} if name.offset_account else {}
    return {
        "dataAreaId": journals.area,
        "Name": name.name,
        "Description": name.name,
        "Type": name.type,
        "PostingLayer": name.layer,
        "NewVoucher": name.new_voucher.value,
        "VoucherSeriesCode": f"{name.name}_V",
        "IsApprovalActive": yes_no(name.approval),
        "IsWorkflowApprovalActive": yes_no(name.workflow),
        "PostingLineLimit": name.line_limit,
        "OffsetAccountType": "Ledger",
        "OffsetAccountDisplayValue": _display(environment, offset),
        "IsFixedOffsetAccount": yes_no(name.fixed_offset),
        "DeleteLinesAfterPosting": yes_no(name.deletes_lines),
        "DetailLevel": "Detail",
    }


def _display(environment: Environment, segments: dict[str, str]) -> str:
    switches = environment.switches
    if not segments:
        return ""
    return written(segments, switches.dimension_format or tuple(segments), DELIMITERS[switches.delimiter])
