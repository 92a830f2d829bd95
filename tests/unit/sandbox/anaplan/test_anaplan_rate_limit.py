# SPDX-License-Identifier: Apache-2.0
from email.utils import parsedate_to_datetime

import pytest


@pytest.fixture
def tight(anaplan, clock):
    clock.freeze()
    anaplan.switch(rate_limit=5)
    for _ in range(5):
        assert anaplan.get("/imports").status_code == 200
    return anaplan


def test_the_bucket_runs_dry_and_fills_again(tight, clock):
    answer = tight.get("/imports")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "12")
    clock.advance(12)
    assert tight.get("/imports").status_code == 200
    assert tight.get("/imports").status_code == 429
    clock.advance(600)
    assert [tight.get("/imports").status_code for _ in range(6)] == [200] * 5 + [429]


def test_retry_after_may_be_a_date_or_missing(tight, clock):
    tight.switch(retry_after="date")
    moment = parsedate_to_datetime(tight.get("/imports").headers["Retry-After"])
    assert 12 <= (moment - clock.now()).total_seconds() <= 14
    tight.switch(retry_after="none")
    assert "Retry-After" not in tight.get("/imports").headers


def test_the_limit_is_the_tenants_whoever_asks(tight, sandbox):
    from tests.unit.sandbox.anaplan.caller import Caller

    assert Caller(sandbox, "paula-planner@larkfield.example").get("/imports").status_code == 429


def test_an_unknown_token_uses_nothing_up(anaplan, clock):
    clock.freeze()
    anaplan.switch(rate_limit=1)
    token = anaplan.token
    anaplan.use("unknown")
    assert [anaplan.get("/imports").status_code for _ in range(3)] == [401] * 3
    anaplan.use(token)
    assert anaplan.get("/imports").status_code == 200


def test_the_default_is_600_a_minute(anaplan, clock):
    anaplan.control("DELETE", "/switches")
    clock.freeze()
    answers = [anaplan.get("/users/me", root=True).status_code for _ in range(601)]
    assert answers == [200] * 600 + [429]
