# SPDX-License-Identifier: Apache-2.0
"""``$metadata`` of each API: the sets that are served here, with the types that the vendor's documentation gives."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.business_central import journal_rows
from airflow_provider_mlconnector.sandbox.business_central.dimension_sets import LINE_FIELDS
from airflow_provider_mlconnector.sandbox.business_central.drift import Drift
from airflow_provider_mlconnector.sandbox.business_central.entries import PAGE_FIELDS, QUERY_FIELDS
from airflow_provider_mlconnector.sandbox.business_central.paths import V2
from airflow_provider_mlconnector.sandbox.business_central.tables import COMPANY_FIELDS, FINANCE_TABLES, V2_TABLES
from airflow_provider_mlconnector.sandbox.business_central.trial_balance import FIELDS as TRIAL_BALANCE_FIELDS
from airflow_provider_mlconnector.sandbox.business_central.wire import enum_name
from airflow_provider_mlconnector.sandbox.odata.csdl import Edm, EntitySet, EntityType, document

_NAMESPACE = "Microsoft.NAV"
_TYPES = {
    Edm.GUID: (
        "id accountId balancingAccountId currencyId dimensionId documentId itemId itemVariantId journalId locationId "
        "parentId payToVendorId paymentMethodId paymentTermsId shipmentMethodId systemCreatedBy systemModifiedBy "
        "unitOfMeasureId valueId vendorId company"
    ),
    Edm.DATE: (
        "allowPostingFrom allowPostingTo birthDate currentFiscalYearStartDate dateFilter employmentDate endingDate "
        "expectedReceiptDate fiscalYearEndDate fiscalYearStartDate orderDate postingDate requestedReceiptDate "
        "startingDate terminationDate"
    ),
    Edm.TIME: "lastModifiedDateTime systemCreatedAt systemModifiedAt",
    Edm.DECIMAL: (
        "additionalCurrencyAmount additionalCurrencyCreditAmount additionalCurrencyDebitAmount amount "
        "amountExcludingTax amountIncludingTax balance creditAmount debitAmount directUnitCost discountAmount "
        "discountPercent invoiceDiscountAllocation invoiceQuantity invoicedQuantity netAmount netAmountIncludingTax "
        "netChange netTaxAmount quantity receiveQuantity receivedQuantity taxPercent totalAmountExcludingTax "
        "totalAmountIncludingTax totalTaxAmount vatAmount"
    ),
    Edm.BOOLEAN: (
        "allowQueryFromConsolidation blocked closed dateLocked directPosting discountAppliedBeforeTax "
        "excludeFromConsolidation fullyReceived newFiscalYear pricesIncludeTax reveresd taxLiable"
    ),
    Edm.INT32: (
        "accountSubcategoryEntryNumber dimensionSetID dimensionValueId entryNumber globalDimensionNumber indentation "
        "lineNumber sequence setId"
    ),
    Edm.INT64: "timestamp",
}
_TYPE_OF = {name: kind for kind, names in _TYPES.items() for name in names.split()}

_TOTALS = ("Heading", "Total", "Begin-Total", "End-Total")
_CAPTIONS = {
    "glAccountCategory": (" ", "Assets", "Liabilities", "Equity", "Income", "Cost of Goods Sold", "Expense"),
    "glAccountType": ("Posting", *_TOTALS),
    "glAccountReportType": ("Income Statement", "Balance Sheet"),
    "genJournalAccountType": (
        *("G/L Account", "Customer", "Vendor", "Bank Account", "Fixed Asset", "IC Partner", "Employee"),
    ),
    "defaultDimensionParentType": (" ", "Customer", "Vendor", "Item", "Employee", "Account"),
    "defaultDimensionValuePostingType": (" ", "Code Mandatory", "Same Code", "No Code"),
    "genJournalDocumentType": (
        *(" ", "Payment", "Invoice", "Credit Memo", "Finance Charge Memo", "Reminder", "Refund"),
    ),
    "genJournalSourceType": (" ", "Customer", "Vendor", "Bank Account", "Fixed Asset", "IC Partner", "Employee"),
    "dimensionSetEntryBufferParentType": (
        *(" ", "Journal Line", "General Ledger Entry", "Purchase Order", "Purchase Order Line"),
    ),
    "dimensionValueType": ("Standard", *_TOTALS),
    "vendorBlocked": (" ", "Payment", "All"),
    "employeeStatus": ("Active", "Inactive", "Terminated"),
    "purchaseOrderEntityBufferStatus": ("Draft", "In Review", "Open"),
    "invoiceLineAggLineType": ("Comment", "Account", "Item", "Resource", "Fixed Asset", "Charge"),
}
_ENUMS = {name: tuple(enum_name(caption) for caption in captions) for name, captions in _CAPTIONS.items()}
_TYPE_IN = {
    "account.category": "glAccountCategory",
    "account.accountType": "glAccountType",
    "generalLedgerAccount.accountCategory": "glAccountCategory",
    "generalLedgerAccount.accountType": "glAccountType",
    "generalLedgerAccount.incomeBalance": "glAccountReportType",
    "generalLedgerEntry.documentType": "genJournalDocumentType",
    "generalLedgerEntry.sourceType": "genJournalSourceType",
    "dimensionSetLine.parentType": "dimensionSetEntryBufferParentType",
    "dimensionValue.dimensionValueType": "dimensionValueType",
    "journalLine.accountType": "genJournalAccountType",
    "journalLine.balanceAccountType": "genJournalAccountType",
    "defaultDimension.dimensionValueId": Edm.GUID,
    "defaultDimension.parentType": "defaultDimensionParentType",
    "defaultDimension.postingValidation": "defaultDimensionValuePostingType",
    "trialBalance.accountType": "glAccountType",
    "vendor.blocked": "vendorBlocked",
    "employee.status": "employeeStatus",
    "purchaseOrder.status": "purchaseOrderEntityBufferStatus",
    "purchaseOrderLine.lineType": "invoiceLineAggLineType",
}
_KEYS = {"trialBalance": "accountId", "globalSettings": "company"}


def metadata_document(api: str, drift: Drift) -> str:
    """Return the document of an API as CSDL 4.0, as it is after an update."""
    tables = V2_TABLES if api == V2 else FINANCE_TABLES
    shown = [
        _entity_set(name, table.entity, table.fields, drift, {below: V2_TABLES[below].entity for below in table.below})
        for name, table in tables.items()
    ]
    if api == V2:
        lines = {"dimensionSetLines": "dimensionSetLine"}
        shown += [
            _entity_set("companies", "company", COMPANY_FIELDS, drift),
            _entity_set("generalLedgerEntries", "generalLedgerEntry", PAGE_FIELDS, drift, lines),
            _entity_set("dimensionSetLines", "dimensionSetLine", LINE_FIELDS, drift),
            _entity_set("journals", "journal", journal_rows.BATCH_FIELDS, drift, {"journalLines": "journalLine"}),
            _entity_set("journalLines", "journalLine", journal_rows.LINE_FIELDS, drift, lines),
            _entity_set("defaultDimensions", "defaultDimension", journal_rows.DEFAULT_FIELDS, drift),
            _entity_set("trialBalances", "trialBalance", TRIAL_BALANCE_FIELDS, drift),
        ]
    else:
        shown.append(_entity_set("generalLedgerEntries", "generalLedgerEntry", QUERY_FIELDS, drift))
    return document(_NAMESPACE, shown, _ENUMS)


def _entity_set(
    name: str, entity: str, fields: tuple[str, ...], drift: Drift, below: dict[str, str] | None = None
) -> EntitySet:
    properties = {
        field: Edm.TEXT
        if field in drift.as_text
        else _TYPE_IN.get(f"{entity}.{field}") or _TYPE_OF.get(field, Edm.TEXT)
        for field in fields
        if field not in drift.dropped
    }
    added = dict.fromkeys(drift.added, Edm.TEXT)
    return EntitySet(name, EntityType(entity, (_KEYS.get(entity, "id"),), {**properties, **added}, below or {}))
