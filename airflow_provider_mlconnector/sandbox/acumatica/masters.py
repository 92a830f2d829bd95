# SPDX-License-Identifier: Apache-2.0
"""Master data, invoices and orders of a tenant as records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.acumatica.site import (
    ACTUAL_LEDGER,
    BUDGET_LEDGER,
    STATISTICAL_LEDGER,
    TAX_LEDGER,
    Tenant,
    record_id,
)
from airflow_provider_mlconnector.sandbox.acumatica.wire import Record
from airflow_provider_mlconnector.sandbox.acumatica.words import ACCOUNT_TYPES, period_text, subaccount
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, Account, AccountType, ValueType
from airflow_provider_mlconnector.sandbox.books.masterdata import SET_UP_AT
from airflow_provider_mlconnector.sandbox.books.periods import ADJUSTING, PERIODS
from airflow_provider_mlconnector.sandbox.books.subledgers import Invoice, ap_invoices

LEDGERS = {
    ACTUAL_LEDGER: ("Actual", "Actual ledger"),
    BUDGET_LEDGER: ("Budget", "Approved budget"),
    STATISTICAL_LEDGER: ("Statistical", "Heads and square metres"),
    TAX_LEDGER: ("Reporting", "Tax adjustments"),
}
"""Type and name of each ledger."""

_CONTROLLING = {"Accounts Receivable": "AR", "Accounts Payable": "AP"}
_ZERO = Decimal("0.00")


def accounts(tenant: Tenant) -> Iterator[Record]:
    """Yield the chart of accounts: headings and totals are unknown here, an account's class stands for them."""
    books = tenant.books
    for place, account in enumerate(books.accounts):
        if account.type is not AccountType.POSTING:
            continue
        changed = books.changed_at(account.number)
        yield {
            "id": record_id(tenant.name, "account", account.number),
            "AccountCD": account.number,
            "AccountClass": account_class(tenant, account),
            "AccountID": 1000 + place,
            "Active": not account.blocked,
            "CashAccount": account.subcategory == "Cash",
            "ChartOfAccountsOrder": 0,
            "CreatedDateTime": SET_UP_AT,
            "Description": account.name,
            "LastModifiedDateTime": changed,
            "PostOption": "Detail",
            "RequireUnits": account.statistical,
            "Secured": False,
            "Type": ACCOUNT_TYPES[account.category],
            "UseDefaultSubaccount": False,
            "custom": {"AccountRecords": _control_fields(account)},
        }


def _control_fields(account: Account) -> Mapping[str, tuple[str, object]]:
    """Return type and value of the fields that say whether an account is posted to by a subledger alone."""
    module = None if account.direct_posting else _CONTROLLING.get(account.subcategory, "IN")
    return {
        "AllowManualEntry": ("CustomBooleanField", False),
        "ControlAccountModule": ("CustomStringField", module),
    }


def account_class(tenant: Tenant, account: Account) -> str | None:
    """Return an account's class: the number of the heading that it stands under in the books."""
    return account.parent or None


def subaccounts(tenant: Tenant) -> Iterator[Record]:
    """Yield one subaccount for each department that may be posted to, and one for none."""
    values = [value for value in tenant.books.values(DEPARTMENT) if value.type is ValueType.STANDARD]
    known = [("", "No department", True), *((value.code, value.name, not value.blocked) for value in values)]
    for place, (code, name, active) in enumerate(known):
        yield {
            "id": record_id(tenant.name, "subaccount", code),
            "SubaccountCD": subaccount(code),
            "SubaccountID": 500 + place,
            "Description": name,
            "Active": active,
            "Secured": False,
        }


def ledgers(tenant: Tenant) -> Iterator[Record]:
    """Yield the ledgers; all but the budget's are the company's."""
    branch = {
        "id": record_id(tenant.name, "branch"),
        "Active": True,
        "BranchID": tenant.branch,
        "BranchName": tenant.books.name,
        "CompanyName": tenant.books.name,
    }
    for code, (kind, name) in LEDGERS.items():
        yield {
            "id": record_id(tenant.name, "ledger", code),
            "LedgerID": code,
            "Type": kind,
            "Description": name,
            "Currency": None if kind == "Statistical" else tenant.books.currency,
            "ConsolidationSource": False,
            "LastModifiedDateTime": SET_UP_AT,
            "Branches": [branch],
            "Companies": [],
        }


def financial_periods(tenant: Tenant) -> Iterator[Record]:
    """Yield the financial years with their periods, the one for adjustments last."""
    books = tenant.books
    for year, periods in groupby(books.periods, key=lambda period: period.year):
        within = [*periods]
        adjusting = books.company.fiscal.last_number == ADJUSTING and len(within) == PERIODS
        rows = [*within, *([books.period(f"FY{year}-P{ADJUSTING}")] if adjusting else [])]
        yield {
            "id": record_id(tenant.name, "year", str(year)),
            "FinancialYear": str(year),
            "NbrOfPeriods": len(rows),
            "StartDate": within[0].start,
            "UserDefinedPeriods": False,
            "CreatedDateTime": SET_UP_AT,
            "LastModifiedDateTime": SET_UP_AT,
            "Details": [_period(tenant, period) for period in rows],
        }


