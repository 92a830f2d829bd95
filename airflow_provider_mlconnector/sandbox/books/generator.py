# SPDX-License-Identifier: Apache-2.0
"""Makes the documents of one fiscal period: balanced, in order of posting date, the same for the same seed and scale.

Each kind of document is a recipe: how many a month at scale 1, how many lines each, and a function that fills
accounts, amounts and dimensions for ``n`` documents at once. The number of lines is known without making them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books.company import (
    CHART,
    CUSTOMERS,
    DEPARTMENT,
    DIMENSION_VALUES,
    EMPLOYEES,
    PROJECT,
    VENDORS,
    ValueType,
)
from airflow_provider_mlconnector.sandbox.books.dice import Dice, Ints
from airflow_provider_mlconnector.sandbox.books.lines import (
    COST_POSTING,
    DEPRECIATION,
    JOURNAL,
    KINDS,
    LINE,
    NEVER_MODIFIED,
    PAYROLL,
    PURCHASE_INVOICE,
    RECEIPT,
    SALES_CREDIT,
    SALES_INVOICE,
    VENDOR_PAYMENT,
    Kind,
    PartyType,
    Rows,
)
from airflow_provider_mlconnector.sandbox.books.periods import FIRST_KEY, OPENING_DAY, TODAY


def _open_values(dimension: str) -> tuple[str, ...]:
    """Return the codes that are posted to, after the empty one."""
    standard = [value for value in DIMENSION_VALUES if value.type is ValueType.STANDARD and not value.blocked]
    return ("", *(value.code for value in standard if value.dimension == dimension))


DEPARTMENTS = _open_values(DEPARTMENT)
PROJECTS = _open_values(PROJECT)
TEXTS = (
    "",
    "Balance brought forward",
    "Invoice",
    "VAT",
    "Credit memo",
    "Payment received",
    "Payment sent",
    "Cost of sale",
    "Salaries",
    "Depreciation",
    "Order, thank you",
    'Goods "as agreed", second delivery',
    "Größe 12, Rähmchen",
    "Monthly charge",
    "OPENING",
)
"""Descriptions, and the number of the opening document; some are there to trouble a careless writer of CSV."""

_ACCOUNT = {account.number: place for place, account in enumerate(CHART)}
_DEPARTMENT = {code: place for place, code in enumerate(DEPARTMENTS)}
_TEXT = {text: place for place, text in enumerate(TEXTS)}
_PARTIES = {PartyType.CUSTOMER: CUSTOMERS, PartyType.VENDOR: VENDORS, PartyType.EMPLOYEE: EMPLOYEES}

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_WORK_BEGINS_MS = 6 * 3_600_000
_WORK_LASTS_MS = 12 * 3_600_000
_SENTINEL_PLACE = 2
VAT_PERCENT = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """The lines of ``n`` documents of one kind: arrays of shape (n, lines), amounts in cents, places elsewhere."""

    accounts: Ints
    cents: Ints
    departments: Ints
    projects: Ints
    texts: Ints


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make documents of a kind.

    :param per_month: at scale 1.
    :param at_month_end: posted on the last day instead of any.
    """

    kind: Kind
    per_month: int
    lines: int
    fill: Callable[[Dice, int], Draft]
    at_month_end: bool = False

    def count(self, scale: float) -> int:
        """Return the number of documents in a month."""
        return max(1, round(self.per_month * scale))


def _draft(*lines: tuple[Ints | int, Ints, Ints | int, Ints | int, Ints | int]) -> Draft:
    """Stack lines of (account, cents, department, project, text), each one number or one per document."""
    count = len(lines[0][1])
    columns = (
        np.stack([np.broadcast_to(value, count) for value in column], axis=1) for column in zip(*lines, strict=True)
    )
    return Draft(*columns)


def _vat(net: Ints) -> Ints:
    return (net * VAT_PERCENT + 50) // 100


def _sometimes(dice: Dice, values: Ints, percent: int, word: str) -> Ints:
    """Return the values, but 0 where the dice leave them out."""
    return np.where(dice.roll(len(values), 1, 100, word) <= percent, values, 0)


def _departments_in_turn(dice: Dice, count: int) -> Ints:
    """Return one department after the other, so that each has its share in small books, too."""
    first = dice.roll(1, 0, len(DEPARTMENTS) - 2, "first department")
    return (first + np.arange(count)) % (len(DEPARTMENTS) - 1) + 1


