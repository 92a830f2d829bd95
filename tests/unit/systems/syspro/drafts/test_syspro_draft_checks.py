# SPDX-License-Identifier: Apache-2.0
"""All that is wrong with a plan's journals is told at once, before a person is asked, and nothing is changed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.finance.drafts import JournalLine
from airflow_provider_mlconnector.systems.syspro.connection import GlCode
from airflow_provider_mlconnector.systems.syspro.draft_options import Coding
from tests.unit.systems.syspro.drafts.desk import POST, emptied, journal


def line(number: int, account: str, amount: str, department: str = "ADM", text: str = "Rent") -> JournalLine:
    dimensions = (("DEPARTMENT", department),) if department else ()
    return JournalLine(number=number, account=account, dimensions=dimensions, amount=Decimal(amount), description=text)


def told(desk, *journals, **options):
    return {(one.line, one.subject): one.sentence for one in desk.drafting(**options).problems(journals)}


def test_a_journal_in_order_has_no_problems_and_the_check_posts_nothing(desk):
    assert told(desk, journal(part="fine"), emptied(journal(part="gone"))) == {}
    assert (desk.post_calls, desk.files()) == (0, [])
    assert desk.validations >= 1


def test_all_that_is_wrong_comes_in_one_report_with_line_and_subject(desk):
    blocked = next(one for one in desk.world.books.accounts if one.blocked)
    wrong = journal(
        part="wrong",
        period="FY2027-P01",
        description="Budget of Łódź",
        lines=(
            line(1, "99999", "1"),
            line(2, "60210", "2", "NOWHERE"),
            line(3, blocked.number, "3"),
            line(4, "RETAINED", "4", ""),
            line(5, "60210", "1000000000000"),
            line(6, "60210", "0.005"),
            line(7, "60210", "7", text="x" * 51),
            line(8, "60210", "8", "A.B"),
        ),
    )
    found = told(desk, wrong)
    assert found[1, "99999.ADM"] == "there is no such GL code"
    assert found[2, "60210.NOWHERE"] == "there is no such GL code"
    assert found[3, f"{blocked.number}.ADM"] == "the GL code is on hold"
    assert found[4, "RETAINED.000"] == "there is no such GL code"
    assert found[5, "1000000000000"].startswith("no amount")
    assert found[6, "0.005"].startswith("no amount")
    assert found[7, "x" * 51] == "the comment has 51 characters; there is room for 50"
    assert "separates segments" in found[8, "A.B"]
    assert found[None, wrong.key].startswith("debits and credits differ by 1000000000025.005")
    assert "'Łź'" in found[None, "Budget of Łódź"]
    assert desk.post_calls == 0


def test_what_only_the_business_object_knows_is_told_by_it_without_saying_anything_twice(desk):
    closed = journal("5", part="closed", period="FY2027-P01")
    assert told(desk, closed) == {(None, "1"): "GL period 1 of 2027 is closed"}
    unknown = journal(part="unknown", lines=(line(1, "99999", "1"), line(2, "60210", "-1")))
    assert told(desk, unknown) == {(1, "99999.ADM"): "there is no such GL code"}


def test_every_journal_is_checked_whatever_is_wrong_with_another(desk):
    keys = {
        one.key
        for one in desk.drafting().problems([journal("5", part=part, period="FY2027-P01") for part in ("a", "b")])
    }
    assert len(keys) == 2


def test_a_dimension_that_is_no_segment_and_a_control_character_are_told(desk):
    strange = JournalLine(
        number=1, account="60210", dimensions=(("PROJECT", "P100"),), amount=Decimal(1), description="a\tb"
    )
    found = told(desk, journal(part="strange", lines=(strange, line(2, "60210", "-1"))))
    assert found[1, "PROJECT"] == "GL codes have no such segment; they have DEPARTMENT"
    assert "Windows-1252" in found[1, "a\tb"]


@pytest.mark.parametrize("lines", [20, 200])
def test_a_journal_that_one_request_cannot_carry_is_told_with_the_lines_that_fit(desk, lines):
    found = told(desk, journal(*["1"] * lines, part="long"), **POST)
    assert bool(found) is (lines == 200)
    for (number, subject), sentence in found.items():
        assert (number, subject) == (None, "201 lines")
        fits = int(sentence.partition("'journal' be ")[2].partition(" ")[0])
        assert told(desk, journal(*["1"] * (fits - 1), part="shorter"), **POST) == {}


def test_an_object_that_is_not_there_is_a_problem_and_a_check_can_be_left_out(desk):
    (sentence,) = told(desk, journal(part="object"), object="GENXXX").values()
    assert "cannot be loaded" in sentence
    before = desk.validations
    assert told(desk, journal(part="object", period="FY2027-P01"), object="GENXXX", validate="no") == {}
    assert desk.validations == before


def test_a_service_that_does_not_filter_references_is_a_problem(desk):
    desk.site.switches.unfilterable = ("Reference",)
    (sentence,) = told(desk, journal(part="unfilterable")).values()
    assert "does not filter entries by Reference" in sentence


def test_holds_that_the_service_does_not_show_are_left_to_the_business_object(desk):
    desk.site.switches.dropped_fields = ("AccOnHldFlag",)
    blocked = next(one for one in desk.world.books.accounts if one.blocked)
    held = journal(part="held", lines=(line(1, blocked.number, "1"), line(2, "60210", "-1")))
    code = f"{blocked.number}.ADM"
    assert told(desk, held) == {(1, code): f"GL code '{code}' is on hold"}


def test_segments_that_a_line_leaves_open_take_the_flows_value_or_are_left_out():
    bare = line(1, "60210", "1", "")
    assert Coding(GlCode(), {"DEPARTMENT": "000"}).code(bare) == "60210.000"
    assert Coding(GlCode()).code(bare) == "60210"
    assert Coding(GlCode("ACCOUNT")).code(bare) == "60210"
    three = Coding(GlCode("ACCOUNT-BRANCH-DEPARTMENT"), {"BRANCH": "1"})
    assert three.code(line(1, "60210", "1")) == "60210-1-ADM"
    assert three.split("60210-1-ADM") == ("60210", (("BRANCH", "1"), ("DEPARTMENT", "ADM")))
