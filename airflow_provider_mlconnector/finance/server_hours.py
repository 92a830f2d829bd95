# SPDX-License-Identifier: Apache-2.0
"""The hours in which a ledger's server may be read: at night where people work on it by day."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import model_validator

from airflow_provider_mlconnector.finance.calendar import Calendar
from airflow_provider_mlconnector.finance.time_words import ClockTime
from airflow_provider_mlconnector.finance.yaml_models import Strict

_DAY = timedelta(days=1)


class ServerHours(Strict):
    """From when to when, on the calendar's clock; an end before the start is on the next day."""

    start: ClockTime
    end: ClockTime

    @model_validator(mode="after")
    def _has_hours(self) -> ServerHours:
        if self.start == self.end:
            raise ValueError(f"the hours begin and end at {self.start:%H:%M}")
        return self

    def opening(self, calendar: Calendar, now: datetime) -> datetime | None:
        """Return when the next hours begin (UTC); None when now lies within some.

        :param now: with a time zone.
        """
        here = now.astimezone(ZoneInfo(calendar.timezone))
        if self._holds(here.time()):
            return None
        day = here.date() if here.time() < self.start else here.date() + _DAY
        return calendar.moment(day, self.start)

    def _holds(self, clock: time) -> bool:
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end
