# SPDX-License-Identifier: Apache-2.0
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import DataError, SchemaDriftError
from airflow_provider_mlconnector.systems.http.json_rows import Field, Need, RowDecoder, fields_of
from airflow_provider_mlconnector.systems.http.json_values import Kind
from airflow_provider_mlconnector.systems.http.odata import Page
from airflow_provider_mlconnector.systems.port import FindingKind

FIELDS = (
    *fields_of("id:t! number:i day:d text:t amount:m! stamp:s flag:b other:t?"),
    Field("lines", Kind.OBJECTS, Need.USED, fields_of("code:t! valueCode:t")),
)
DECODER = RowDecoder("entries", FIELDS)
ROW = {
    "@odata.etag": 'W/"x"',
    "id": "a1",
    "number": 7,
    "day": "2026-10-31",
    "text": "Rent",
    "amount": 1250.5,
    "stamp": "2026-11-19T08:12:33.497Z",
    "flag": True,
    "other": "",
    "lines": [{"code": "DEPARTMENT", "valueCode": "SALES", "id": "g"}],
}


def page_of(body: bytes, *, reduced: bool = False) -> Page:
    rows = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["value"]
    return Page(memoryview(body), msgspec.json.decode(rows, type=tuple[msgspec.Raw, ...]), reduced=reduced)


def page(*rows: dict, **options: bool) -> Page:
    return page_of(json.dumps({"@odata.context": "c", "value": rows}).encode(), **options)


def amount_page(text: str) -> Page:
    return page_of(json.dumps({"value": [ROW]}).replace("1250.5", text).encode())


def without(name: str) -> dict:
    return {key: value for key, value in ROW.items() if key != name}


def test_a_row_becomes_typed_columns():
    row = DECODER.decode(page(ROW)).to_pylist()[0]
    assert row == {
        "id": "a1",
        "number": 7,
        "day": date(2026, 10, 31),
        "text": "Rent",
        "amount": Decimal("1250.500000"),
        "stamp": datetime(2026, 11, 19, 8, 12, 33, 497000, UTC),
        "flag": True,
        "lines": [{"code": "DEPARTMENT", "valueCode": "SALES"}],
    }


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0"),
        ("-0.01", "-0.01"),
        ("1E-2", "0.01"),
        ("1.5e3", "1500"),
        ("99999999999999999.99", "99999999999999999.99"),
        ("-1234567890123456789012345678901.123456", "-1234567890123456789012345678901.123456"),
        ("0.10", "0.1"),
        ("0.0000010", "0.000001"),
    ],
)
def test_an_amount_keeps_every_digit_of_its_text(text, amount):
    for decode in (DECODER.decode, DECODER.decode_exact):
        assert decode(amount_page(text))["amount"].to_pylist() == [Decimal(amount)]


