# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501  # one line per case of the table
"""A flag is one line item of one line of a view, compared as text."""

import pytest

from airflow_provider_mlconnector.errors import UnknownNameError
from airflow_provider_mlconnector.systems.anaplan.flags import Flag

VIEW = """\
Entity,Version,Time,Approved,Note
Larkfield,Budget,Nov 26,true,go
Larkfield,Budget,Dec 26,FALSE,
Larkfield,Forecast,Nov 26,true,
"""


@pytest.fixture
def view(tmp_path):
    path = tmp_path / "view.csv"
    path.write_text(VIEW, encoding="utf-8-sig")
    return path


def flag(*places, item="Approved", value="true"):
    return Flag("Plan Approvals", places, item, value)


NOVEMBER = {"Version": "Budget", "Time": "Nov 26"}
DECEMBER = {"Version": "Budget", "Time": "Dec 26"}


class OneView:
    """A model that has one view."""

    def __init__(self, path):
        self.path = path

    def resolve(self, kind, name):
        return self

    id = "107"

    def read_view(self, view_id, target):
        return self.path


def test_the_cells_are_read_in_the_order_of_the_lines_that_are_meant(view):
    assert flag(DECEMBER, NOVEMBER).texts(view) == ["FALSE", "true"]


def test_what_is_not_set_is_told_line_by_line(view):
    told = flag(NOVEMBER, DECEMBER).unset(OneView(view))
    assert told == "Approved of Plan Approvals is not yet true: Budget, Dec 26: FALSE."
    assert flag(DECEMBER, item="Note", value="go").unset(OneView(view)).endswith("Budget, Dec 26: nothing.")


@pytest.mark.parametrize(
    ("place", "item", "value"),
    [(NOVEMBER, "Approved", "TRUE"), (DECEMBER, "Approved", "false"), (NOVEMBER, "Note", " Go ")],
)
def test_a_flag_that_is_set_leaves_nothing_to_wait_for(view, place, item, value):
    assert flag(place, item=item, value=value).unset(OneView(view)) == ""


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (flag({"Zeit": "Nov 26"}), "no column 'Zeit'. Known: Approved, Entity, Note, Time, Version"),
        (flag(NOVEMBER, item="Agreed"), "no column 'Agreed'"),
        (flag({**NOVEMBER, "Time": "Jan 27"}), "no line of Budget, Jan 27: Time is never 'Jan 27'. Known: Dec 26, Nov 26"),
        (flag({"Time": "Nov 26"}), "2 lines of Nov 26. Say which, by all its dimensions"),
        (flag({}), "3 lines of the whole view"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_with_what_there_is(view, wrong, sentence):
    with pytest.raises(UnknownNameError, match=sentence):
        wrong.texts(view)


def test_a_flag_goes_through_json():
    made = flag(NOVEMBER, DECEMBER)
    assert Flag.from_json(made.to_json()) == made
