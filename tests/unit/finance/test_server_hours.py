# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, time

import pytest
from pydantic import ValidationError

from airflow_provider_mlconnector.finance.calendar import load_calendar
from airflow_provider_mlconnector.finance.server_hours import ServerHours

NIGHT = ServerHours(start=time(20), end=time(6))
DAY = ServerHours(start=time(8), end=time(18))


@pytest.fixture
def calendar(tmp_path):
    file = tmp_path / "calendar.yaml"
    file.write_text("calendar: c\nkind: monthly\nfirst_month: 7\ntimezone: Europe/London\n")
    return load_calendar(file)


@pytest.mark.parametrize(
    ("hours", "now", "opening"),
    [
        (NIGHT, "2026-11-20T21:00", None),
        (NIGHT, "2026-11-20T05:59", None),
        (NIGHT, "2026-11-20T06:00", "2026-11-20T20:00"),
        (NIGHT, "2026-11-20T12:00", "2026-11-20T20:00"),
        (DAY, "2026-11-20T08:00", None),
        (DAY, "2026-11-20T18:00", "2026-11-21T08:00"),
        (DAY, "2026-11-20T07:59", "2026-11-20T08:00"),
        (NIGHT, "2026-07-01T12:00", "2026-07-01T19:00"),
    ],
)
def test_the_next_hours_are_those_of_the_calendars_clock(calendar, hours, now, opening):
    wanted = None if opening is None else datetime.fromisoformat(opening).replace(tzinfo=UTC)
    assert hours.opening(calendar, datetime.fromisoformat(now).replace(tzinfo=UTC)) == wanted


def test_hours_that_are_none_are_refused():
    with pytest.raises(ValidationError, match="begin and end at 08:00"):
        ServerHours(start=time(8), end=time(8))
