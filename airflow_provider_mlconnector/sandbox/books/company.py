# SPDX-License-Identifier: Apache-2.0
"""Larkfield Ltd, a maker of beehives, and its sister: chart of accounts, dimensions, business partners and people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY, Fiscal

LOCAL_CURRENCY = "GBP"
CITY = "Canterbury"

DEPARTMENT = "DEPARTMENT"
PROJECT = "PROJECT"


class AccountType(StrEnum):
    """What a row of the chart is; only posting accounts carry entries."""

    POSTING = "Posting"
    HEADING = "Heading"
    TOTAL = "Total"
    BEGIN_TOTAL = "Begin-Total"
    END_TOTAL = "End-Total"


class Category(StrEnum):
    """The account's place in the statements."""

    NONE = ""
    ASSETS = "Assets"
    LIABILITIES = "Liabilities"
    EQUITY = "Equity"
    INCOME = "Income"
    COST_OF_GOODS_SOLD = "Cost of Goods Sold"
    EXPENSE = "Expense"


BALANCE_SHEET = frozenset({Category.ASSETS, Category.LIABILITIES, Category.EQUITY})


class ValueType(StrEnum):
    """What a dimension value is; only standard ones are posted to."""

    STANDARD = "Standard"
    HEADING = "Heading"
    TOTAL = "Total"
    BEGIN_TOTAL = "Begin-Total"
    END_TOTAL = "End-Total"


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the chart; ``parent`` is the number of the enclosing begin-total, empty at the top.

    :param statistical: counts heads or square metres instead of money, and is no part of any balance.
    """

    number: str
    name: str
    type: AccountType
    category: Category
    subcategory: str
    parent: str
    indentation: int
    direct_posting: bool = True
    blocked: bool = False
    statistical: bool = False

    @property
    def on_balance_sheet(self) -> bool:
        """Say whether the balance is carried into the next fiscal year."""
        return self.category in BALANCE_SHEET


@dataclass(frozen=True, slots=True)
class DimensionValue:
    """A value of a dimension; ``parent`` is the code of the enclosing begin-total, empty at the top."""

    dimension: str
    code: str
    name: str
    type: ValueType = ValueType.STANDARD
    parent: str = ""
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Partner:
    """A customer or a vendor; ``blocked`` is empty, ``Payment`` or ``All``."""

    number: str
    name: str
    city: str
    blocked: str = ""


@dataclass(frozen=True, slots=True)
class Employee:
    """A person on the payroll. All of it but number and name is nobody's business in a planning model."""

    number: str
    given_name: str
    surname: str
    job_title: str
    employed_on: date
    born_on: date
    iban: str
    status: str

    @property
    def name(self) -> str:
        """Return the name as it is shown."""
        return f"{self.given_name} {self.surname}"


