# SPDX-License-Identifier: Apache-2.0
"""Code books: which rule decides, and which files are refused."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.crosswalk_file import load_crosswalk

TODAY = date(2026, 11, 20)

BOOK = """\
code,member,match,until,valid_from,valid_to,comment
6100,CC-EXACT,,,,,
61,CC-61,prefix,,,,
6,CC-6,prefix,,,,
7000,CC-RANGE,range,7999,,,
,NONE,,,,,blank
,OTHER,default,,,,
"""


def book(tmp_path, text, name="codes.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("code", "member", "kind"),
    [
        ("6100", "CC-EXACT", MatchKind.EXACT),
        ("6199", "CC-61", MatchKind.PREFIX),
        ("6299", "CC-6", MatchKind.PREFIX),
        ("7000", "CC-RANGE", MatchKind.RANGE),
        ("7999", "CC-RANGE", MatchKind.RANGE),
        ("8000", "OTHER", MatchKind.DEFAULT),
        ("75", "OTHER", MatchKind.DEFAULT),  # not as long as the bounds of the range
        ("", "NONE", MatchKind.EXACT),
        (None, "NONE", MatchKind.EXACT),
    ],
)
def test_the_most_exact_rule_decides(tmp_path, code, member, kind):
    hit = load_crosswalk(book(tmp_path, BOOK)).lookup(code, TODAY)
    assert (hit.member, hit.rule.kind) == (member, kind)


def test_a_code_without_a_rule_has_no_member(tmp_path):
    codes = load_crosswalk(book(tmp_path, "code,member\nADM,CC100\n"))
    assert codes.lookup("XYZ", TODAY) is None
    assert codes.lookup(None, TODAY) is None


def test_a_rule_holds_on_its_first_and_its_last_day(tmp_path):
    codes = load_crosswalk(
        book(tmp_path, "code,member,valid_from,valid_to\nA,OLD,,2026-06-30\nA,NEW,2026-07-01,2026-12-31\n")
    )
    days = [date(2020, 1, 1), date(2026, 6, 30), date(2026, 7, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [hit and hit.member for hit in (codes.lookup("A", day) for day in days)] == [
        "OLD",
        "OLD",
        "NEW",
        "NEW",
        None,
    ]


def test_an_expired_exact_rule_leaves_the_code_to_the_next_kind(tmp_path):
    codes = load_crosswalk(book(tmp_path, "code,member,match,valid_to\nA1,EXACT,,2026-06-30\nA,PREFIX,prefix,\n"))
    assert codes.lookup("A1", TODAY).member == "PREFIX"


def test_yaml_says_the_same_as_csv(tmp_path):
    yaml = """\
