# SPDX-License-Identifier: Apache-2.0
"""The entity sets that are small enough to be made row by row, each as the fields it shows and a function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import CITY, DEPARTMENT, PROJECT, Partner
from airflow_provider_mlconnector.sandbox.books.masterdata import SET_UP_AT
from airflow_provider_mlconnector.sandbox.books.periods import TODAY
from airflow_provider_mlconnector.sandbox.business_central.dimension_sets import SET_FIELDS, set_entries
from airflow_provider_mlconnector.sandbox.business_central.general_ledger import plain, shown_accounts, sums_between
from airflow_provider_mlconnector.sandbox.business_central.purchases import PURCHASE_ORDER_LINES, PURCHASE_ORDERS
from airflow_provider_mlconnector.sandbox.business_central.table import Table, fields_of
from airflow_provider_mlconnector.sandbox.business_central.tenant import record_id
from airflow_provider_mlconnector.sandbox.business_central.trial_balance import summed_accounts
from airflow_provider_mlconnector.sandbox.business_central.wire import BLANK_GUID, NEVER, NO_DATE, enum_name
from airflow_provider_mlconnector.sandbox.odata.rows import Row

_SYMBOLS = {"GBP": "£", "NZD": "$"}


def _accounts(books: Books) -> Iterable[Sequence[Any]]:
    net_changes = _net_changes(books)
    for account in shown_accounts(books):
        yield (
            record_id("account", account.number),
            account.number,
            account.name,
            enum_name(account.category),
            account.subcategory,
            account.blocked,
            enum_name(account.type),
            account.direct_posting,
            sum((net_changes[number] for number in summed_accounts(books, account)), Decimal(0)),
            enum_name("Average Rate (Manual)"),
            "",
            "",
            False,
            books.changed_at(account.number),
        )


def _finance_accounts(books: Books) -> Iterable[Sequence[Any]]:
    net_changes = _net_changes(books)
    subcategories = sorted({account.subcategory for account in books.accounts})
    for account in shown_accounts(books):
        yield (
            record_id("account", account.number),
            account.number,
            account.name,
            enum_name(account.type),
            enum_name(account.category),
            subcategories.index(account.subcategory),
            account.subcategory,
            account.indentation,
            sum((net_changes[number] for number in summed_accounts(books, account)), Decimal(0)),
            enum_name("Balance Sheet" if account.on_balance_sheet else "Income Statement"),
            "",
            "",
            account.parent,
            books.changed_at(account.number),
        )


def _net_changes(books: Books) -> dict[str, Decimal]:
    sums = sums_between(books, plain(date.min), plain(date.max))
    net = (sums.debit - sums.credit).sum(axis=1)
    return {account.number: Decimal(int(cents)).scaleb(-2) for account, cents in zip(books.accounts, net, strict=True)}


def _dimensions(books: Books) -> Iterable[Sequence[Any]]:
    for code, name in books.dimensions.items():
        yield record_id("dimension", code), code, name, "", SET_UP_AT


def _dimension_values(books: Books) -> Iterable[Sequence[Any]]:
    for dimension in books.dimensions:
        for value in books.values(dimension):
            yield (
                record_id("value", dimension, value.code),
                value.code,
                record_id("dimension", dimension),
                value.name,
                "",
                books.changed_at(dimension, value.code),
            )


def _finance_dimension_values(books: Books) -> Iterable[Sequence[Any]]:
    for dimension_number, dimension in enumerate(books.dimensions, start=1):
        for value_number, value in enumerate(books.values(dimension), start=1):
            yield (
                record_id("value", dimension, value.code),
                dimension,
                value.code,
                value.name,
                dimension_number * 100 + value_number,
                enum_name(value.type),
                value.blocked,
                1 if value.parent else 0,
                "",
                dimension_number,
                books.changed_at(dimension, value.code),
            )


def _vendors(books: Books) -> Iterable[Sequence[Any]]:
    for vendor in books.vendors:
        yield (
            record_id("vendor", vendor.number),
            vendor.number,
            vendor.name,
            *_address(vendor),
            "",
            f"accounts@{vendor.number.lower()}.example",
            "",
            "",
            BLANK_GUID,
            books.currency,
            "",
            BLANK_GUID,
            BLANK_GUID,
            False,
            enum_name(vendor.blocked),
            Decimal(0),
            SET_UP_AT,
        )


def _address(partner: Partner) -> tuple[str, ...]:
    return "1 Market Street", "", partner.city, "", "GB", ""


def _employees(books: Books) -> Iterable[Sequence[Any]]:
    for employee in books.employees:
        mail = f"{employee.given_name.lower()}@larkfield.example"
        yield (
            record_id("employee", employee.number),
            employee.number,
            employee.name,
            employee.given_name,
            "",
            employee.surname,
            employee.job_title,
            *("2 Orchard Lane", "", CITY, "", "GB", "CT1 1AA"),
            *("", "", mail, ""),
            employee.employed_on,
            NO_DATE,
            enum_name(employee.status),
            employee.born_on,
            *("", "", ""),
            employee.iban,
            SET_UP_AT,
        )


def _accounting_periods(books: Books) -> Iterable[Sequence[Any]]:
    for period in books.periods:
        closed = books.is_closed(period.key)
        yield (
            record_id("period", period.key),
            period.start,
            f"{period.start:%B}",
            period.number == 1,
            closed,
            closed,
            SET_UP_AT,
        )


def _finance_periods(books: Books) -> Iterable[Sequence[Any]]:
    for period in books.periods:
        yield (
            record_id("period", period.key),
            f"{period.start:%B}",
            period.start,
            period.end,
            period.number == 1,
            books.period(f"FY{period.year}-P01").start,
            books.period(f"FY{period.year}-P12").end,
            books.is_closed(period.key),
            SET_UP_AT,
        )


def _ledger_setup(books: Books) -> Iterable[Sequence[Any]]:
    shortcuts = (DEPARTMENT, PROJECT, "", "", "", "", "", "")
    symbol = _SYMBOLS[books.currency]
    first, last = (day or NO_DATE for day in books.posting_window)
    yield record_id("setup"), first, last, "", books.currency, symbol, SET_UP_AT, False, *shortcuts


def _global_settings(books: Books) -> Iterable[Sequence[Any]]:
    yield record_id("company", books.code), books.name, "", books.currency


def _information(books: Books) -> Iterable[Sequence[Any]]:
    year_start = books.period(f"FY{books.company.fiscal.period_of(TODAY).year}-P01").start
    address = ("3 Hive Works", "", CITY, "", "GB", "CT2 7NZ")
    contact = ("", "", "", "", "")
    yield record_id("information"), books.name, *address, *contact, books.currency, year_start, "", "", SET_UP_AT


def _set_entries(books: Books) -> Iterable[Sequence[Any]]:
    return (tuple(row.values()) for row in set_entries(books))


def company_rows(companies: dict[str, Books]) -> list[Row]:
    """Return the rows of the companies that a client sees."""
    return [
        {
            "id": company,
            "systemVersion": "27.0.38460.0",
            "timestamp": 20_001 + place,
            "name": books.name,
            "displayName": books.name,
            "businessProfileId": "",
            "systemCreatedAt": SET_UP_AT,
            "systemCreatedBy": BLANK_GUID,
            "systemModifiedAt": NEVER,
            "systemModifiedBy": BLANK_GUID,
        }
        for place, (company, books) in enumerate(companies.items())
    ]


COMPANY_FIELDS = fields_of(
    "id systemVersion timestamp name displayName businessProfileId "
    "systemCreatedAt systemCreatedBy systemModifiedAt systemModifiedBy"
)

V2_TABLES = {
    "accounts": Table(
        "account",
        fields_of(
            "id number displayName category subCategory blocked accountType directPosting netChange "
            "consolidationTranslationMethod consolidationDebitAccount consolidationCreditAccount "
            "excludeFromConsolidation lastModifiedDateTime"
        ),
        _accounts,
    ),
    "dimensions": Table(
        "dimension",
        fields_of("id code displayName consolidationCode lastModifiedDateTime"),
        _dimensions,
        below={"dimensionValues": "dimensionId"},
    ),
    "dimensionValues": Table(
        "dimensionValue",
        fields_of("id code dimensionId displayName consolidationCode lastModifiedDateTime"),
        _dimension_values,
    ),
    "vendors": Table(
        "vendor",
        fields_of(
            "id number displayName addressLine1 addressLine2 city state country postalCode phoneNumber email website "
            "taxRegistrationNumber currencyId currencyCode irs1099Code paymentTermsId paymentMethodId taxLiable "
            "blocked balance lastModifiedDateTime"
        ),
        _vendors,
    ),
    "employees": Table(
        "employee",
        fields_of(
            "id number displayName givenName middleName surname jobTitle addressLine1 addressLine2 city state country "
            "postalCode phoneNumber mobilePhone email personalEmail employmentDate terminationDate status birthDate "
            "statisticsGroupCode bankBranchNumber bankAccountNumber iban lastModifiedDateTime"
        ),
        _employees,
    ),
    "accountingPeriods": Table(
        "accountingPeriod",
        fields_of("id startingDate name newFiscalYear closed dateLocked lastModifiedDateTime"),
        _accounting_periods,
    ),
    "generalLedgerSetup": Table(
        "generalLedgerSetup",
        fields_of(
            "id allowPostingFrom allowPostingTo additionalReportingCurrency localCurrencyCode localCurrencySymbol "
            "lastModifiedDateTime allowQueryFromConsolidation shortcutDimension1Code shortcutDimension2Code "
            "shortcutDimension3Code shortcutDimension4Code shortcutDimension5Code shortcutDimension6Code "
            "shortcutDimension7Code shortcutDimension8Code"
        ),
        _ledger_setup,
    ),
    "companyInformation": Table(
        "companyInformation",
        fields_of(
            "id displayName addressLine1 addressLine2 city state country postalCode phoneNumber faxNumber email "
            "website taxRegistrationNumber currencyCode currentFiscalYearStartDate industry experience "
            "lastModifiedDateTime"
        ),
        _information,
    ),
    "purchaseOrders": PURCHASE_ORDERS,
    "purchaseOrderLines": PURCHASE_ORDER_LINES,
}

FINANCE_TABLES = {
    "generalLedgerAccounts": Table(
        "generalLedgerAccount",
        fields_of(
            "id accountNumber accountName accountType accountCategory accountSubcategoryEntryNumber "
            "accountSubcategoryDescription indentation netChange incomeBalance budgetFilter businessUnitFilter "
            "parentAccountNumber lastModifiedDateTime"
        ),
        _finance_accounts,
    ),
    "dimensionValues": Table(
        "dimensionValue",
        fields_of(
            "id dimensionCode dimensionValueCode dimensionValueName dimensionValueId dimensionValueType blocked "
            "indentation consolidationCode globalDimensionNumber lastModifiedDateTime"
        ),
        _finance_dimension_values,
    ),
    "dimensionSetEntries": Table("dimensionSetEntry", SET_FIELDS, _set_entries),
    "accountingPeriods": Table(
        "accountingPeriod",
        fields_of(
            "id displayName startingDate endingDate newFiscalYear fiscalYearStartDate fiscalYearEndDate closed "
            "lastModifiedDateTime"
        ),
        _finance_periods,
    ),
    "globalSettings": Table(
        "globalSettings",
        fields_of("company companyName additionalReportingCurrency localCurrencyCode"),
        _global_settings,
    ),
}
