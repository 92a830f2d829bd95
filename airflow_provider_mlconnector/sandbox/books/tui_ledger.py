# SPDX-License-Identifier: Apache-2.0
"""What happened at Tūī & Co.: a year of 53 weeks that was closed, and the weeks since, with all that ledgers suffer.

It is told in order of time, on a clock that stands at half past eight of a morning in Auckland: in UTC that is the
evening before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books.books import USUAL, Books, NewLine, Posting
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, ValueType
from airflow_provider_mlconnector.sandbox.books.dice import Dice
from airflow_provider_mlconnector.sandbox.books.periods import FIRST_KEY, LAST_KEY, TODAY, periods_between
from airflow_provider_mlconnector.sandbox.books.tui import FLOOR, HEADS, TUI
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

LARGEST = Decimal("12345678901234567.89")
"""An amount of 19 digits."""

_BANK, _RECEIVABLES, _OLDER_RECEIVABLES = "00007", "00070", "0070"
_PAYABLES, _CAPITAL, _SUSPENSE = "20100", "30100", "60800"
_REVENUES = ('40"2', "40'3", "40,1", "40;4")
_EXPENSES = ("6-100", "60100", "60110", "6=1+1", "6🐝", "50100")
_MORNING = time(8, 30)
_CENT = Decimal("0.01")
_DAY = timedelta(days=1)
_DOCUMENTS_A_PERIOD = 8


def tui_books(clock: VirtualClock, seed: int = 1) -> Books:
    """Return the company's books as they stand today, the same for the same seed; from now on ``clock`` stamps them."""
    past = VirtualClock()
    books = Books(seed=seed, scale=1, clock=past, company=TUI)
    _Bookkeeper(books, past, Dice(seed, TUI.code)).tell()
    books.clock = clock
    return books


