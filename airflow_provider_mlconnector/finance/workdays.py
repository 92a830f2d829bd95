# SPDX-License-Identifier: Apache-2.0
"""The days on which people work: weekdays without a country's holidays and without the company's own closed days."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import count, islice
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from airflow_provider_mlconnector.finance.yaml_models import Strict


class Weekday(StrEnum):
    """Days of the week in the order of :meth:`datetime.date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_ORDER = tuple(Weekday)
_SOME_YEAR = 2026


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sort, so that equal sets of days have equal digests."""
    return tuple(sorted(set(values)))


class Workdays(Strict):
    """Which days are workdays.

    :param country: ISO 3166 code of the country whose public holidays are free; None: no holidays.
    :param subdivision: part of the country with holidays of its own, such as ``ENG`` or ``BY``.
    :param closed: further days on which the company does not work.
    :param weekend: free days of every week.
    """

    country: str | None = None
    subdivision: str | None = None
    closed: Annotated[tuple[date, ...], AfterValidator(_each_once)] = ()
    weekend: Annotated[tuple[Weekday, ...], AfterValidator(_each_once), Field(max_length=6)] = (
        Weekday.SATURDAY,
        Weekday.SUNDAY,
    )

    @model_validator(mode="after")
    def _known_country(self) -> Workdays:
        if self.country is not None and not _is_listed(self.country):
            raise ValueError(f"no holidays are known for country '{self.country}'; write its ISO 3166 code, such as GB")
        if self.subdivision is not None:
            if self.country is None:
                raise ValueError(f"subdivision '{self.subdivision}' needs a country")
            _holidays(self.country, self.subdivision, _SOME_YEAR)
        return self

    def is_workday(self, day: date) -> bool:
        """Say whether people work on a day."""
        if _ORDER[day.weekday()] in self.weekend or day in self.closed:
            return False
        return self.country is None or day not in _holidays(self.country, self.subdivision, day.year)

    def after(self, day: date, number: int) -> date:
        """Return the n-th workday after a day; the first one is 1."""
        if number < 1:
            raise ValueError(f"workdays are counted from 1, not {number}")
        following = (day + timedelta(days=offset) for offset in count(1))
        return next(islice(filter(self.is_workday, following), number - 1, None))


def _is_listed(country: str) -> bool:
    # The index alone: a country itself takes a tenth of a second to load, and this runs whenever a DAG file is parsed.
    from holidays.registry import COUNTRIES

    return any(country in names[1:3] for names in COUNTRIES.values())


@cache
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
    except NotImplementedError as error:
        raise ValueError(f"no holidays are known for the part '{subdivision}' of '{country}'") from error
