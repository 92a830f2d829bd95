# SPDX-License-Identifier: Apache-2.0
"""Dimensions of a line: from its JSON column in the spellings that there are, and from its display value."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.systems.dynamics_fo.connection import (
    DimensionSource,
    DisplayFormat,
    FinanceOperationsConnection,
)
from airflow_provider_mlconnector.systems.dynamics_fo.dimensions import DELIMITERS, Dimensions, split
from airflow_provider_mlconnector.systems.dynamics_fo.resources import LINES
from tests.unit.pipeline.profiles import of_the_suite


class Api:
    """As much of an environment as dimensions ask for: nothing."""

    def __init__(self, source, display=None):
        self.connection = FinanceOperationsConnection(
            environment_url="https://x.operations.dynamics.com",
            tenant="t",
            company="usmf",
            credential=None,
            dimensions=source,
            display_format=display,
        )


def read(texts, codes, *, delimiter=None, segments=("MainAccount", "Department", "Project")):
    display = DisplayFormat(segments, delimiter) if delimiter else None
    dimensions = Dimensions(Api(DimensionSource.DISPLAY if display else DimensionSource.JSON, display), LINES, codes)
    rows = pa.record_batch({dimensions.field.name: pa.array(texts, pa.string())})
    return {code: column.to_pylist() for code, column in dimensions.columns(rows).items()}


@pytest.mark.parametrize(
    ("text", "department"),
    [
        ('[{"MAINACCOUNT":"110110","DEPARTMENT":"022"}]', "022"),
        ("[{'MAINACCOUNT':'110110','DEPARTMENT':'022'}]", "022"),
        ('{"Department":"022"}', "022"),
        ('[{"DEPARTMENT":"O\'Neil \\"two\\""}]', 'O\'Neil "two"'),
        ('[{"MAINACCOUNT":"110110"}]', ""),
        ('[{"DEPARTMENT":null}]', ""),
        ("", ""),
        ("[]", ""),
        ("no json", None),
        ("[1]", None),
        ("__import__('os')", None),
    ],
)
def test_the_json_column_is_read_in_all_its_spellings(text, department):
    assert read([text], ["Department"]) == {"Department": [department]}


@pytest.mark.parametrize(
    ("text", "department", "project"),
    [
        ("40100-SALES-P1", "SALES", "P1"),
        ("40100--", "", ""),
        ("40100-SALES", "SALES", ""),
        ("40100", "", ""),
        (r"6\-100-DAT\-0001-P\\1", "DAT-0001", "P\\1"),
        ("40100-SALES-P1-X", None, None),
    ],
    ids=["whole", "blank", "short", "account alone", "escaped", "more than the format has"],
)
def test_a_display_value_is_read_by_the_format(text, department, project):
    read_ = read([text], ["DEPARTMENT", "PROJECT"], delimiter="-")
    assert read_ == {"DEPARTMENT": [department], "PROJECT": [project]}


def test_segments_are_told_by_name_and_never_by_place():
    told = read(["P1|40100|SALES"], ["department"], delimiter="|", segments=("Project", "MainAccount", "Department"))
    assert told == {"department": ["SALES"]}


@of_the_suite(examples=60, deep=2000)
@given(
    segments=st.lists(st.text(alphabet="ab-.|~_\\ é", max_size=5), min_size=1, max_size=4),
    delimiter=st.sampled_from(sorted(DELIMITERS.values())),
)
def test_what_was_joined_with_backslashes_is_split_as_it_was(segments, delimiter):
    def escaped(text):
        return text.replace("\\", "\\\\").replace(delimiter[0], f"\\{delimiter[0]}")

    assert split(delimiter.join(map(escaped, segments)), delimiter) == segments
