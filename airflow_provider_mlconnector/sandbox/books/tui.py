# SPDX-License-Identifier: Apache-2.0
"""A small company whose books hold what real ones do and tidy ones do not: Tūī & Co. in Auckland.

Its fiscal years are made of weeks and end on a Friday; its days end in another UTC day; its codes have leading zeros,
quotes, delimiters, signs that a spreadsheet takes for a formula, emoji and Hebrew letters.
"""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.books.company import (
    DEPARTMENT,
    PROJECT,
    Account,
    AccountType,
    Category,
    Company,
    DimensionValue,
    ValueType,
    read_chart,
)
from airflow_provider_mlconnector.sandbox.books.periods import WEEKS_TO_JULY

_CHART = """
00001 | ASSETS                        | Begin-Total | Assets      | Current Assets
00007 | Bank, "Operating"             | Posting     | Assets      | Cash
00070 | Trade Receivables             | Posting     | Assets      | Accounts Receivable
0070  | Receivables, older numbering  | Posting     | Assets      | Accounts Receivable
00999 | ASSETS, TOTAL                 | End-Total   | Assets      | Current Assets
20000 | LIABILITIES                   | Begin-Total | Liabilities | Current Liabilities
20100 | Trade Payables                | Posting     | Liabilities | Current Liabilities
20400 | Accrued Expenses              | Posting     | Liabilities | Current Liabilities
20999 | LIABILITIES, TOTAL            | End-Total   | Liabilities | Current Liabilities
30000 | EQUITY                        | Begin-Total | Equity      | Common Stock
30100 | Share Capital                 | Posting     | Equity      | Common Stock
30200 | Retained Earnings             | Posting     | Equity      | Retained Earnings
30999 | EQUITY, TOTAL                 | End-Total   | Equity      | Common Stock
4     | REVENUE                       | Begin-Total | Income      | Income, Product Sales
40"2  | Sales, 12" boards             | Posting     | Income      | Income, Product Sales
40'3  | Sales, dealers' prices        | Posting     | Income      | Income, Product Sales
40,1  | Sales; shop, "walk-in"        | Posting     | Income      | Income, Product Sales
40;4  | Sales, online                 | Posting     | Income      | Income, Product Sales
4Z    | REVENUE, TOTAL                | End-Total   | Income      | Income, Product Sales
5     | COST OF GOODS SOLD            | Begin-Total | Cost of Goods Sold | Materials
50100 | Cost of Materials             | Posting     | Cost of Goods Sold | Materials
5Z    | COST OF GOODS SOLD, TOTAL     | End-Total   | Cost of Goods Sold | Materials
6     | EXPENSES                      | Begin-Total | Expense     | Other Income & Expenses
6-100 | Minus in the number           | Posting     | Expense     | Other Income & Expenses
60100 | שכר ומשכורות                  | Posting     | Expense     | Payroll Expense
60110 | Löhne, 🐝 und Größeres        | Posting     | Expense     | Payroll Expense
60800 | Suspense                      | Posting     | Expense     | Other Income & Expenses
6=1+1 | =1+1                          | Posting     | Expense     | Other Income & Expenses
6🐝   | Bees                          | Posting     | Expense     | Other Income & Expenses
7     | EXPENSES, TOTAL               | End-Total   | Expense     | Other Income & Expenses
"""

HEADS, FLOOR = "99000", "99100"
"""Statistical accounts: people, and square metres."""

_STATISTICAL = (
    Account(HEADS, "Headcount", AccountType.POSTING, Category.NONE, "", "", 0, statistical=True),
    Account(FLOOR, "Floor space, m²", AccountType.POSTING, Category.NONE, "", "", 0, statistical=True),
)

_DEPARTMENTS = {
    "007": 'Agents, "secret"',
    "07": "Agents; former numbering",
    "1E5": "Looks like a number",
    "=SUM(A1)": "Looks like a formula",
    "A,B": "Comma, comma",
    "GONE": "Deleted after it was posted to",
    "NULL": "Null",
    "O'NEIL": "Dealers' desk",
    "OLD": "Blocked after it was posted to",
    'Q"1': 'Quality "one"',
    "R;D": "Research; Development",
    "WAS": "Renamed after it was posted to",
    "ŌTARA": "Shop in Ōtara",
    "ייצור": "מחלקת ייצור",
    "🐝": "Bees 🐝",
}

TUI = Company(
    "TUI",
    "Tūī & Co.",
    chart=(*read_chart(_CHART), *_STATISTICAL),
    values=(
        *(DimensionValue(DEPARTMENT, code, name) for code, name in _DEPARTMENTS.items()),
        DimensionValue(DEPARTMENT, "SHOPS", "Shops", ValueType.TOTAL),
        DimensionValue(PROJECT, "P,1", "Project, first"),
    ),
    fiscal=WEEKS_TO_JULY,
    currency="NZD",
    zone="Pacific/Auckland",
    generated=False,
)