_CHART = """
00500 | BALANCE SHEET              | Heading     |             |
01000 | FIXED ASSETS               | Begin-Total | Assets      | Fixed Assets
01100 | Land and Buildings         | Posting     | Assets      | Fixed Assets
01200 | Plant and Machinery        | Posting     | Assets      | Fixed Assets
01300 | Vehicles                   | Posting     | Assets      | Fixed Assets
01400 | Office Equipment           | Posting     | Assets      | Fixed Assets
01900 | Accumulated Depreciation   | Posting     | Assets      | Accumulated Depreciation
01999 | FIXED ASSETS, TOTAL        | End-Total   | Assets      | Fixed Assets
10000 | CURRENT ASSETS             | Begin-Total | Assets      | Current Assets
10100 | Liquid Assets              | Begin-Total | Assets      | Cash
10110 | Bank, Operating            | Posting     | Assets      | Cash
10120 | Bank, Payroll              | Posting     | Assets      | Cash
10130 | Petty Cash                 | Posting     | Assets      | Cash
10199 | Liquid Assets, Total       | End-Total   | Assets      | Cash
10200 | Trade Receivables          | Posting     | Assets      | Accounts Receivable
10300 | Inventory                  | Begin-Total | Assets      | Inventory
10310 | Raw Materials              | Posting     | Assets      | Inventory
10320 | Finished Goods             | Posting     | Assets      | Inventory
10399 | Inventory, Total           | End-Total   | Assets      | Inventory
10400 | VAT Receivable             | Posting     | Assets      | Current Assets
10500 | Prepaid Expenses           | Posting     | Assets      | Prepaid Expenses
10999 | CURRENT ASSETS, TOTAL      | End-Total   | Assets      | Current Assets
19999 | TOTAL ASSETS               | Total       | Assets      |
20000 | LIABILITIES                | Begin-Total | Liabilities | Current Liabilities
20100 | Trade Payables             | Posting     | Liabilities | Current Liabilities
20200 | VAT Payable                | Posting     | Liabilities | Current Liabilities
20300 | Payroll Liabilities        | Posting     | Liabilities | Payroll Liabilities
20400 | Accrued Expenses           | Posting     | Liabilities | Current Liabilities
20500 | Long-term Loans            | Posting     | Liabilities | Long Term Liabilities
20999 | LIABILITIES, TOTAL         | End-Total   | Liabilities | Current Liabilities
30000 | EQUITY                     | Begin-Total | Equity      | Common Stock
30100 | Share Capital              | Posting     | Equity      | Common Stock
30200 | Retained Earnings          | Posting     | Equity      | Retained Earnings
30999 | EQUITY, TOTAL              | End-Total   | Equity      | Common Stock
39500 | INCOME STATEMENT           | Heading     |             |
40000 | REVENUE                    | Begin-Total | Income      | Income, Product Sales
40100 | Sales, Hives               | Posting     | Income      | Income, Product Sales
40110 | Sales, Hives, Export       | Posting     | Income      | Income, Product Sales
40200 | Sales, Tools               | Posting     | Income      | Income, Product Sales
40300 | Sales, Courses             | Posting     | Income      | Income, Services
40900 | Sales Discounts            | Posting     | Income      | Sales Discounts
40999 | REVENUE, TOTAL             | End-Total   | Income      | Income, Product Sales
50000 | COST OF GOODS SOLD         | Begin-Total | Cost of Goods Sold | Materials
50100 | Cost of Materials          | Posting     | Cost of Goods Sold | Materials
50200 | Cost of Labour             | Posting     | Cost of Goods Sold | Labor
50300 | Freight                    | Posting     | Cost of Goods Sold | Materials
50999 | COST OF GOODS SOLD, TOTAL  | End-Total   | Cost of Goods Sold | Materials
60000 | OPERATING EXPENSES         | Begin-Total | Expense     | Other Income & Expenses
60100 | Personnel                  | Begin-Total | Expense     | Payroll Expense
60110 | Wages and Salaries         | Posting     | Expense     | Payroll Expense
60120 | Social Security            | Posting     | Expense     | Payroll Expense
60130 | Training                   | Posting     | Expense     | Benefits Expense
60199 | Personnel, Total           | End-Total   | Expense     | Payroll Expense
60200 | Premises                   | Begin-Total | Expense     | Rent Expense
60210 | Rent                       | Posting     | Expense     | Rent Expense
60220 | Electricity and Heating    | Posting     | Expense     | Utilities Expense
60230 | Cleaning                   | Posting     | Expense     | Utilities Expense
60299 | Premises, Total            | End-Total   | Expense     | Rent Expense
60300 | Office                     | Begin-Total | Expense     | Other Income & Expenses
60310 | Office Supplies            | Posting     | Expense     | Other Income & Expenses
60320 | Software                   | Posting     | Expense     | Other Income & Expenses
60330 | Telephone and Internet     | Posting     | Expense     | Utilities Expense
60399 | Office, Total              | End-Total   | Expense     | Other Income & Expenses
60410 | Advertising                | Posting     | Expense     | Advertising Expense
60420 | Travel                     | Posting     | Expense     | Travel Expense
60500 | Insurance                  | Posting     | Expense     | Insurance Expense
60600 | Repairs and Maintenance    | Posting     | Expense     | Repairs and Maintenance Expense
60700 | Depreciation               | Posting     | Expense     | Other Income & Expenses
60800 | Old Clearing Account       | Posting     | Expense     | Other Income & Expenses
60999 | OPERATING EXPENSES, TOTAL  | End-Total   | Expense     | Other Income & Expenses
70100 | Bank Charges               | Posting     | Expense     | Interest Expense
70200 | Loan Interest              | Posting     | Expense     | Interest Expense
79999 | NET RESULT                 | Total       | Income      |
"""

# what only the sub-ledgers post to
_CONTROL_ACCOUNTS = frozenset({"10200", "10310", "10320", "20100"})
_BLOCKED_ACCOUNTS = frozenset({"60800"})


def read_chart(text: str) -> tuple[Account, ...]:
    """Read a chart: number, name, type, category and subcategory, a row per line.

    Each row's parent is found from the begin- and end-totals around it.
    """
    accounts = []
    open_totals: list[str] = []
    for line in text.strip().splitlines():
        number, name, kind, category, subcategory = (part.strip() for part in line.split("|"))
        account_type = AccountType(kind)
        if account_type is AccountType.END_TOTAL:
            open_totals.pop()
        accounts.append(
            Account(
                number,
                name,
                account_type,
                Category(category),
                subcategory,
                parent=open_totals[-1] if open_totals else "",
                indentation=len(open_totals),
                direct_posting=account_type is AccountType.POSTING and number not in _CONTROL_ACCOUNTS,
                blocked=number in _BLOCKED_ACCOUNTS,
            )
        )
        if account_type is AccountType.BEGIN_TOTAL:
            open_totals.append(number)
    return tuple(accounts)


CHART = read_chart(_CHART)

DIMENSIONS = {DEPARTMENT: "Department", PROJECT: "Project"}
"""Code and name of each dimension; the first two are the company's global dimensions 1 and 2."""

