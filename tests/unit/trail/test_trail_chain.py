# SPDX-License-Identifier: Apache-2.0
"""The text that hashes run over never changes, or old chains would no longer hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.trail.chain import (
    canonical,
    event_hash,
    files_text,
    link_hash,
    read_files,
    rows_digest,
)
from tests.clocks import START
from tests.unit.trail.support import BOOK, staged

EVENT = "564b312ba2bc3abb090972c44a1477d5df3a1e288c5eaeef9dab1009b4511b4a"
LINK = "e0f10521c31c3d7f7f3b1c0d33e767e8896740114bb832bb0337811e880dd601"
ROWS = "45a878f85d496809a5c76cbd481ccaf40a94813d3859a8996646aca2e0d214a3"


def test_canonical_text_does_not_depend_on_order_and_is_plain_ascii() -> None:
    one = {"b": [Decimal("1.10"), date(2026, 11, 20)], "a": {"é": None, "at": START}}
    two = {"a": {"at": START, "é": None}, "b": ("1.10", "2026-11-20")}
    assert canonical(one) == canonical(two)
    assert canonical(one) == ('{"a":{"at":"2026-11-20T06:00:00.000000Z","\\u00e9":null},"b":["1.10","2026-11-20"]}')
    assert canonical(BOOK) == canonical(BOOK.to_json())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical([value])


def test_hashes_of_the_first_version_stay_what_they_are() -> None:
    texts = (canonical({"sum": "0.10"}), files_text([staged("a.csv")]), "")
    assert event_hash("0" * 64, "r1", 1, "note", START, texts) == EVENT
    assert link_hash("", "flow", 1, "closed", "r1", START, "{}") == LINK
    assert rows_digest([{"a": "1"}, {"a": "2"}]) == ROWS


def test_rows_count_in_their_order() -> None:
    rows = [{"a": "1"}, {"a": "2"}]
    assert rows_digest(rows) != rows_digest(rows[::-1])
    assert rows_digest(rows[:1]) != rows_digest(rows)


def test_the_files_of_an_event_are_read_back() -> None:
    assert read_files(files_text([staged("a"), staged("b")])) == (staged("a"), staged("b"))