def _sale(dice: Dice, count: int, sign: int, text: str) -> Draft:
    net = sign * dice.roll(count, 50_00, 12_000_00, "net")
    revenue = dice.pick(
        count, [_ACCOUNT[number] for number in ("40100", "40100", "40110", "40200", "40300")], "revenue"
    )
    project = _sometimes(dice, dice.roll(count, 1, 4, "project"), 20, "has project")
    wording = dice.pick(count, [_TEXT[text], _TEXT["Order, thank you"]], "text")
    return _draft(
        (_ACCOUNT["10200"], net + _vat(net), 0, 0, wording),
        (revenue, -net, _DEPARTMENT["SALES"], project, wording),
        (_ACCOUNT["20200"], -_vat(net), 0, 0, _TEXT["VAT"]),
    )


def _sales_invoices(dice: Dice, count: int) -> Draft:
    return _sale(dice, count, 1, "Invoice")


def _sales_credits(dice: Dice, count: int) -> Draft:
    return _sale(dice, count, -1, "Credit memo")


def _purchases(dice: Dice, count: int) -> Draft:
    net = dice.roll(count, 10_00, 4_000_00, "net")
    expenses = ("10310", "50300", "60130", "60210", "60220", "60230", "60310", "60320", "60330", "60410", "60420")
    account = dice.pick(count, [_ACCOUNT[number] for number in (*expenses, "60500", "60600")], "expense")
    department = _sometimes(dice, _departments_in_turn(dice, count), 85, "has department")
    project = _sometimes(dice, dice.roll(count, 1, 4, "project"), 30, "has project")
    wording = dice.pick(count, [_TEXT[text] for text in TEXTS[10:14]], "text")
    return _draft(
        (account, net, department, project, wording),
        (_ACCOUNT["10400"], _vat(net), 0, 0, _TEXT["VAT"]),
        (_ACCOUNT["20100"], -net - _vat(net), 0, 0, wording),
    )


def _receipts(dice: Dice, count: int) -> Draft:
    amount = dice.roll(count, 60_00, 14_000_00, "amount")
    text = _TEXT["Payment received"]
    return _draft((_ACCOUNT["10110"], amount, 0, 0, text), (_ACCOUNT["10200"], -amount, 0, 0, text))


def _payments(dice: Dice, count: int) -> Draft:
    amount = dice.roll(count, 12_00, 4_500_00, "amount")
    charge = dice.roll(count, 25, 1_50, "charge")
    text = _TEXT["Payment sent"]
    return _draft(
        (_ACCOUNT["20100"], amount, 0, 0, text),
        (_ACCOUNT["70100"], charge, _DEPARTMENT["ADM"], 0, text),
        (_ACCOUNT["10110"], -amount - charge, 0, 0, text),
    )


def _costs(dice: Dice, count: int) -> Draft:
    amount = dice.roll(count, 20_00, 6_000_00, "amount")
    text = _TEXT["Cost of sale"]
    department = dice.pick(count, [_DEPARTMENT["PROD"], _DEPARTMENT["LOG"]], "department")
    return _draft((_ACCOUNT["50100"], amount, department, 0, text), (_ACCOUNT["10320"], -amount, 0, 0, text))


def _payroll(dice: Dice, count: int) -> Draft:
    wages = dice.roll(count, 2_000_00, 9_000_00, "wages")
    social = wages * 138 // 1000
    department = _departments_in_turn(dice, count)
    text = _TEXT["Salaries"]
    return _draft(
        (_ACCOUNT["60110"], wages, department, 0, text),
        (_ACCOUNT["60120"], social, department, 0, text),
        (_ACCOUNT["20300"], -social, 0, 0, text),
        (_ACCOUNT["10120"], -wages, 0, 0, text),
    )


def _depreciation(dice: Dice, count: int) -> Draft:
    amount = dice.roll(count, 100_00, 1_500_00, "amount")
    department = _departments_in_turn(dice, count)
    text = _TEXT["Depreciation"]
    return _draft((_ACCOUNT["60700"], amount, department, 0, text), (_ACCOUNT["01900"], -amount, 0, 0, text))


RECIPES = (
    Recipe(SALES_INVOICE, 30, 3, _sales_invoices),
    Recipe(SALES_CREDIT, 3, 3, _sales_credits),
    Recipe(RECEIPT, 22, 2, _receipts),
    Recipe(PURCHASE_INVOICE, 24, 3, _purchases),
    Recipe(VENDOR_PAYMENT, 15, 3, _payments),
    Recipe(COST_POSTING, 14, 2, _costs),
    Recipe(PAYROLL, 5, 4, _payroll, at_month_end=True),
    Recipe(DEPRECIATION, 5, 2, _depreciation, at_month_end=True),
)