@pytest.mark.parametrize("text", ["0.0000001", "12345678901234567890123456789012", "1e400", "1e-7"])
def test_an_amount_that_cannot_be_kept_is_refused_with_its_record(text):
    with pytest.raises(DataError, match="Record a1 of entries: amount holds"):
        DECODER.decode(amount_page(text))


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
numbers = st.one_of(
    st.integers(-(10**30), 10**30),
    st.decimals(-(10**20), 10**20, places=6, allow_nan=False, allow_infinity=False),
    st.decimals(-100, 100, places=2, allow_nan=False, allow_infinity=False),
)
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["", "},{", '"]}', "[{", "\\", '\\"', "\n", "é😀", "@odata.nextLink"]
)
milliseconds = st.integers(-62_135_596_800_000, 253_370_764_800_000)  # of the years 1 to 9998
moments = milliseconds.map(
    lambda ms: (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
)
rows = st.fixed_dictionaries(
    {"id": texts, "amount": numbers},
    optional={
        "number": st.integers(-(2**63), 2**63 - 1) | st.none(),
        "day": st.dates().map(str) | st.none(),
        "text": texts | st.none(),
        "stamp": moments | st.none(),
        "flag": st.booleans() | st.none(),
        "unknown": st.recursive(numbers.map(float) | texts, st.lists, max_leaves=3),
        "lines": st.none()
        | st.lists(st.fixed_dictionaries({"code": texts, "valueCode": texts}, optional={"extra": texts}), max_size=3),
    },
)


def to_json(value: object) -> str:
    """Write JSON with amounts as their own text."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}: {to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_json, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


@settings(max_examples=300, deadline=None)
@given(st.lists(rows, max_size=5), st.sampled_from(["", "\n", "\r\n  "]))
def test_the_fast_way_and_the_exact_way_read_the_same(drawn, space):
    body = f'{{"@odata.context":"c",{space}"value":{space}{to_json(drawn)}{space}}}'.encode()
    fast, exact = DECODER.decode(page_of(body)), DECODER.decode_exact(page_of(body))
    assert fast.equals(exact)
    assert fast.schema.equals(exact.schema)


def test_what_the_fast_way_cannot_read_goes_the_exact_way():
    seven_digits = {**ROW, "stamp": "2026-11-19T08:12:33.4971239Z"}
    assert DECODER.decode(page(seven_digits))["stamp"].to_pylist() == [datetime(2026, 11, 19, 8, 12, 33, 497123, UTC)]


@pytest.mark.parametrize(
    ("column", "value", "came"),
    [
        ("amount", True, "true or false"),
        ("amount", {"value": 1}, "an object"),
        ("text", 5, "a number"),
        ("number", "5", "text"),
        ("flag", "true", "text"),
        ("lines", "DEPARTMENT", "text"),
        ("day", 20261031, "a number"),
    ],
)
def test_a_value_of_another_type_names_record_and_column(column, value, came):
    with pytest.raises(SchemaDriftError, match=f"Record a1 of entries: column {column} came as {came}"):
        DECODER.decode(page({**ROW, "id": "a0"}, {**ROW, column: value}))


@pytest.mark.parametrize(("column", "value"), [("day", "31.10.2026"), ("number", 2**63), ("stamp", "yesterday")])
def test_a_value_that_cannot_be_read_names_record_and_column(column, value):
    with pytest.raises(DataError, match=f"Record a1 of entries: {column} holds"):
        DECODER.decode(page({**ROW, column: value}))


@pytest.mark.parametrize("row", [without("amount"), {**ROW, "amount": None}])
def test_a_needed_value_is_never_null_in_silence(row):
    with pytest.raises(SchemaDriftError, match="Record a1 of entries has no amount"):
        DECODER.decode(page(row))


@pytest.mark.parametrize("body", [b'{"value":[null]}', b'{"value":[5]}'])
def test_a_row_that_is_no_object_is_refused(body):
    with pytest.raises((DataError, SchemaDriftError)):
        DECODER.decode(page_of(body))


def test_bytes_that_are_no_text_are_refused():
    body = json.dumps({"value": [ROW]}).encode().replace(b"Rent", b"Re\xffnt")
    with pytest.raises(DataError, match="cannot be read"):
        DECODER.decode(page_of(body))


def test_new_and_lost_columns_that_nobody_needs_are_reported():
    row = {**without("other"), "newColumn": 1, "lines@odata.context": "x"}
    found = [(finding.kind, finding.subject) for finding in DECODER.drift(page(row))]
    assert found == [(FindingKind.COLUMN_MISSING, "other"), (FindingKind.COLUMN_NEW, "newColumn")]
    assert DECODER.drift(page(ROW)) == []


def test_a_lost_column_that_is_needed_stops_the_read():
    with pytest.raises(SchemaDriftError, match="no column amount any more"):
        DECODER.drift(page(without("amount")))


@pytest.mark.parametrize(("column", "value"), [("amount", "1250.5"), ("text", 5), ("number", True)])
def test_a_retyped_column_stops_the_read_even_where_its_values_could_be_read(column, value):
    with pytest.raises(SchemaDriftError, match=f"column {column} came as"):
        DECODER.drift(page(ROW, {**ROW, column: value}))


def test_a_retyped_column_that_nobody_reads_is_reported():
    found = DECODER.drift(page(ROW, {**ROW, "other": 5}, {**ROW, "text": None}))
    assert [(finding.kind, finding.subject) for finding in found] == [(FindingKind.COLUMN_RETYPED, "other")]


def test_a_page_that_was_reduced_on_purpose_lacks_its_lists_without_a_word():
    assert DECODER.drift(page(without("lines"), reduced=True)) == []
    assert [finding.subject for finding in DECODER.drift(page(without("lines")))] == ["lines"]
