# SPDX-License-Identifier: Apache-2.0
"""The entity sets that are read, and the fields that are asked for by name (10.0.47; `*BiEntities` of 2025)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_provider_mlconnector.systems.dynamics_fo.connection import PublishedSet
from airflow_provider_mlconnector.systems.http.json_rows import Field, fields_of


@dataclass(frozen=True, slots=True)
class Resource:
    """An entity set.

    :param order: the full key, by which its pages are in an order that stays.
    :param renamed: by the stock name of a field, the name that it has in this environment.
    """

    name: str
    fields: tuple[Field, ...]
    order: str
    renamed: PublishedSet | None = None

    def field(self, name: str) -> str:
        """Return the name that a stock field has here."""
        return self.renamed.field(name) if self.renamed else name

    @property
    def key(self) -> tuple[str, ...]:
        """The fields of the key."""
        return tuple(self.order.split(","))

    @property
    def wire_fields(self) -> tuple[Field, ...]:
        """The fields under the names that they have here."""
        return tuple(replace(field, name=self.field(field.name)) for field in self.fields)


def published(stock: Resource, as_set: PublishedSet) -> Resource:
    """Return a resource under the names by which a customer publishes it."""
    return replace(stock, name=as_set.name, renamed=as_set)


HEADERS = Resource(
    "GeneralJournalEntryBiEntities",
    fields_of(
        "SourceKey:i! FiscalCalendarPeriod:i! AccountingDate:s! CreatedOn:s! PostingLayer:t! SubledgerVoucher:t! "
        "DocumentNumber:t JournalCategory:t"
    ),
    order="SourceKey",
)
LINES = Resource(
    "GeneralJournalAccountEntryBiEntities",
    fields_of(
        "SourceKey:i! GeneralJournalEntry:i! MainAccount:i! AccountingCurrencyAmount:m! IsCredit:t! PostingType:t! "
        "TransactionCurrencyCode:t TransactionCurrencyAmount:m Text:t"
    ),
    order="SourceKey",
)
JSON_DIMENSIONS = Field("LedgerDimensionValuesJson")
DISPLAY_DIMENSIONS = Field("LedgerAccount")

FISCAL_RECORDS = Resource(
    "FiscalCalendarPeriodBiEntities",
    fields_of("SourceKey:i! FiscalCalendar:i! FiscalCalendarYear:i! StartDate:s! EndDate:s! Type:t! Name:t"),
    order="SourceKey",
)
FISCAL_PERIODS = Resource(
    "FiscalPeriods",
    fields_of("Calendar:t! FiscalYear:t! PeriodName:t! StartDate:s! EndDate:s! Type:t!"),
    order="Calendar,FiscalYear,StartDate,EndDate,PeriodName",
)
LEDGER_PERIODS = Resource(
    "LedgerFiscalPeriods",
    fields_of("LedgerName:t! Calendar:t! YearName:t! PeriodName:t! PeriodStatus:t!"),
    order="LedgerName,Calendar,YearName,PeriodName",
)
LEDGERS = Resource(
    "Ledgers",
    fields_of("LegalEntityId:t! Name:t LedgerRecId:i! AccountingCurrency:t ChartOfAccounts:t! FiscalCalendar:t!"),
    order="LegalEntityId",
)
LEGAL_ENTITIES = Resource("LegalEntities", fields_of("LegalEntityId:t! Name:t"), order="LegalEntityId")
ACCOUNTS = Resource(
    "MainAccounts",
    fields_of(
        "ChartOfAccounts:t! MainAccountId:t! MainAccountRecId:i! Name:t! MainAccountType:t! "
        "AccountCategoryDescription:t IsSuspended:t DoNotAllowManualEntry:t ParentMainAccountId:t"
    ),
    order="ChartOfAccounts,MainAccountId",
)
DIMENSIONS = Resource("DimensionAttributes", fields_of("DimensionName:t!"), order="DimensionName")
DIMENSION_VALUES = Resource(
    "FinancialDimensionValues",
    fields_of(
        "FinancialDimension:t! LegalEntityId:t! DimensionValue:t! Description:t! IsSuspended:t IsTotal:t "
        "GroupDimension:t"
    ),
    order="FinancialDimension,LegalEntityId,DimensionValue",
)
DIMENSION_PARAMETERS = Resource("DimensionParameters", fields_of("Key:i! DimensionSegmentDelimiter:t!"), order="Key")
DIMENSION_FORMATS = Resource(
    "DimensionIntegrationFormats",
    fields_of("DimensionFormatName:t! DimensionFormatType:t! FinancialDimensionFormat:t! IsActive:t!"),
    order="DimensionFormatName,DimensionFormatType",
)
VENDORS = Resource(
    "VendorsV2",
    fields_of("dataAreaId:t! VendorAccountNumber:t! VendorOrganizationName:t! OnHoldStatus:t CurrencyCode:t"),
    order="dataAreaId,VendorAccountNumber",
)
