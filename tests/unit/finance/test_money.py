# SPDX-License-Identifier: Apache-2.0
"""Amounts are exact, whatever their size and whoever writes them."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.journal import natural_sign
from airflow_provider_mlconnector.finance.money import add_money, format_money, parse_money, round_money

amounts = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda n: Decimal(n).scaleb(-6, context=_wide()))


def _wide():
    with localcontext() as context:
        context.prec = 60
        return context.copy()


@given(amounts, st.integers(0, 6))
def test_an_amount_survives_text(amount, places):
    text = format_money(amount, places)
    assert parse_money(text) == amount
    assert "E" not in text
    assert len(text.partition(".")[2]) >= places


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234567890123456789.12", "1234567890123456789.12"),
        ("-0.000001", "-0.000001"),
        (" 5 ", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.5E+3", "1500"),
        ("1.2300000", "1.23"),
    ],
)
def test_text_is_read_digit_by_digit(text, amount):
    assert parse_money(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["", "1,000.00", "1.000,00", "1 000", "NaN", "Infinity", "0x10", "١٢", "1_000", "£5", "--1"]
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(DataError, match="is not an amount"):
        parse_money(text)


@pytest.mark.parametrize("text", ["0.0000001", "1" + "0" * 32, "1e-7", "1e999"])
def test_digits_are_never_lost_in_silence(text):
    with pytest.raises(DataError, match="does not fit"):
        parse_money(text)


def test_zero_has_no_sign():
    assert format_money(Decimal("-0.00")) == "0.00"


def test_rounding_is_half_away_from_zero():
    assert round_money(Decimal("2.675"), 2) == Decimal("2.68")
    assert round_money(Decimal("-2.675"), 2) == Decimal("-2.68")


@given(st.lists(amounts, max_size=20))
def test_sums_are_exact_beyond_28_digits(values):
    scaled = sum(int(value.scaleb(6, context=_wide())) for value in values)
    assert add_money(values) == Decimal(scaled).scaleb(-6, context=_wide())


@pytest.mark.parametrize(
    ("category", "sign"),
    [("Income", -1), ("liabilities", -1), ("EQUITY", -1), ("Assets", 1), ("Cost of Goods Sold", 1), ("", 1), (None, 1)],
)
def test_credit_natured_accounts_turn_their_sign(category, sign):
    assert natural_sign(category) == sign
