# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import (
    ConfigurationError,
    DataError,
    SchemaDriftError,
)
from airflow_provider_mlconnector.pipeline import engine
from airflow_provider_mlconnector.pipeline.plan import Shape, Source
from airflow_provider_mlconnector.pipeline.transform import whole_period
from tests.unit.pipeline.preparing import CENTRES, lines
from tests.unit.pipeline.support import (
    COLUMNS,
    actuals,
    amounts,
)

HERE = "tests.unit.pipeline.test_transforms"


def double(frame):
    frame["amount"] = (frame["amount"] * 3 + frame["amount"]) / Decimal(2)
    return frame


def too_fine(frame):
    frame["amount"] = frame["amount"] / 3
    return frame


def drop_sales(frame):
    return frame[frame["account"] != "40100"]


def to_float(frame):
    frame["amount"] = frame["amount"].astype(float)
    return frame


def renamed_later(frame):
    return frame.rename(columns={"account": "konto"}) if "e5" in set(frame["record_id"]) else frame


def add_column(frame):
    frame["region"] = "EMEA"
    return frame


def tell_size(frame):
    frame["region"] = str(len(frame))
    return frame


@whole_period
def tell_size_of_all(frame):
    return tell_size(frame)


def returns_nothing(frame):
    return None


def raises(frame):
    raise KeyError("no such thing")


def test_a_transform_keeps_decimals_exact_and_its_effect_is_told(bench, ledger, prepared):
    ledger.lines[0]["amount"] = Decimal("9007199254740993.01")
    plan = actuals(transform=f"{HERE}:double", crosswalks={"Cost Centre": CENTRES})
    done = prepared(plan)
    assert amounts(lines(bench, done))[("40100", "CC200")] == 2 * (Decimal("9007199254740993.01") + Decimal("-20.50"))
    assert Decimal(done.sum_book) == Decimal(done.sum_accepted) + Decimal(done.sum_left_out)
    assert list(done.left_out) == ["transform"]


def test_rows_that_a_transform_drops_are_left_out_by_rule(bench, prepared):
    done = prepared(actuals(transform=f"{HERE}:drop_sales", crosswalks={"Cost Centre": CENTRES}))
    assert (done.rows_book, done.rows_accepted, done.left_out) == (6, 4, {"transform": "2 rows -120.50"})


def test_a_transform_may_add_a_column(bench, prepared):
    columns = {**COLUMNS, "Region": Source("region")}
    group = ("Account", "Cost Centre", "Region", "Time")
    plan = actuals(columns=columns, group_by=group, transform=f"{HERE}:add_column", crosswalks={"Cost Centre": CENTRES})
    assert {row["Region"] for row in lines(bench, prepared(plan))} == {"EMEA"}


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        (f"{HERE}:to_float", SchemaDriftError, "made amount a float"),
        (f"{HERE}:returns_nothing", DataError, "returned a NoneType"),
        (f"{HERE}:raises", DataError, "failed: KeyError"),
        (f"{HERE}:too_fine", SchemaDriftError, "made amount what cannot be kept"),
        (f"{HERE}:missing", ConfigurationError, "cannot be imported"),
        ("no.such.module:function", ConfigurationError, "cannot be imported"),
        (f"{HERE}:HERE", ConfigurationError, "is no function"),
    ],
)
def test_a_transform_that_is_wrong_is_told_by_name(prepared, name, error, sentence):
    with pytest.raises(error, match=sentence):
        prepared(actuals(transform=name))


@pytest.mark.parametrize(("name", "sizes"), [("tell_size", {"2"}), ("tell_size_of_all", {"6"})])
def test_a_transform_gets_pieces_unless_it_asks_for_the_whole_period(bench, prepared, monkeypatch, name, sizes):
    monkeypatch.setattr(engine, "ROWS_AT_ONCE", 2)
    columns = {"id": Source("record_id"), "Size": Source("region")}
    plan = actuals(columns=columns, group_by=(), shape=Shape.RECORDS, transform=f"{HERE}:{name}")
    assert {row["Size"] for row in lines(bench, prepared(plan))} == sizes


def test_a_transform_that_changes_its_mind_about_columns_is_told(prepared, monkeypatch):
    monkeypatch.setattr(engine, "ROWS_AT_ONCE", 2)
    with pytest.raises(SchemaDriftError, match=r"returned the columns .* for some rows"):
        prepared(actuals(transform=f"{HERE}:renamed_later"))
