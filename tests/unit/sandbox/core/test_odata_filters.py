# SPDX-License-Identifier: Apache-2.0
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest

from airflow_provider_mlconnector.sandbox.odata.filters import FilterError, evaluate, fields_of, parse_filter

COLUMNS = {
    "number": np.array(["10100", "10200", "O'Hara"], object),
    "amount": np.array([Decimal("-1.5"), Decimal(0), Decimal("12345678901234567.89")], object),
    "entry": np.array([1, 2, 3]),
    "blocked": np.array([True, False, False], object),
    "day": np.array([date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)], "datetime64[D]"),
    "moment": np.array(
        [datetime(2026, 10, 1, 6), datetime(2026, 10, 1, 6, 0, 0, 497000), datetime(1, 1, 1)],  # noqa: DTZ001
        "datetime64[us]",
    ),
}


def passing(text: str) -> list[int]:
    return [int(place) for place in np.flatnonzero(evaluate(parse_filter(text), COLUMNS.__getitem__))]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("number eq '10200'", [1]),
        ("number ne '10200'", [0, 2]),
        ("number eq 'O''Hara'", [2]),
        ("number gt '10100' and number lt '2'", [1]),
        ("number eq '10100' or number eq '10200'", [0, 1]),
        ("number in ('10100', 'O''Hara')", [0, 2]),
        ("startswith(number,'101')", [0]),
        ("endswith(number, '00')", [0, 1]),
        ("contains(number,'''')", [2]),
        ("not (number eq '10100')", [1, 2]),
        ("amount eq 12345678901234567.89", [2]),
        ("amount lt 0", [0]),
        ("amount le -1.5", [0]),
        ("entry ge 2", [1, 2]),
        ("blocked eq true", [0]),
        ("day ge 2026-10-31 and day le 2026-10-31", [1]),
        ("day ge 2026-10-01 and (number eq '10100' or number eq 'O''Hara')", [0, 2]),
        ("moment gt 2026-10-01T06:00:00Z", [1]),
        ("moment ge 2026-10-01T08:00:00+02:00", [0, 1]),
        ("moment ge 2026-10-01T06:00:00.4971Z", []),
        ("moment eq 0001-01-01T00:00:00Z", [2]),
        ("number eq 'a or b'", []),
    ],
)
def test_filters_let_through(text, places):
    assert passing(text) == places


@pytest.mark.parametrize(
    "text",
    [
        "number eq",
        "number like 'x'",
        "number eq '1",
        "(number eq '1'",
        "number eq '1' number eq '2'",
        "eq '1'",
        "number in '1'",
        "contains(number)",
        "contains(number,1)",
        "number eq 5",
        "amount gt 'x'",
        "day ge 'x'",
        "",
    ],
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(FilterError):
        passing(text)


def test_and_binds_more_tightly_than_or():
    assert passing("entry eq 1 or entry eq 2 and number eq 'x'") == [0]


def test_all_fields_are_found():
    assert fields_of(parse_filter("a eq 1 and (not (b eq 2) or contains(c,'x'))")) == {"a", "b", "c"}
