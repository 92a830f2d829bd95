# SPDX-License-Identifier: Apache-2.0
"""The entities of the endpoint Default/25.200.001 that are served, field by field as the endpoint defines them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EntityType:
    """An entity, or a row of another one's details.

    :param screen: what the tag of the schema says of it: title and number of its form.
    :param fields: type of each wrapped field, such as ``String``.
    :param details: collections of rows; ``linked`` are single nested objects.
    :param keys: fields that a record is addressed by, in order.
    :param actions: what may be POSTed to it.
    """

    name: str
    screen: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    details: Mapping[str, EntityType] = field(default_factory=dict)
    linked: Mapping[str, EntityType] = field(default_factory=dict)
    actions: tuple[str, ...] = ()

    @property
    def nested(self) -> dict[str, EntityType]:
        """What a request has to expand."""
        return {**self.details, **self.linked}


def _fields(text: str) -> dict[str, str]:
    """Read ``Name:Type`` words; a name alone is a String."""
    words = (word.partition(":") for word in text.split())
    return {name: kind or "String" for name, _, kind in words}


_JOURNAL_LINE = EntityType(
    "JournalTransactionDetail",
    fields=_fields(
        "Account BranchID CostCode CreditAmount:Decimal DebitAmount:Decimal Description IsNonPM:Boolean LineNbr:Int "
        "NonBillable:Boolean Project ProjectTask ProjectTransactionID:Long Qty:Decimal ReferenceNbr Subaccount "
        "TransactionDescription UOM VendorOrCustomer"
    ),
)
JOURNAL = EntityType(
    "JournalTransaction",
    "Journal Transactions (GL301000)",
    _fields(
        "BatchNbr BranchID CreatedDateTime:DateTime CurrencyID Description Hold:Boolean LastModifiedDateTime:DateTime "
        "LedgerID Module PostPeriod Status TransactionDate:DateTime"
    ),
    keys=("Module", "BatchNbr"),
    details={"Details": _JOURNAL_LINE},
    actions=("ReleaseJournalTransaction",),
)
ACCOUNT = EntityType(
    "Account",
    "Chart of Accounts (GL202500)",
    _fields(
        "AccountCD AccountClass AccountGroup AccountID:Int Active:Boolean CashAccount:Boolean ChartOfAccountsOrder:Int "
        "ConsolidationAccount CreatedDateTime:DateTime CurrencyID Description LastModifiedDateTime:DateTime PostOption "
        "RequireUnits:Boolean RevaluationRateType Secured:Boolean TaxCategory Type UseDefaultSubaccount:Boolean"
    ),
    keys=("AccountCD",),
)
SUBACCOUNT = EntityType(
    "Subaccount",
    "Subaccounts (GL203000)",
    _fields("Active:Boolean Description Secured:Boolean SubaccountCD SubaccountID:Int"),
    keys=("SubaccountCD",),
)
LEDGER = EntityType(
    "Ledger",
    "Ledgers (GL201500)",
    _fields("ConsolidationSource:Boolean Currency Description LastModifiedDateTime:DateTime LedgerID Type"),
    keys=("LedgerID",),
    details={
        "Branches": EntityType(
            "LedgerBranches", fields=_fields("Active:Boolean BranchID BranchName CompanyName"), keys=("BranchID",)
        ),
        "Companies": EntityType(
            "LedgerCompanies", fields=_fields("Active:Boolean Company CompanyName CompanyType"), keys=("Company",)
        ),
    },
)
_PERIOD = EntityType(
    "FinancialPeriodDetail",
    fields=_fields(
        "AdjustmentPeriod:Boolean ClosedInAP:Boolean ClosedInAR:Boolean ClosedInCA:Boolean ClosedInFA:Boolean "
        "ClosedInIN:Boolean Description EndDate:DateTime FinancialPeriodID LengthInDays:Int PeriodNbr "
        "StartDate:DateTime Status"
    ),
)
FINANCIAL_PERIOD = EntityType(
    "FinancialPeriod",
    "Master Financial Calendar (GL201000)",
    _fields(
        "CreatedDateTime:DateTime FinancialYear LastModifiedDateTime:DateTime NbrOfPeriods:Short StartDate:DateTime "
        "UserDefinedPeriods:Boolean"
    ),
    keys=("FinancialYear",),
    details={"Details": _PERIOD},
)
_SUMMARY_ROW = EntityType(
    "AccountSummaryRow",
    fields=_fields(
        "Account AccountClass BeginningBalance:Decimal Branch ConsolidationAccount CreditTotal:Decimal "
        "CurrencyBeginningBalance:Decimal CurrencyCreditTotal:Decimal CurrencyDebitTotal:Decimal "
        "CurrencyEndingBalance:Decimal CurrencyID CurrencyPtdTotal:Decimal DebitTotal:Decimal Description "
        "EndingBalance:Decimal LastActivity LedgerID:Int PtdTotal:Decimal Subaccount Type"
    ),
)
ACCOUNT_SUMMARY = EntityType(
    "AccountSummaryInquiry",
    "Account Summary (GL401000)",
    _fields("AccountClass Branch Ledger Period Subaccount"),
    details={"Results": _SUMMARY_ROW},
)
_DETAIL_ROW = EntityType(
    "AccountDetailsForPeriodInquiryDetail",
    fields=_fields(
        "Account BatchNumber Branch CreditAmount:Decimal CreditAmountInBaseCurrency:Decimal Currency CustomerVendor "
        "DebitAmount:Decimal DebitAmountInBaseCurrency:Decimal LastModifiedDateTime:DateTime Ledger Module PeriodID "
        "Posted:Boolean Project ProjectTask RefNumber Released:Boolean Subaccount TransactionDate:DateTime "
        "TransactionDescription TransactionType"
    ),
)
ACCOUNT_DETAILS = EntityType(
    "AccountDetailsForPeriodInquiry",
    "Account Details for Period (GL404001)",
    _fields("FromPeriod IncludeUnposted:Boolean IncludeUnreleased:Boolean Ledger ToPeriod"),
    details={"Results": _DETAIL_ROW},
)
VENDOR = EntityType(
    "Vendor",
    "Vendors (AP303000)",
    _fields("CreatedDateTime:DateTime CurrencyID LastModifiedDateTime:DateTime Status VendorClass VendorID VendorName"),
    keys=("VendorID",),
    actions=("CreateContactFromVendor",),
)
BILL = EntityType(
    "Bill",
    "Bills and Adjustments (AP301000)",
    _fields(
        "Amount:Decimal ApprovedForPayment:Boolean Balance:Decimal BranchID CashAccount CurrencyID Date:DateTime "
        "Description DueDate:DateTime Hold:Boolean IsTaxValid:Boolean LastModifiedDateTime:DateTime LocationID "
        "PostPeriod Project ReferenceNbr Status TaxTotal:Decimal Terms Type Vendor VendorRef"
    ),
    keys=("Type", "ReferenceNbr"),
    details={
        "Details": EntityType(
            "BillDetail", fields=_fields("Account Amount:Decimal Branch Description Subaccount TransactionDescription")
        )
    },
    actions=("ReleaseBill", "ReleaseRetainage", "ReverseBill"),
)
EMPLOYEE = EntityType(
    "Employee",
    "Employees (EP203000)",
    _fields("EmployeeID EmployeeName LastModifiedDateTime:DateTime Status"),
    keys=("EmployeeID",),
    linked={
        "ContactInfo": EntityType("Contact", fields=_fields("DateOfBirth:DateTime FirstName JobTitle LastName")),
        "EmployeeSettings": EntityType(
            "EmployeeSettings", fields=_fields("BranchID CurrencyID DepartmentID EmployeeClass")
        ),
    },
    actions=("ChangeEmployeeID",),
)
PURCHASE_ORDER = EntityType(
    "PurchaseOrder",
    "Purchase Orders (PO301000)",
    _fields(
        "BaseCurrencyID Branch ControlTotal:Decimal CurrencyID Date:DateTime Description Hold:Boolean "
        "LastModifiedDateTime:DateTime LineTotal:Decimal Location OrderNbr OrderTotal:Decimal Owner Project "
        "PromisedOn:DateTime Status TaxTotal:Decimal Terms Type VendorID VendorRef"
    ),
    keys=("Type", "OrderNbr"),
    details={
        "Details": EntityType(
            "PurchaseOrderDetail",
            fields=_fields("BranchID ExtendedCost:Decimal LineDescription LineNbr:Int ReceivedAmount:Decimal"),
        )
    },
)

ENTITIES = {
    entity.name: entity
    for entity in (
        ACCOUNT,
        ACCOUNT_DETAILS,
        ACCOUNT_SUMMARY,
        BILL,
        EMPLOYEE,
        FINANCIAL_PERIOD,
        JOURNAL,
        LEDGER,
        PURCHASE_ORDER,
        SUBACCOUNT,
        VENDOR,
    )
}
"""Every entity by its name."""

INQUIRIES = frozenset({ACCOUNT_SUMMARY.name, ACCOUNT_DETAILS.name})
"""Entities that are asked by PUT and hold nothing."""
