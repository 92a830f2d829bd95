# SPDX-License-Identifier: Apache-2.0
"""Period keys, and the names that models give to periods."""

from datetime import date

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.periods import Period, format_period, parse_key

NOVEMBER = Period(2026, 5, date(2025, 11, 1), date(2025, 11, 30))
WEEKS = Period(2027, 1, date(2026, 6, 28), date(2026, 7, 25))


def test_a_key_says_year_and_number():
    assert NOVEMBER.key == "FY2026-P05"
    assert parse_key(" FY2026-P05 ") == (2026, 5)


@pytest.mark.parametrize("key", ["FY26-P05", "FY2026-P5", "2026-11", "", "FY2026-P05x"])
def test_what_is_no_key_is_told_how_to_write_one(key):
    with pytest.raises(ConfigurationError, match="Write it like FY2026-P05"):
        parse_key(key)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("MMM yy", "Nov 25"),
        ("MMMM yyyy", "November 2025"),
        ("yyyy-MM", "2025-11"),
        ("M/yy", "11/25"),
        ("'FY'YY 'P'PP", "FY26 P05"),
        ("'Period' P YYYY", "Period 5 2026"),
        ("'FY'YYYY-'P'PP", "FY2026-P05"),
        ("MMM ''yy", "Nov '25"),
        ("'o''clock'", "o'clock"),
    ],
)
def test_a_period_is_named_as_the_model_names_it(pattern, name):
    assert format_period(NOVEMBER, pattern) == name


def test_a_period_of_weeks_has_the_month_of_its_middle():
    assert format_period(WEEKS, "MMM yy") == "Jul 26"


@pytest.mark.parametrize("pattern", ["mmm yy", "Qtr", "'open"])
def test_a_pattern_with_another_letter_is_refused(pattern):
    with pytest.raises(ConfigurationError, match="is not a pattern for period names"):
        format_period(NOVEMBER, pattern)
