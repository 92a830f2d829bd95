# SPDX-License-Identifier: Apache-2.0
import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    FencedError,
    HeaderError,
    LostAnswerError,
    RateLimitedError,
    ServerError,
    UnknownNameError,
)
from airflow_provider_mlconnector.retries import RemoteRetryPolicy


@pytest.mark.parametrize("error", [AuthenticationError, HeaderError, UnknownNameError])
def test_what_no_repetition_can_cure_fails_at_once_and_says_why(error):
    decision = RemoteRetryPolicy().evaluate(error("Told so.", hint="Do this."), 1, 3)
    assert decision.action is RetryAction.FAIL
    assert "Told so. Do this." in decision.reason


@pytest.mark.parametrize("error", [ServerError, LostAnswerError, FencedError])
def test_what_may_pass_is_tried_again_with_a_wait(error):
    decision = RemoteRetryPolicy().evaluate(error("Came and went."), 1, 3)
    assert decision.action is RetryAction.RETRY
    assert 1 <= decision.retry_delay.total_seconds() <= 30


def test_the_wait_that_a_server_asks_for_is_kept():
    decision = RemoteRetryPolicy().evaluate(RateLimitedError("Too many.", retry_after=120.0), 1, 3)
    assert decision.retry_delay.total_seconds() >= 121


def test_waits_grow_and_end_at_a_ceiling():
    policy = RemoteRetryPolicy(first=30, longest=100)
    waits = [max(policy.wait(ServerError("x"), n) for _ in range(300)) for n in (1, 2, 3, 9)]
    assert waits[0] <= 30 < waits[1] <= 60 < waits[2] <= 100
    assert waits[3] <= 100


def test_foreign_errors_follow_the_tasks_own_settings():
    assert RemoteRetryPolicy().evaluate(ValueError("x"), 1, 3).action is RetryAction.DEFAULT


def test_the_policy_survives_serialization():
    policy = RemoteRetryPolicy(first=5, longest=7)
    assert RemoteRetryPolicy.deserialize(policy.serialize()).__dict__ == policy.__dict__