DIMENSION_VALUES = (
    DimensionValue(DEPARTMENT, "ADM", "Administration"),
    DimensionValue(DEPARTMENT, "FIN", "Finance"),
    DimensionValue(DEPARTMENT, "HR", "Human Resources"),
    DimensionValue(DEPARTMENT, "IT", "Information Technology"),
    DimensionValue(DEPARTMENT, "LEGACY", "Closed in 2024", blocked=True),
    DimensionValue(DEPARTMENT, "LEGAL", "Legal and Compliance"),
    DimensionValue(DEPARTMENT, "LOG", "Logistics"),
    DimensionValue(DEPARTMENT, "MKT", "Marketing"),
    DimensionValue(DEPARTMENT, "OPS", "Operations", ValueType.BEGIN_TOTAL),
    DimensionValue(DEPARTMENT, "PROD", "Production", parent="OPS"),
    DimensionValue(DEPARTMENT, "QA", "Quality Assurance", parent="OPS"),
    DimensionValue(DEPARTMENT, "RND", "Research and Development", parent="OPS"),
    DimensionValue(DEPARTMENT, "ROPS", "Operations, Total", ValueType.END_TOTAL),
    DimensionValue(DEPARTMENT, "SALES", "Sales"),
    DimensionValue(DEPARTMENT, "SUP", "Customer Support"),
    DimensionValue(DEPARTMENT, "TRN", "Training and Courses"),
    DimensionValue(PROJECT, "P100", "Observation hive"),
    DimensionValue(PROJECT, "P200", "Webshop"),
    DimensionValue(PROJECT, "P300", "Solar extractor"),
    DimensionValue(PROJECT, "P400", "New warehouse"),
)

CUSTOMERS = (
    Partner("C00010", "Ashdown Apiaries", "Crowborough"),
    Partner("C00020", "Beekeepers' Guild of Kent", "Maidstone"),
    Partner("C00030", "Cotswold Honey Co-operative", "Stroud"),
    Partner("C00040", "Derwent Garden Centres", "Matlock"),
    Partner("C00050", "Imkerei Lüneburger Heide", "Lüneburg"),
    Partner("C00060", "Orchard & Sons", "Faversham"),
    Partner("C00070", "Ruche d'Or", "Arles", blocked="All"),
    Partner("C00080", "Wild Thyme Farm", "Ludlow"),
)

VENDORS = (
    Partner("V00010", "Alder Timber Merchants", "Ashford"),
    Partner("V00020", "Brightwater Utilities", "Dover"),
    Partner("V00030", "Cedar Cloud Software", "Leeds"),
    Partner("V00040", "Dalton Freight", "Folkestone"),
    Partner("V00050", "Estuary Insurance", "London"),
    Partner("V00060", 'Fixings "Direct"', "Sheffield"),
    Partner("V00070", "Greenacre Properties", "Canterbury"),
    Partner("V00080", "Hollow Hill Printing", "Whitstable", blocked="Payment"),
    Partner("V00090", "Järvinen Machinery Oy", "Tampere"),
)

_EMPLOYEES = """
E001 | Ada  | Holm      | Managing Director | 2012-03-01 | 1971-05-09 | GB33BUKB20201555555555 | Active
E002 | Ben  | Okafor    | Controller        | 2016-09-01 | 1980-01-23 | GB94BARC10201530093459 | Active
E003 | Cara | Lindqvist | Sales Manager     | 2018-01-15 | 1986-08-02 | GB82WEST12345698765432 | Active
E004 | Dev  | Patel     | Production Lead   | 2015-06-01 | 1979-12-30 | GB29NWBK60161331926819 | Active
E005 | Esme | Whitlock  | Research Engineer | 2021-04-06 | 1993-03-17 | GB15MIDL40051512345674 | Active
E006 | Fynn | Gray      | Warehouse Clerk   | 2022-02-01 | 1998-07-11 | GB60BARC20000055779911 | Active
E007 | Gwen | Price     | Bookkeeper        | 2014-05-01 | 1968-10-04 | GB24BKEN10000031510604 | Inactive
"""


def _read_employee(line: str) -> Employee:
    number, given_name, surname, job_title, employed_on, born_on, iban, status = (
        part.strip() for part in line.split("|")
    )
    employed, born = date.fromisoformat(employed_on), date.fromisoformat(born_on)
    return Employee(number, given_name, surname, job_title, employed, born, iban, status)


EMPLOYEES = tuple(_read_employee(line) for line in _EMPLOYEES.strip().splitlines())


@dataclass(frozen=True, slots=True)
class Company:
    """A legal entity with books of its own.

    :param currency: its own; amounts of the books are in it.
    :param zone: IANA name of the zone in which its days begin.
    :param generated: its lines are made in masses, as Larkfield's are; else its ledger begins empty.
    :param retained_earnings: account that takes a year's result.
    :param differences: account that takes what a correction changes.
    """

    code: str
    name: str
    chart: tuple[Account, ...] = CHART
    values: tuple[DimensionValue, ...] = DIMENSION_VALUES
    fiscal: Fiscal = MONTHS_FROM_JULY
    currency: str = LOCAL_CURRENCY
    zone: str = "Europe/London"
    generated: bool = True
    retained_earnings: str = "30200"
    differences: str = "20400"


LARKFIELD = Company("LARKFIELD", "Larkfield Ltd")
MEADOW = Company("MEADOW", "Meadow Tools Ltd")
"""A sister company with the same chart of accounts."""