- {code: 6100, member: CC-EXACT}
- {code: "61", member: CC-61, match: prefix}
- {code: 6, member: CC-6, match: prefix}
- {code: 7000, until: 7999, member: CC-RANGE, match: range}
- {code: "", member: NONE}
- {member: OTHER, match: default}
"""
    from_csv, from_yaml = load_crosswalk(book(tmp_path, BOOK)), load_crosswalk(book(tmp_path, yaml, "codes.yaml"))
    assert from_csv.digest == from_yaml.digest
    assert from_yaml.members == {"CC-EXACT", "CC-61", "CC-6", "CC-RANGE", "NONE", "OTHER"}


def test_leading_zeros_of_codes_are_kept_in_yaml(tmp_path):
    codes = load_crosswalk(book(tmp_path, "- {code: 0100, member: 0200}\n", "codes.yaml"))
    assert codes.lookup("0100", TODAY).member == "0200"


def test_the_digest_is_of_the_meaning_not_of_the_text(tmp_path):
    first = load_crosswalk(book(tmp_path, "code,member,comment\nA,X,\nB,Y,\n"))
    second = load_crosswalk(book(tmp_path, "member,code\nY,B\n\nX,A\n", "other.csv"))
    third = load_crosswalk(book(tmp_path, "code,member\nA,X\nB,Z\n", "third.csv"))
    assert first.digest == second.digest
    assert first.digest != third.digest


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("code,member\nA,X\nB,Y\nA,Z\n", 4, "code 'A' is 'Z' .line 4. meets code 'A' is 'X' .line 2."),
        ("code,member,match\nA,X,prefix\nA,Y,prefix\n", 3, "prefix 'A'"),
        ("code,member,match,until\n10,X,range,20\n15,Y,range,30\n", 3, "range '15' to '30'"),
        ("code,member,match,until\n10,X,range,90\n15,Y,range,20\n30,Z,range,40\n", 3, "range '15' to '20'"),
        ("code,member,match\n,X,default\n,Y,default\n", 3, "default"),
        ("code,member,valid_to\nA,X,2026-06-30\nA,Y,\n", 3, "meets"),
        ("code,member,valid_from,valid_to\nA,X,2026-07-01,2026-06-30\n", 2, "is after valid_to"),
        ("code,member,valid_from\nA,X,30.6.2026\n", 2, "'30.6.2026' is not a day; write it like 2026-11-30"),
        ("code,member,match\nA,X,regex\n", 2, "unknown match 'regex'; allowed are exact, prefix, range, default"),
        ("code,member\nA,\n", 2, "the member is missing"),
        ("code,member\nA\n", 2, "1 fields under a header of 2"),
        ("code,membr\nA,X\n", 1, "unknown column 'membr'; allowed are code, member"),
        ("code\nA\n", 1, "the column 'member' is missing"),
        ("code,code,member\nA,B,C\n", 1, "a column stands twice"),
        ("", 1, "the column 'code' is missing"),
        ("code,member,match\n,X,prefix\n", 2, "a prefix is missing"),
        ("code,member,match\nA,X,default\n", 2, "the default has no code"),
        ("code,member,match,until\n10,X,range,9\n", 2, "of one length"),
        ("code,member,match,until\n20,X,range,10\n", 2, "is empty"),
        ("code,member,until\n20,X,30\n", 2, "'until' belongs to a range"),
        ('code,member\n"A,X\n', 2, "this is not CSV"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, line, sentence):
    file = book(tmp_path, text)
    with pytest.raises(FlowError, match=sentence) as caught:
        load_crosswalk(file)
    assert caught.value.where.endswith(f"codes.csv:{line}")


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("code: A\nmember: X\n", 1, "a code book is a list"),
        ("- {code: A, member: X}\n- A\n", 2, "a line of a code book is a mapping"),
        ("- {code: A, member: X}\n- {member: Y}\n", 2, "the column 'code' is missing"),
        ("- {code: A, member: X}\n- {code: B, membr: X}\n", 2, "unknown column 'membr'"),
    ],
)
def test_a_wrong_entry_of_a_yaml_book_is_named(tmp_path, text, line, sentence):
    with pytest.raises(FlowError, match=sentence) as caught:
        load_crosswalk(book(tmp_path, text, "codes.yaml"))
    assert caught.value.where.endswith(f"codes.yaml:{line}")


def test_a_missing_or_foreign_file_is_told(tmp_path):
    with pytest.raises(FlowError, match="cannot be read"):
        load_crosswalk(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("code,member\nÜ,X\n".encode("latin-1"))
    with pytest.raises(FlowError, match="cannot be read"):
        load_crosswalk(tmp_path / "latin.csv")


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    file = tmp_path / "excel.csv"
    file.write_bytes(b"\xef\xbb\xbfcode,member\r\nA,X\r\n")
    assert load_crosswalk(file).lookup("A", TODAY).member == "X"


codes = st.text("012", min_size=1, max_size=3)
rules = st.one_of(
    st.builds(lambda code, member: Rule(MatchKind.EXACT, code, member), codes, st.sampled_from("XYZ")),
    st.builds(lambda code, member: Rule(MatchKind.PREFIX, code, member), codes, st.sampled_from("XYZ")),
    st.builds(
        lambda a, b, member: Rule(MatchKind.RANGE, min(a, b), member, until=max(a, b)),
        st.text("012", min_size=2, max_size=2),
        st.text("012", min_size=2, max_size=2),
        st.sampled_from("XYZ"),
    ),
)


@given(st.lists(rules, max_size=6), codes, st.randoms())
def test_the_order_of_the_lines_means_nothing(some, code, random):
    try:
        straight = crosswalk("a", some)
    except FlowError:
        assume(False)
    shuffled = list(some)
    random.shuffle(shuffled)
    hit, other = straight.lookup(code, TODAY), crosswalk("a", shuffled).lookup(code, TODAY)
    assert (hit and hit.member) == (other and other.member)
    first = next((rule for rule in straight.rules if rule.covers(code, TODAY)), None)
    assert (first and first.member) == (hit and hit.member), "lookup is the first rule that covers"


@given(st.lists(rules, max_size=6), codes)
def test_no_two_rules_of_one_kind_cover_one_code(some, code):
    try:
        accepted = crosswalk("a", some)
    except FlowError:
        return
    for kind in (MatchKind.EXACT, MatchKind.RANGE):
        assert sum(rule.kind is kind and rule.covers(code, TODAY) for rule in accepted.rules) <= 1
