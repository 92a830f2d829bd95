# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_mlconnector.sandbox.clock import VirtualClock
from airflow_provider_mlconnector.sandbox.stats import Stats, busiest_window, path_template

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_stopped_clock_moves_only_when_told():
    clock = VirtualClock()
    assert clock.freeze(NOON) == clock.now() == NOON
    assert clock.advance(90) == clock.now() == NOON + timedelta(seconds=90)


def test_a_clock_runs_on_from_where_it_was_stopped():
    clock = VirtualClock()
    clock.freeze(NOON)
    assert timedelta() <= clock.unfreeze() - NOON < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("moments", "most"),
    [([], 0), ([5.0], 1), ([0.0, 59.9, 60.0], 2), ([0.0, 30.0, 59.9, 100.0, 110.0], 3)],
)
def test_the_busiest_minute_slides(moments, most):
    assert busiest_window(moments, 60.0) == most


def test_a_request_that_got_no_answer_is_counted():
    clock = VirtualClock()
    clock.freeze(NOON)
    stats = Stats(clock)
    stats.arrive("anaplan", "GET", "/2/0/models/75A40874E6B64FA3AE0743278996850F")
    stats.leave(stats.arrive("anaplan", "GET", "/2/0/models"))
    assert stats.count("anaplan", path="models/{id}$") == 1
    assert stats.most_in_flight("anaplan") == 2
    assert stats.summary()["anaplan"]["by_status"] == {"0": 2}


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/2/0/workspaces/8a868cdc7d6c9c4f017da1c9/models", "/2/0/workspaces/{id}/models"),
        ("/2/0/files/113000000001/chunks/12", "/2/0/files/{id}/chunks/12"),
        ("/x/companies(3c1c5c4e-0000-0000-0000-000000000001)/accounts", "/x/companies({id})/accounts"),
    ],
)
def test_ids_leave_the_path(path, template):
    assert path_template(path) == template