def vendors(tenant: Tenant) -> Iterator[Record]:
    """Yield the vendors."""
    for vendor in tenant.books.vendors:
        yield {
            "id": record_id(tenant.name, "vendor", vendor.number),
            "VendorID": vendor.number,
            "VendorName": vendor.name,
            "VendorClass": "DEFAULT",
            "Status": {"": "Active", "Payment": "Hold Payments", "All": "Inactive"}[vendor.blocked],
            "CurrencyID": tenant.books.currency,
            "CreatedDateTime": SET_UP_AT,
            "LastModifiedDateTime": tenant.books.changed_at(vendor.number),
        }


def employees(tenant: Tenant) -> Iterator[Record]:
    """Yield the employees."""
    for employee in tenant.books.employees:
        number = employee.number
        contact = {
            "id": record_id(tenant.name, "contact", number),
            "FirstName": employee.given_name,
            "LastName": employee.surname,
            "JobTitle": employee.job_title,
            "DateOfBirth": employee.born_on,
        }
        settings = {"id": record_id(tenant.name, "settings", number), "BranchID": tenant.branch}
        yield {
            "id": record_id(tenant.name, "employee", number),
            "EmployeeID": number,
            "EmployeeName": employee.name,
            "Status": employee.status,
            "LastModifiedDateTime": tenant.books.changed_at(number),
            "ContactInfo": contact,
            "EmployeeSettings": settings,
        }


def bills(tenant: Tenant, period: Period | None) -> Iterator[Record]:
    """Yield the vendors' invoices of a period, or all."""
    for invoice in ap_invoices(tenant.books, period.key if period else None):
        yield _bill(tenant, invoice)


def purchase_orders(tenant: Tenant) -> Iterator[Record]:
    """Yield the orders to vendors; what was received of one stands on its only line."""
    for order in tenant.books.stock.purchase_orders:
        key = record_id(tenant.name, "order", order.number)
        line = {
            "id": record_id(tenant.name, "order line", order.number),
            "LineNbr": 1,
            "BranchID": tenant.branch,
            "ExtendedCost": order.amount,
            "ReceivedAmount": order.amount - order.open_amount,
        }
        yield {
            "id": key,
            "Type": "Normal",
            "OrderNbr": order.number,
            "VendorID": order.vendor,
            "Date": order.day,
            "Status": "On Hold" if order.status == "Hold" else order.status,
            "Hold": order.status == "Hold",
            "CurrencyID": tenant.books.currency,
            "BaseCurrencyID": tenant.books.currency,
            "Branch": tenant.branch,
            "OrderTotal": order.amount,
            "LineTotal": order.amount,
            "ControlTotal": order.amount,
            "TaxTotal": _ZERO,
            "LastModifiedDateTime": order.modified_at,
            "Details": [line],
        }


def _period(tenant: Tenant, period: Period) -> Record:
    closed = tenant.books.is_closed(period.key)
    modules = ("ClosedInAP", "ClosedInAR", "ClosedInCA", "ClosedInFA", "ClosedInIN")
    return {
        "id": record_id(tenant.name, "period", period.key),
        "FinancialPeriodID": period_text(period.key),
        "PeriodNbr": f"{period.number:02d}",
        "Description": _month_name(period),
        "StartDate": period.start,
        "EndDate": period.end,
        "LengthInDays": (period.end - period.start).days + 1,
        "AdjustmentPeriod": period.number == ADJUSTING,
        "Status": "Closed" if closed else "Open",
        **dict.fromkeys(modules, closed),
    }


def _month_name(period: Period) -> str:
    return "Adjustment Period" if period.number == ADJUSTING else f"{period.start:%B}"


def _bill(tenant: Tenant, invoice: Invoice) -> Record:
    first = invoice.postings[0]
    return {
        "id": record_id(tenant.name, "bill", invoice.number),
        "Type": "Bill",
        "ReferenceNbr": invoice.number,
        "Vendor": invoice.party,
        "VendorRef": invoice.reference,
        "Date": invoice.day,
        "DueDate": invoice.due,
        "PostPeriod": period_text(first.period),
        "Status": "Open" if invoice.open_amount else "Closed",
        "Hold": False,
        "CurrencyID": tenant.books.currency,
        "Amount": invoice.amount,
        "Balance": invoice.open_amount,
        "TaxTotal": _ZERO,
        "BranchID": tenant.branch,
        "Description": first.description,
        "LastModifiedDateTime": invoice.modified_at,
        "Details": [
            {
                "id": line.system_id,
                "Account": line.account,
                "Subaccount": subaccount(line.department),
                "Amount": line.amount,
                "Branch": tenant.branch,
                "TransactionDescription": line.description,
            }
            for line in invoice.postings
        ],
    }


MASTERS: Mapping[str, Callable[[Tenant], Iterator[Record]]] = {
    "Account": accounts,
    "Subaccount": subaccounts,
    "Ledger": ledgers,
    "FinancialPeriod": financial_periods,
    "Vendor": vendors,
    "Employee": employees,
    "PurchaseOrder": purchase_orders,
}
"""The records of each entity that fits into one list."""
