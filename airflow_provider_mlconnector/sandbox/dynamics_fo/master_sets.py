# SPDX-License-Identifier: Apache-2.0
"""The sets beside the journals: accounts, dimensions and their values, ledgers, legal entities, periods, vendors."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import Account, AccountType, Category, ValueType
from airflow_provider_mlconnector.sandbox.dynamics_fo.display import DELIMITERS
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.fiscal import fiscal_records
from airflow_provider_mlconnector.sandbox.dynamics_fo.numbers import area
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import rules_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import noon, yes_no
from airflow_provider_mlconnector.sandbox.odata.rows import Row

_TYPES = {
    Category.NONE: "Blank",
    Category.ASSETS: "Asset",
    Category.LIABILITIES: "Liability",
    Category.EQUITY: "Equity",
    Category.INCOME: "Revenue",
    Category.COST_OF_GOODS_SOLD: "Expense",
    Category.EXPENSE: "Expense",
}
_ON_HOLD = {"": "No", "Payment": "Payment", "All": "All"}


def accounts(environment: Environment) -> Iterator[Row]:
    """Yield the accounts of every chart."""
    for books in environment.companies():
        for place, account in enumerate(books.accounts):
            if not account.statistical:
                yield _account(environment, books, place, account)


def _account(environment: Environment, books: Books, place: int, account: Account) -> Row:
    rule = rules_of(environment.world, books).account(account.number)
    return {
        "ChartOfAccounts": books.code,
        "MainAccountId": account.number,
        "MainAccountRecId": environment.numbers.account(books, place),
        "ChartOfAccountsRecId": environment.numbers.chart(books),
        "Name": account.name,
        "MainAccountType": _account_type(account),
        "MainAccountCategory": account.subcategory.upper()[:20],
        "AccountCategoryDescription": account.subcategory,
        "IsSuspended": yes_no(account.blocked),
        "DoNotAllowManualEntry": yes_no(not account.direct_posting),
        "ParentMainAccountId": account.parent,
        "ActiveFrom": noon(rule.active.first),
        "ActiveTo": noon(rule.active.last),
        "DebitCreditDefault": "None",
        "DebitCreditRequirement": rule.side.value,
        "DefaultCurrency": "",
        "OpeningAccountId": "",
    }


def _account_type(account: Account) -> str:
    match account.type:
        case AccountType.POSTING:
            return _TYPES[account.category]
        case AccountType.END_TOTAL | AccountType.TOTAL:
            return "Total"
        case _:
            return "Reporting"


def dimensions(environment: Environment) -> Iterator[Row]:
    """Yield the dimensions, which all companies share."""
    for name in environment.default_company().dimensions.values():
        yield {"DimensionName": name, "ReportColumnName": name.upper(), "UseValuesFrom": "Custom list"}


def dimension_values(environment: Environment) -> Iterator[Row]:
    """Yield the values of every dimension, each of one company."""
    for books in environment.companies():
        rules = rules_of(environment.world, books)
        for dimension, name in books.dimensions.items():
            for value in books.values(dimension):
                rule = rules.value(name, value.code)
                yield {
                    "FinancialDimension": name,
                    "LegalEntityId": area(books),
                    "DimensionValue": value.code,
                    "Description": value.name,
                    "IsSuspended": yes_no(value.blocked),
                    "IsTotal": yes_no(value.type is not ValueType.STANDARD),
                    "IsBlockedForManualEntry": yes_no(not rule.manual),
                    "GroupDimension": value.parent,
                    "Owner": "",
                    "ActiveFrom": noon(rule.active.first),
                    "ActiveTo": noon(rule.active.last),
                }


def dimension_parameters(environment: Environment) -> Iterator[Row]:
    """Yield the one row that names the delimiter."""
    yield {"Key": 0, "DimensionSegmentDelimiter": environment.switches.delimiter}


def dimension_formats(environment: Environment) -> Iterator[Row]:
    """Yield the formats of display values: one for default dimensions, one old and one active for ledger accounts."""
    delimiter, names = DELIMITERS[environment.switches.delimiter], environment.switches.dimension_format
    for name, kind, segments, active in (
        ("Default", "DataEntityDefaultDimensionFormat", ("Project", "Department"), True),
        ("Old", "DataEntityLedgerDimensionFormat", ("MainAccount", "Project"), False),
        ("Ledger", "DataEntityLedgerDimensionFormat", names, bool(names)),
    ):
        yield {
            "DimensionFormatName": name,
            "DimensionFormatType": kind,
            "FinancialDimensionFormat": delimiter.join(segments),
            "IsActive": yes_no(active),
        }


def ledgers(environment: Environment) -> Iterator[Row]:
    """Yield a ledger per company."""
    for books in environment.companies():
        yield {
            "LegalEntityId": area(books),
            "Name": books.code,
            "LedgerRecId": environment.numbers.ledger(books),
            "AccountingCurrency": books.currency,
            "ReportingCurrency": books.currency,
            "ChartOfAccounts": books.code,
            "ChartOfAccountsRecId": environment.numbers.chart(books),
            "FiscalCalendar": books.code,
            "IsBudgetControlEnabled": "No",
        }


def legal_entities(environment: Environment) -> Iterator[Row]:
    """Yield the companies."""
    for books in environment.companies():
        yield {"LegalEntityId": area(books), "Name": books.name, "NameAlias": books.code}


def fiscal_periods(environment: Environment) -> Iterator[Row]:
    """Yield the periods of every calendar, by names."""
    for books in environment.companies():
        for record in fiscal_records(books):
            yield {
                "Calendar": books.code,
                "FiscalYear": f"FY{record.year}",
                "StartDate": noon(record.start),
                "EndDate": noon(record.end),
                "PeriodName": record.name,
                "Type": record.type.value,
                "Days": (record.end - record.start).days + 1,
                "ShortName": "",
                "Comments": "",
            }


def fiscal_period_records(environment: Environment) -> Iterator[Row]:
    """Yield the same periods by their numbers, as journals name them."""
    for books in environment.companies():
        for record in fiscal_records(books):
            yield {
                "Name": record.name,
                "SourceKey": environment.numbers.period(books, record.year, record.slot),
                "FiscalCalendar": environment.numbers.calendar(books),
                "FiscalCalendarYear": environment.numbers.year(books, record.year),
                "StartDate": noon(record.start),
                "EndDate": noon(record.end),
                "Type": record.type.value,
                "ShortName": "",
                "Description": "",
            }


def ledger_periods(environment: Environment) -> Iterator[Row]:
    """Yield whether each period is open in each ledger."""
    for books in environment.companies():
        rules = rules_of(environment.world, books)
        for record in fiscal_records(books):
            yield {
                "LedgerName": books.code,
                "Calendar": books.code,
                "YearName": f"FY{record.year}",
                "PeriodName": record.name,
                "LegalEntityId": area(books),
                "PeriodStatus": rules.status(record.key).value,
            }


def vendors(environment: Environment) -> Iterator[Row]:
    """Yield the vendors of every company."""
    for books in environment.companies():
        for vendor in books.vendors:
            yield {
                "dataAreaId": area(books),
                "VendorAccountNumber": vendor.number,
                "VendorOrganizationName": vendor.name,
                "OnHoldStatus": _ON_HOLD[vendor.blocked],
                "CurrencyCode": books.currency,
                "AddressCity": vendor.city,
            }
