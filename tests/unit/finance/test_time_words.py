# SPDX-License-Identifier: Apache-2.0
"""Times of day and spans as people write them."""

from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.finance.time_words import format_span, parse_clock, parse_span


@pytest.mark.parametrize(("text", "value"), [("00:00", time(0)), ("06:30", time(6, 30)), ("23:59", time(23, 59))])
def test_a_time_of_day_is_read(text, value):
    assert parse_clock(text) == value


@pytest.mark.parametrize("text", ["24:00", "6:30", "06:60", "0630", "06:30:00", "", "6pm", None, 390])
def test_what_is_no_time_of_day_is_refused(text):
    with pytest.raises(ValueError, match="is not a time of day"):
        parse_clock(text)


@pytest.mark.parametrize(
    ("text", "minutes"), [("15m", 15), ("6h", 360), ("1h30m", 90), ("2d", 2880), ("PT15M", 15), ("P1DT2H", 1560)]
)
def test_a_span_is_read(text, minutes):
    assert parse_span(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "15", 15, "0m", "P1M", "15 min", "m", "PT", None])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError, match="is not a span of time"):
        parse_span(text)


@given(st.integers(1, 10_000))
def test_a_span_survives_text(minutes):
    assert parse_span(format_span(timedelta(minutes=minutes))) == timedelta(minutes=minutes)
