# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    LostAnswerError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from airflow_provider_mlconnector.systems.http.retry import Attempts, RetryPolicy, retry_after
from tests.unit.systems.http.scripted_server import NO_JITTER

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def test_retry_after_is_read_as_seconds():
    assert retry_after("17", NOW) == 17.0


def test_retry_after_is_read_as_an_http_date():
    assert retry_after(format_datetime(NOW + timedelta(seconds=42), usegmt=True), NOW) == 42.0


def test_retry_after_in_the_past_asks_for_no_wait():
    assert retry_after(format_datetime(NOW - timedelta(hours=1), usegmt=True), NOW) == 0.0


@pytest.mark.parametrize("value", [None, "", "soon", "Fri, 99 Foo 2026"])
def test_a_missing_or_unreadable_retry_after_is_none(value):
    assert retry_after(value, NOW) is None


def test_waits_double_up_to_the_cap_and_end_with_the_attempts():
    attempts = Attempts(RetryPolicy(attempts=5, base=0.5, cap=2.0, uniform=lambda low, high: high))
    waits = [attempts.wait_after(ServerError("x"), asked=None, repeatable=True) for _ in range(5)]
    assert waits == [0.5, 1.0, 2.0, 2.0, None]


def test_a_server_error_that_names_a_wait_is_not_repeated_earlier():
    assert Attempts(NO_JITTER).wait_after(ServerError("x"), asked=30.0, repeatable=True) == 30.0


def test_a_request_that_may_not_be_repeated_is_not_after_a_server_error():
    assert Attempts(NO_JITTER).wait_after(ServerError("x"), asked=None, repeatable=False) is None


def test_a_request_of_which_nothing_was_sent_is_repeated_whatever_it_is():
    assert Attempts(NO_JITTER).wait_after(TransportError("x"), asked=None, repeatable=False) is not None


def test_a_lost_answer_is_never_repeated():
    assert Attempts(NO_JITTER).wait_after(LostAnswerError("x"), asked=None, repeatable=True) is None


def test_a_client_error_is_final():
    assert Attempts(NO_JITTER).wait_after(BadRequestError("x"), asked=None, repeatable=True) is None


def test_refusals_by_rate_do_not_use_up_the_attempts_of_a_request():
    attempts = Attempts(RetryPolicy(attempts=2, patience=600, uniform=lambda low, high: low))
    waits = [attempts.wait_after(RateLimitedError("x"), asked=1.0, repeatable=False) for _ in range(40)]
    assert waits == [1.0] * 40
    assert attempts.wait_after(ServerError("x"), asked=None, repeatable=True) is not None


def test_refusals_by_rate_end_with_the_patience():
    attempts = Attempts(RetryPolicy(patience=25, uniform=lambda low, high: low))
    waits = [attempts.wait_after(RateLimitedError("x"), asked=None, repeatable=True) for _ in range(3)]
    assert waits == [10.0, 10.0, None]


@settings(deadline=None)
@given(failures=st.integers(1, 60), asked=st.none() | st.floats(0, 500))
def test_no_wait_is_below_what_the_server_asked_nor_above_cap_and_request(failures, asked):
    policy = RetryPolicy()
    wait = policy.backoff(failures, asked)
    assert (asked or 0.0) <= wait <= max(policy.cap, asked or 0.0)