def count_lines(scale: float) -> int:
    """Return the number of lines in every period."""
    return sum(recipe.count(scale) * recipe.lines for recipe in RECIPES)


def generate(company: str, period: Period, *, seed: int, scale: float, first_entry: int) -> Rows:
    """Return the lines of a company's period; their entry numbers run on from ``first_entry``."""
    rows = np.concatenate(
        [_documents(recipe, period, Dice(seed, company, period.key, recipe.kind.prefix), scale) for recipe in RECIPES]
    )
    rows = np.take(rows, np.lexsort((rows["kind"], rows["day"])))
    rows["entry"] = np.arange(first_entry, first_entry + len(rows))
    rows["stamp"] = _stamps(rows)
    if period.key == FIRST_KEY:
        rows["stamp"][_SENTINEL_PLACE] = NEVER_MODIFIED
    return rows


def _documents(recipe: Recipe, period: Period, dice: Dice, scale: float) -> Rows:
    """Return the documents of one kind, numbered in order of their dates."""
    count = recipe.count(scale)
    draft = recipe.fill(dice, count)
    last_day = min(period.end.toordinal(), TODAY.toordinal() - 1)
    first_day = last_day if recipe.at_month_end else period.start.toordinal()
    days = np.sort(dice.roll(count, first_day, last_day, "day"))
    rows = np.zeros(count * recipe.lines, LINE)
    rows["day"] = np.repeat(days, recipe.lines)
    rows["kind"] = KINDS.index(recipe.kind)
    month = (period.start.year % 100) * 100 + period.start.month
    rows["document"] = np.repeat(month * 10_000_000 + np.arange(1, count + 1), recipe.lines)
    parties = _PARTIES.get(recipe.kind.party, ("",))
    rows["party"] = np.repeat(dice.roll(count, 0, len(parties) - 1, "party"), recipe.lines)
    for name, values in (
        ("account", draft.accounts),
        ("cents", draft.cents),
        ("department", draft.departments),
        ("project", draft.projects),
        ("text", draft.texts),
    ):
        rows[name] = values.ravel()
    return rows


def _stamps(rows: Rows) -> Ints:
    """Return when each line was posted: over the working day of its date, all lines of a document at once."""
    places = np.arange(len(rows))
    document_begins = np.flatnonzero(np.diff(rows["document"], prepend=-1) | np.diff(rows["kind"], prepend=0))
    leader = np.zeros(len(rows), np.int64)
    leader[document_begins] = places[document_begins]
    leader = np.maximum.accumulate(leader)
    _, day_begins, per_day = np.unique(rows["day"], return_index=True, return_counts=True)
    day_of_row = np.repeat(np.arange(len(per_day)), per_day)
    within_day = (leader - day_begins[day_of_row]) * _WORK_LASTS_MS // per_day[day_of_row]
    return (rows["day"].astype(np.int64) - _EPOCH) * _DAY_MS + _WORK_BEGINS_MS + within_day


def opening_balances(first_entry: int = 1) -> Rows:
    """Return the document that brought the balances forward when the company moved to this ledger."""
    balances = {
        "01100": 420_000_00,
        "01200": 185_500_50,
        "01300": 64_250_00,
        "01400": 21_999_99,
        "01900": -143_210_35,
        "10110": 310_452_17,
        "10120": 150_000_00,
        "10130": 523_40,
        "10200": 187_020_08,
        "10310": 44_010_00,
        "10320": 350_765_45,
        "20100": -98_140_71,
        "20500": -250_000_00,
        "30100": -500_000_00,
    }
    balances["30200"] = -sum(balances.values())
    rows = np.zeros(len(balances), LINE)
    rows["entry"] = np.arange(first_entry, first_entry + len(balances))
    rows["day"] = OPENING_DAY.toordinal()
    rows["stamp"] = (OPENING_DAY.toordinal() - _EPOCH) * _DAY_MS + _WORK_BEGINS_MS
    rows["account"] = [_ACCOUNT[number] for number in balances]
    rows["cents"] = list(balances.values())
    rows["kind"] = KINDS.index(JOURNAL)
    rows["document"] = _TEXT["OPENING"]
    rows["text"] = _TEXT["Balance brought forward"]
    return rows


LATEST_STAMP = (TODAY.toordinal() - _EPOCH) * _DAY_MS
"""No generated line has a stamp at or after this moment (milliseconds since the epoch)."""
