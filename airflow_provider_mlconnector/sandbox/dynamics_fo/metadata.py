# SPDX-License-Identifier: Apache-2.0
"""``$metadata`` of the environment: the sets that it serves, out of the thousands of a real one.

The types follow from the rows. Enums are listed as the vendor's own, the longest as far as the books need them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_writing import KEYS
from airflow_provider_mlconnector.sandbox.dynamics_fo.sets import PREFIX, PUBLISHED, Sets
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import ETAG, NAMESPACE
from airflow_provider_mlconnector.sandbox.odata.csdl import Edm, EntitySet, EntityType, document

_KEYS = {
    "GeneralJournalEntryBiEntity": ("JournalNumber", "FiscalCalendarYear", "Ledger"),
    "GeneralJournalAccountEntryBiEntity": ("SourceKey",),
    "MainAccount": ("ChartOfAccounts", "MainAccountId"),
    "DimensionAttribute": ("DimensionName",),
    "FinancialDimensionValue": ("FinancialDimension", "LegalEntityId", "DimensionValue"),
    "DimensionParameters": ("Key",),
    "DimensionIntegrationFormat": ("DimensionFormatName", "DimensionFormatType"),
    "Ledger": ("LegalEntityId",),
    "LegalEntity": ("LegalEntityId",),
    "FiscalPeriod": ("Calendar", "FiscalYear", "StartDate", "EndDate", "PeriodName"),
    "FiscalCalendarPeriodBiEntity": ("SourceKey",),
    "LedgerFiscalPeriod": ("LedgerName", "Calendar", "YearName", "PeriodName"),
    "VendorV2": ("dataAreaId", "VendorAccountNumber"),
    "JournalName": ("dataAreaId", "Name"),
    **KEYS,
}
_ENUMS = {
    "NoYes": ("No", "Yes"),
    "CurrentOperationsTax": (
        *("Current", "Operations", "Tax", "WarehouseCur_RU"),
        *(f"CustomLayer{number}" for number in range(1, 8)),
        "None",
    ),
    "LedgerTransType": (
        "None",
        *("Sales", "Purch", "Payment", "InventTrans", "FixedAssets", "LedgerJournal", "ClosingSheet"),
    ),
    "LedgerPostingType": (
        *("None", "ExchRateGain", "ExchRateLoss", "InterCompany", "Tax", "VATRoundOff", "Allocation"),
        *("InvestmentDuty", "Liquidity", "MSTDiffSecond", "ErrorAccount", "MSTDiff", "YearResult", "Closing"),
        *("LedgerJournal", "CashDiscount", "ConsolidateDiffBalance", "PaymentFee", "TaxReport"),
        "TransferOpeningClosing",
    ),
    "DimensionLedgerAccountType": (
        *("Blank", "ProfitAndLoss", "Revenue", "Expense", "BalanceSheet", "Asset", "Liability", "Equity", "Total"),
        *("Reporting", "Common_CN"),
    ),
    "DebCredProposal": ("None", "Debit", "Credit"),
    "DimensionSegmentDelimiter": (
        *("Hyphen", "Period", "Underscore", "Bar", "Tilde"),
        *("DoubleHyphen", "DoublePeriod", "DoubleUnderscore", "DoubleBar", "DoubleTilde"),
    ),
    "DimensionHierarchyType": ("DataEntityDefaultDimensionFormat", "DataEntityLedgerDimensionFormat"),
    "FiscalPeriodType": ("Opening", "Operating", "Closing"),
    "FiscalPeriodStatus": ("Open", "OnHold", "Closed"),
    "LedgerJournalType": ("Daily", "Periodic", "Allocation", "Budget"),
    "NewVoucher": ("BalanceSheet", "Manually", "OneVoucher"),
    "LedgerJournalACType": (
        *("Ledger", "Cust", "Vend", "Project", "FixedAssets", "Bank", "FixedAssets_RU", "Employee_RU"),
        *("RDeferrals", "RCash"),
    ),
    "DetailSummary": ("Detail", "Summary"),
    "CustVendorBlocked": ("No", "Invoice", "All", "Payment", "Requisition", "Never"),
}
_ENUM_FIELDS = {
    **dict.fromkeys(("IsCredit", "IsCorrection", "IsSuspended", "DoNotAllowManualEntry", "IsTotal"), "NoYes"),
    **dict.fromkeys(("IsBlockedForManualEntry", "IsActive", "IsBudgetControlEnabled"), "NoYes"),
    **dict.fromkeys(("IsPosted", "IsApprovalActive", "IsWorkflowApprovalActive", "IsFixedOffsetAccount"), "NoYes"),
    **dict.fromkeys(("DeleteLinesAfterPosting", "ReverseEntry", "OverrideSalesTax"), "NoYes"),
    "IsWithholdingCalculationEnabled": "NoYes",
    "AccountType": "LedgerJournalACType",
    "OffsetAccountType": "LedgerJournalACType",
    "NewVoucher": "NewVoucher",
    "DetailLevel": "DetailSummary",
    "JournalName.Type": "LedgerJournalType",
    "PostingLayer": "CurrentOperationsTax",
    "JournalCategory": "LedgerTransType",
    "PostingType": "LedgerPostingType",
    "MainAccountType": "DimensionLedgerAccountType",
    "DebitCreditDefault": "DebCredProposal",
    "DimensionSegmentDelimiter": "DimensionSegmentDelimiter",
    "DimensionFormatType": "DimensionHierarchyType",
    "Type": "FiscalPeriodType",
    "PeriodStatus": "FiscalPeriodStatus",
    "OnHoldStatus": "CustVendorBlocked",
}
_SMALL = frozenset({"AllocationLevel", "SysRecVersion", "Key", "Days", "PostingLineLimit"})


def metadata_document(sets: Sets) -> str:
    """Return the document as CSDL 4.0, with the properties that the sets have today."""
    shown = []
    for name, entity, row in sets.samples():
        prefix = PREFIX if name in PUBLISHED else ""
        properties = {
            field: _type(entity, field.removeprefix(prefix), value) for field, value in row.items() if field != ETAG
        }
        key = tuple(f"{prefix}{field}" for field in _KEYS[entity])
        shown.append(EntitySet(name, EntityType(f"{prefix}{entity}", key, properties, {})))
    return document(NAMESPACE, shown, _ENUMS)


def _type(entity: str, field: str, value: Any) -> str:
    match value:
        case Decimal():
            return Edm.DECIMAL
        case datetime():
            return Edm.TIME
        case int():
            return Edm.INT32 if field in _SMALL else Edm.INT64
        case _:
            return _ENUM_FIELDS.get(f"{entity}.{field}") or _ENUM_FIELDS.get(field, Edm.TEXT)
