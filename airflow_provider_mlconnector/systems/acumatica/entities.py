# SPDX-License-Identifier: Apache-2.0
"""The entities that are read, and of each the fields that are asked for (Default/25.200.001)."""

from __future__ import annotations

from airflow_provider_mlconnector.systems.acumatica.wrapped import (
    NOTHING,
    Entity,
    Flag,
    Moment,
    Money,
    Record,
    Text,
    Whole,
)


class JournalLine(Record):
    """A line of a journal; amounts are in the currency of the journal."""

    LineNbr: Whole
    Account: Text
    Subaccount: Text
    DebitAmount: Money
    CreditAmount: Money
    BranchID: Text = NOTHING
    Project: Text = NOTHING
    ReferenceNbr: Text = NOTHING
    TransactionDescription: Text = NOTHING


class Journal(Record):
    """A batch with its lines."""

    Module: Text
    BatchNbr: Text
    PostPeriod: Text
    TransactionDate: Moment
    CurrencyID: Text
    LedgerID: Text
    LastModifiedDateTime: Moment
    Description: Text
    Details: tuple[JournalLine, ...]


class Account(Record):
    """An account; ``AccountClass`` is the nearest thing to a heading."""

    AccountCD: Text
    Description: Text
    Type: Text
    LastModifiedDateTime: Moment = NOTHING
    AccountClass: Text = NOTHING
    Active: Flag = NOTHING


class Subaccount(Record):
    """A subaccount, which has no modified stamp."""

    SubaccountCD: Text
    Description: Text = NOTHING
    Active: Flag = NOTHING


class Branch(Record):
    """A branch that posts to a ledger."""

    BranchID: Text
    BranchName: Text = NOTHING
    Active: Flag = NOTHING


class Ledger(Record):
    """A ledger; ``Type`` is Actual, Reporting, Statistical or Budget."""

    LedgerID: Text
    Type: Text
    Currency: Text = NOTHING
    Branches: tuple[Branch, ...] = ()


class YearPeriod(Record):
    """A period of the master calendar; an adjusting one has the days of another, or none."""

    FinancialPeriodID: Text
    PeriodNbr: Text
    StartDate: Moment
    EndDate: Moment
    Status: Text
    Description: Text = NOTHING
    AdjustmentPeriod: Flag = NOTHING


class FinancialYear(Record):
    """A year of the master calendar."""

    FinancialYear: Text
    LastModifiedDateTime: Moment = NOTHING
    Details: tuple[YearPeriod, ...] = ()


class Vendor(Record):
    """A vendor."""

    VendorID: Text
    VendorName: Text
    Status: Text = NOTHING
    CurrencyID: Text = NOTHING
    LastModifiedDateTime: Moment = NOTHING


class Contact(Record):
    """What of an employee's contact is asked for: nothing personal."""

    JobTitle: Text = NOTHING


class Employee(Record):
    """An employee."""

    EmployeeID: Text
    EmployeeName: Text
    Status: Text = NOTHING
    LastModifiedDateTime: Moment = NOTHING
    ContactInfo: Contact | None = None


class Bill(Record):
    """A vendor's invoice, credit or debit adjustment; amounts are in its own currency."""

    Type: Text
    ReferenceNbr: Text
    Vendor: Text
    Amount: Money
    Date: Moment = NOTHING
    DueDate: Moment = NOTHING
    PostPeriod: Text = NOTHING
    Status: Text = NOTHING
    CurrencyID: Text = NOTHING
    Balance: Money = NOTHING
    VendorRef: Text = NOTHING
    LastModifiedDateTime: Moment = NOTHING


class OrderLine(Record):
    """A line of a purchase order, and what of it was received."""

    ExtendedCost: Money = NOTHING
    ReceivedAmount: Money = NOTHING


class PurchaseOrder(Record):
    """An order to a vendor; amounts are in its own currency."""

    Type: Text
    OrderNbr: Text
    VendorID: Text
    OrderTotal: Money
    Date: Moment = NOTHING
    PromisedOn: Moment = NOTHING
    Status: Text = NOTHING
    CurrencyID: Text = NOTHING
    LastModifiedDateTime: Moment = NOTHING
    Details: tuple[OrderLine, ...] = ()


class SummaryRow(Record):
    """An account over a period, in base currency; balances are signed by the account's type, totals are not."""

    Account: Text
    Type: Text
    BeginningBalance: Money
    DebitTotal: Money
    CreditTotal: Money


class Summary(Record):
    """The account summary."""

    Results: tuple[SummaryRow, ...]


class DetailRow(Record):
    """A posted line with its amounts in its own and in base currency."""

    Module: Text
    BatchNumber: Text
    Account: Text
    Subaccount: Text
    DebitAmount: Money
    CreditAmount: Money
    DebitAmountInBaseCurrency: Money
    CreditAmountInBaseCurrency: Money
    TransactionDescription: Text = NOTHING


class Details(Record):
    """The account details for a period."""

    Results: tuple[DetailRow, ...]


JOURNALS = Entity("JournalTransaction", Journal, keys=("Module", "BatchNbr"), details=("Details",))
ACCOUNTS = Entity("Account", Account, keys=("AccountCD",))
SUBACCOUNTS = Entity("Subaccount", Subaccount, keys=("SubaccountCD",))
LEDGERS = Entity("Ledger", Ledger, keys=("LedgerID",), details=("Branches",))
YEARS = Entity("FinancialPeriod", FinancialYear, keys=("FinancialYear",), details=("Details",))
VENDORS = Entity("Vendor", Vendor, keys=("VendorID",))
EMPLOYEES = Entity("Employee", Employee, keys=("EmployeeID",), details=("ContactInfo",))
BILLS = Entity("Bill", Bill, keys=("Type", "ReferenceNbr"))
PURCHASE_ORDERS = Entity("PurchaseOrder", PurchaseOrder, keys=("Type", "OrderNbr"), details=("Details",))
SUMMARY = Entity("AccountSummaryInquiry", Summary, details=("Results",))
DETAILS = Entity("AccountDetailsForPeriodInquiry", Details, details=("Results",))