class _Bookkeeper:
    """Posts to the books, day by day."""

    def __init__(self, books: Books, clock: VirtualClock, dice: Dice) -> None:
        self._books = books
        self._clock = clock
        self._dice = dice
        self._posted = 0

    def tell(self) -> None:
        """Tell it all."""
        periods = periods_between(FIRST_KEY, LAST_KEY, TUI.fiscal)
        events: dict[str, Callable[[Period], None]] = {
            "FY2026-P02": self._outside_their_periods,
            "FY2026-P03": self._small_and_large,
            "FY2026-P04": self._in_other_currencies,
            "FY2026-P05": self._reversed_and_corrected,
            "FY2026-P06": self._changed_and_rolled_back,
            "FY2026-P07": self._badly_stamped,
            "FY2026-P08": self._other_masters,
            "FY2026-P12": self._end_of_the_year,
        }
        self._open(periods[0])
        for period in periods:
            if period.start >= TODAY:
                break
            self._usual(period)
            if period.key in events:
                events[period.key](period)

    def _post(self, day: date, *lines: NewLine, how: Posting = USUAL) -> list[int]:
        """Post a document in the morning of its day."""
        self._clock.freeze(datetime.combine(day, _MORNING, ZoneInfo(TUI.zone)).astimezone(UTC))
        return self._books.post_document(day, lines, how=how)

    def _sale(self, day: date, amount: Decimal, how: Posting = USUAL) -> list[int]:
        """Post a sale, and a purchase of half its amount; account and departments are the next ones in turn."""
        self._posted += 1
        half = (amount / 2).quantize(_CENT)
        revenue = _REVENUES[self._posted % len(_REVENUES)]
        expense = _EXPENSES[self._posted % len(_EXPENSES)]
        return self._post(
            day,
            NewLine((_RECEIVABLES, _OLDER_RECEIVABLES)[self._posted % 2], amount),
            NewLine(revenue, -amount, self._department(0), description='Boards, "12 inch"; to order'),
            NewLine(expense, half, self._department(3), "P,1", "לוח"),
            NewLine(_PAYABLES, -half),
            how=how,
        )

    def _department(self, ahead: int) -> str:
        standard = [value.code for value in self._books.values(DEPARTMENT) if value.type is ValueType.STANDARD]
        open_ones = ["", *(code for code in standard if not self._books.value(DEPARTMENT, code).blocked)]
        return open_ones[(self._posted + ahead) % len(open_ones)]

    def _open(self, first: Period) -> None:
        how = Posting(EntryKind.OPENING)
        self._post(first.start - _DAY, NewLine(_BANK, Decimal(25000)), NewLine(_CAPITAL, Decimal(-25000)), how=how)

    def _usual(self, period: Period) -> None:
        """Post on the first day, the last and some between: up to yesterday, and statistics on the first."""
        last = min(period.end, TODAY - _DAY)
        between = self._dice.roll(_DOCUMENTS_A_PERIOD - 2, period.start.toordinal(), last.toordinal(), period.key)
        amounts = self._dice.roll(_DOCUMENTS_A_PERIOD, 1_00, 9_000_00, period.key, "amount")
        days = sorted([period.start, last, *(date.fromordinal(int(day)) for day in between)])
        self._post(period.start, NewLine(HEADS, Decimal(12), "07"), NewLine(FLOOR, Decimal("340.5"), "A,B"))
        for day, amount in zip(days, amounts, strict=True):
            self._sale(day, Decimal(int(amount)).scaleb(-2))

    def _outside_their_periods(self, period: Period) -> None:
        """Post to the period on the day after its end, and on the day before its beginning."""
        self._sale(period.end + _DAY, Decimal("310.10"), Posting(period=period.key))
        self._sale(period.start - _DAY, Decimal("410.20"), Posting(period=period.key))

    def _small_and_large(self, period: Period) -> None:
        self._post(period.end, NewLine(_SUSPENSE, _CENT), NewLine(_BANK, -_CENT))
        self._post(period.end, NewLine(_SUSPENSE, LARGEST, "🐝"), NewLine(_BANK, -LARGEST))

    def _in_other_currencies(self, period: Period) -> None:
        for currency, foreign, amount in (("USD", 1000, "1672.24"), ("JPY", 150000, "1738.96")):
            there, here = Decimal(foreign), Decimal(amount)
            bank = NewLine(_BANK, here, currency=currency, currency_amount=there)
            sale = NewLine("40;4", -here, "ŌTARA", currency=currency, currency_amount=-there)
            self._post(period.end, bank, sale)

    def _reversed_and_corrected(self, period: Period) -> None:
        for storno in (False, True):
            entry, *_ = self._sale(period.end, Decimal("222.22"))
            self._books.reverse_document(entry, storno=storno)
        *_, expense, _ = self._sale(period.end, Decimal("333.33"))
        self._books.correct_amount(expense, Decimal("99.99"))

    def _changed_and_rolled_back(self, period: Period) -> None:
        """Correct dimensions and dates afterwards; post, take it back, and post otherwise under the same numbers."""
        _, revenue, *_ = self._sale(period.end, Decimal("444.44"))
        self._books.change_line(revenue, department="ייצור")
        moved = self._sale(period.end, Decimal("555.55"))
        for entry in moved:
            self._books.change_line(entry, period="FY2026-P07")
        for same_ids in (False, True):
            entry, *_ = self._sale(period.end, Decimal("666.66"))
            self._books.roll_back(entry, same_ids=same_ids)
            self._sale(period.end, Decimal("77.77"))

    def _badly_stamped(self, period: Period) -> None:
        """Leave lines without a stamp, and with one of a month before."""
        for entry in self._sale(period.end, Decimal("888.88")):
            self._books.stamp_line(entry, None)
        for entry in self._sale(period.end, Decimal("999.99")):
            self._books.stamp_line(entry, self._clock.now() - timedelta(days=30))

    def _other_masters(self, period: Period) -> None:
        """Rename, block and delete dimension values that lines carry; move an account; post to a tax layer."""
        self._books.rename_value(DEPARTMENT, "WAS", "IS")
        self._books.block_value(DEPARTMENT, "OLD")
        self._books.delete_value(DEPARTMENT, "GONE")
        self._books.move_account(_SUSPENSE, "20000")
        self._sale(period.end, Decimal("1234.56"), Posting(ledger="TAX"))

    def _end_of_the_year(self, period: Period) -> None:
        """Post in the 53rd week, adjust, and close the year."""
        self._sale(period.end - timedelta(days=3), Decimal("53.53"))
        self._sale(period.end, Decimal("13.13"), Posting(EntryKind.ADJUSTING, period="FY2026-P13"))
        self._books.close_year(period.year)
