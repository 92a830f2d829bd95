# SPDX-License-Identifier: Apache-2.0
"""The entity sets that are read, and the fields that they are known to have (API v2.0 and microsoft/reportsFinance)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_mlconnector.systems.http.json_rows import Field, Need, fields_of
from airflow_provider_mlconnector.systems.http.json_values import Kind


class Api(StrEnum):
    """An API by its path below ``/api``."""

    V2 = "v2.0"
    REPORTS_FINANCE = "microsoft/reportsFinance/beta"


@dataclass(frozen=True, slots=True)
class Resource:
    """An entity set; fields that hold objects are those of its navigations, which the server expands.

    :param select: ask for the fields by name: rows hold more than we should see, or more than is worth sending.
    :param top: how many rows are wanted at most; 0 for all.
    :param query: a query object, whose paging by links is not assured; ``order`` is that of its pages.
    """

    name: str
    fields: tuple[Field, ...]
    api: Api = Api.V2
    key: str = "id"
    select: bool = False
    query: bool = False
    order: str = ""
    top: int = 0

    @property
    def title(self) -> str:
        """The resource as the trail and the messages name it."""
        return f"{self.api}/{self.name}"

    @property
    def selected(self) -> str:
        """The fields that are asked for by name; "" for all."""
        return _names(field for field in self.fields if field.kind is not Kind.OBJECTS) if self.select else ""

    @property
    def expanded(self) -> str:
        """What the server is to expand; "" for nothing."""
        within = (field for field in self.fields if field.kind is Kind.OBJECTS)
        return ",".join(f"{one.name}($select={_names(one.fields)})" if self.select else one.name for one in within)


def _names(fields: Iterable[Field]) -> str:
    return ",".join(field.name for field in fields if field.need is not Need.KNOWN)


DIMENSION_LINES = Field("dimensionSetLines", Kind.OBJECTS, Need.USED, fields_of("code:t! valueCode:t"))
LINES = Resource(
    "generalLedgerEntries",
    fields_of(
        "id:t! entryNumber:i postingDate:d! documentNumber:t documentType:t accountId:t? accountNumber:t! "
        "description:t debitAmount:m! creditAmount:m! additionalCurrencyDebitAmount:m? "
        "additionalCurrencyCreditAmount:m? lastModifiedDateTime:s"
    ),
)
LINES_EXPANDED = Resource(LINES.name, (*LINES.fields, DIMENSION_LINES))
FINANCE_LINES = Resource(
    "generalLedgerEntries",
    fields_of(
        "id:t! number:i! description:t postingDate:d! accountNumber:t! businessUnitCode:t? reveresd:b? "
        "documentNumber:t externalDocumentNumber:t sourceType:t? sourceNumber:t? "
        "sourceCode:t amount:m! debitAmount:m! creditAmount:m! "
        "vatAmount:m? additionalCurrencyAmount:m? dimensionSetID:i! globalDimension1Code:t? globalDimension2Code:t? "
        "lastModifiedDateTime:s"
    ),
    api=Api.REPORTS_FINANCE,
    query=True,
    order="number",
)
DIMENSION_SETS = Resource(
    "dimensionSetEntries",
    fields_of("setId:i! dimensionCode:t! dimensionValueCode:t!"),
    api=Api.REPORTS_FINANCE,
    key="setId",
    select=True,
)

ACCOUNTS = Resource(
    "accounts",
    fields_of(
        "id:t! number:t! displayName:t! category:t subCategory:t blocked:b accountType:t! directPosting:b netChange:m? "
        "consolidationTranslationMethod:t? consolidationDebitAccount:t? consolidationCreditAccount:t? "
        "excludeFromConsolidation:b? lastModifiedDateTime:s"
    ),
    order="number",
)
FINANCE_ACCOUNTS = Resource(
    "generalLedgerAccounts",
    fields_of("accountNumber:t! parentAccountNumber:t! incomeBalance:t"),
    api=Api.REPORTS_FINANCE,
    key="accountNumber",
    select=True,
)

DIMENSIONS = Resource("dimensions", fields_of("id:t! code:t!"), key="code", select=True)
DIMENSION_VALUES = Resource(
    "dimensionValues",
    fields_of("id:t! code:t! dimensionId:t? displayName:t! consolidationCode:t? lastModifiedDateTime:s"),
    order="code",
)
FINANCE_DIMENSION_VALUES = Resource(
    "dimensionValues",
    fields_of(
        "id:t! dimensionCode:t! dimensionValueCode:t! dimensionValueName:t! dimensionValueType:t! blocked:b "
        "lastModifiedDateTime:s"
    ),
    api=Api.REPORTS_FINANCE,
    select=True,
    order="dimensionValueCode",
)

EMPLOYEES = Resource(
    "employees", fields_of("id:t! number:t! displayName:t! jobTitle:t status:t lastModifiedDateTime:s"), select=True
)
VENDORS = Resource(
    "vendors",
    fields_of("id:t! number:t! displayName:t! blocked:t currencyCode:t balance:m lastModifiedDateTime:s"),
    select=True,
)
ORDER_LINES = Field(
    "purchaseOrderLines", Kind.OBJECTS, Need.NEEDED, fields_of("quantity:m! invoicedQuantity:m! netAmount:m!")
)
PURCHASE_ORDERS = Resource(
    "purchaseOrders",
    (
        *fields_of(
            "id:t! number:t! orderDate:d vendorNumber:t! currencyCode:t requestedReceiptDate:d "
            "totalAmountExcludingTax:m! status:t lastModifiedDateTime:s"
        ),
        ORDER_LINES,
    ),
    select=True,
)
PERIODS = Resource(
    "accountingPeriods",
    fields_of("id:t! startingDate:d! name:t newFiscalYear:b? closed:b! dateLocked:b lastModifiedDateTime:s"),
    key="startingDate",
    order="startingDate",
)
TRIAL_BALANCES = Resource(
    "trialBalances",
    fields_of(
        "number:t! accountId:t accountType:t! display:t? totalDebit:t! totalCredit:t! balanceAtDateDebit:t! "
        "balanceAtDateCredit:t! dateFilter:t?"
    ),
    key="number",
)
LEDGER_SETUP = Resource("generalLedgerSetup", fields_of("allowPostingFrom:d allowPostingTo:d"), select=True)

JOURNALS = Resource("journals", fields_of("id:t! code:t! balancingAccountNumber:t"))
JOURNAL_LINES = Resource(
    "journalLines",
    (
        *fields_of(
            "@odata.etag:t! id:t! lineNumber:i! accountType:t! accountNumber:t postingDate:d documentNumber:t "
            "externalDocumentNumber:t amount:m! description:t balancingAccountNumber:t"
        ),
        Field(DIMENSION_LINES.name, Kind.OBJECTS, Need.USED, fields_of("id:t! code:t! valueCode:t")),
    ),
    order="lineNumber",
)
LAST_JOURNAL_LINE = Resource("journalLines", fields_of("lineNumber:i!"), select=True, order="lineNumber desc", top=1)
DEFAULT_DIMENSIONS = Resource(
    "defaultDimensions", fields_of("id:t! parentId:t! dimensionCode:t! dimensionValueCode:t postingValidation:t")
)
