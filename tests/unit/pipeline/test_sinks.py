# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.finance.money import parse_money
from airflow_provider_mlconnector.pipeline.sinks import GROUP_ROWS, CsvSink, ParquetSink, as_text, pour
from airflow_provider_mlconnector.pipeline.stage import LocalStage

MONEY = pa.decimal128(38, 6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


def batches(count: int, size: int):
    for at in range(count):
        numbers = range(at * size, (at + 1) * size)
        yield pa.record_batch({"key": [f"k{number}" for number in numbers], "number": list(numbers)})


@pytest.fixture
def stage(tmp_path) -> LocalStage:
    return LocalStage(tmp_path)


def test_every_sink_gets_every_batch_in_order(stage):
    schema = next(batches(1, 1)).schema
    with ParquetSink(stage, schema) as one, CsvSink(stage, {"key": None, "V": "x", "number": None}) as other:
        pour(batches(20, 5000), one, other)
        parquet, lines = one.publish("a/one.parquet", {"note": "text"}), other.publish("a/two.csv")
    table = pq.read_table(stage.fetch(parquet))
    assert table.column("number").to_pylist() == list(range(100_000))
    assert pq.read_metadata(stage.fetch(parquet)).metadata[b"note"] == b"text"
    assert pq.read_metadata(stage.fetch(parquet)).row_group(0).num_rows <= GROUP_ROWS + 5000
    with stage.fetch(lines).open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["key", "V", "number"]
    assert rows[100_000] == ["k99999", "x", "99999"]


def test_the_digest_made_while_writing_is_that_of_the_file(stage):
    with ParquetSink(stage, next(batches(1, 1)).schema) as sink:
        pour(batches(3, 10), sink)
        file = sink.publish("one.parquet")
    assert hashlib.sha256(stage.fetch(file).read_bytes()).hexdigest() == file.sha256


def test_an_error_in_the_source_or_in_a_sink_is_raised_and_leaves_no_file(stage):
    def breaking():
        yield from batches(2, 10)
        raise ConnectionError("the line is dead")

    with pytest.raises(ConnectionError), ParquetSink(stage, next(batches(1, 1)).schema) as sink:
        pour(breaking(), sink)
    with pytest.raises(pa.ArrowInvalid), ParquetSink(stage, pa.schema([("key", pa.string())])) as sink:
        pour(batches(100, 5000), sink)
    assert list(stage.scratch().iterdir()) == []


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**31), max_value=10**31, places=6))
def test_an_amount_is_plain_exact_text(amount: Decimal):
    [text] = as_text(pa.array([amount], MONEY)).to_pylist()
    assert parse_money(text) == amount
    assert "E" not in text
    assert not (("." in text) and text.endswith("0"))


def test_texts_of_other_types():
    moment = datetime(2026, 11, 19, 8, 12, 33, 497000, tzinfo=UTC)
    stamps = pa.array([moment, moment.replace(microsecond=0), None], pa.timestamp("us", "UTC"))
    assert as_text(stamps).to_pylist() == ["2026-11-19T08:12:33.497Z", "2026-11-19T08:12:33Z", None]
    assert as_text(pa.array([Decimal(100)], pa.decimal128(10, 0))).to_pylist() == [Decimal(100)]
    days = pa.array([date(2026, 11, 19)])
    assert as_text(days).to_pylist() == [date(2026, 11, 19)]


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_any_text_survives_the_file(tmp_path_factory, texts):
    stage = LocalStage(tmp_path_factory.mktemp("stage"))
    with CsvSink(stage, {'a "header", with\nall': None, "c": "ü,"}) as sink:
        sink.write(pa.record_batch({'a "header", with\nall': texts}))
        file = sink.publish("one.csv")
    with stage.fetch(file).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[0] == ['a "header", with\nall', "c"]
    assert rows[1:] == [[text, "ü,"] for text in texts]
