# SPDX-License-Identifier: Apache-2.0
"""The XML that a journal becomes, and the answers of business objects, in whatever case they are written."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest

from airflow_provider_mlconnector.errors import BadRequestError, ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.syspro.connection import GlCode
from airflow_provider_mlconnector.systems.syspro.documents import parameters, unfit
from airflow_provider_mlconnector.systems.syspro.draft_options import Coding
from airflow_provider_mlconnector.systems.syspro.enet import unwrapped
from airflow_provider_mlconnector.systems.syspro.journal_xml import Template
from airflow_provider_mlconnector.systems.syspro.posting_answers import Refusal, read_answer
from tests.unit.systems.syspro.drafts.desk import journal

CODING = Coding(GlCode(), {"DEPARTMENT": "000"})
LINE = '<L repeat="line">{key}</L>'


def filled(template: Template, one) -> ElementTree.Element:
    text = template.fill(one, "L", CODING.code)
    assert text.encode("cp1252").decode("cp1252") == text
    return ElementTree.fromstring(text.partition("?>")[2])


def test_braces_in_a_description_are_no_words_of_the_template():
    one = journal("5", description="Budget {final}")
    assert filled(Template(), one).findtext("Item/Notation") == "Budget {final}"
    line = msgspec.structs.replace(one.lines[0], description="{x}")
    root = filled(Template(), msgspec.structs.replace(one, lines=(line, *one.lines[1:])))
    assert root.findtext("Item/JournalLine/Comment") == "{x}"


def test_the_usual_document_names_the_period_and_carries_the_key_on_every_line():
    one = journal("5", "-6.10")
    root = filled(Template(), one)
    assert [child.tag for child in root[0]][:5] == ["JournalDate", "GlYear", "GlPeriod", "Reference", "Notation"]
    assert [root[0].findtext(name) for name in ("JournalDate", "GlYear", "GlPeriod")] == ["2026-11-30", "2027", "5"]
    lines = root.findall("Item/JournalLine")
    assert [(line.findtext("GlCode"), line.findtext("EntryValue")) for line in lines] == [
        ("60210.PROD", "5"),
        ("60210.ADM", "-6.10"),
        ("20400.000", "1.10"),
    ]
    assert {line.findtext("Reference") for line in lines} == {one.key}
    assert all(not line.attrib for line in lines)


def test_texts_are_escaped_and_braces_in_them_mean_nothing():
    root = filled(Template(), journal("5", description="<Bees> & {amount}"))
    assert root[0].findtext("Notation") == "<Bees> & {amount}"


def test_a_template_may_write_sides_and_number_its_lines():
    text = '<A><B><L repeat="line"><N>{number}</N><S>{side} {absolute}</S><R>{key}</R></L></B><C>{company}</C></A>'
    root = filled(Template(text), journal("5"))
    assert [(one.findtext("N"), one.findtext("S")) for one in root.iter("L")] == [("1", "D 5"), ("2", "C 5")]
    assert root.findtext("C") == "L"
    assert Template(text).root == "A"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<A>", "no XML"),
        ("<A/>", "0 elements"),
        (f"<A>{LINE}{LINE}</A>", "2 elements"),
        ('<A><L repeat="line">{code}</L></A>', "do not carry"),
        (f"<A>{LINE}<B>{{amount}}</B></A>", "names amount"),
        (f"<A>{LINE}<B>{{colour}}</B></A>", "names colour"),
        (f'<!DOCTYPE A [<!ENTITY x "y">]><A>{LINE}</A>', "entities of its own"),
        (f"<A>{LINE}<B>Łódź</B></A>", "Windows-1252"),
    ],
)
def test_a_template_that_says_something_else_is_refused(text, told):
    with pytest.raises(ConfigurationError, match=told):
        Template(text)


def test_what_windows_1252_has_no_place_for_is_named_once():
    assert unfit("Łódź, Łódź\t") == "Łź\t"
    assert unfit("Miete für 5 € – „Büro“") == ""


def test_parameters_post_a_journal_whole_or_not_at_all():
    text = parameters("PostGlJournal", validate_only=True)
    assert "<ApplyIfEntireDocumentValid>Y<" in text
    assert "<IgnoreWarnings>N<" in text
    assert "<ValidateOnly>Y<" in text
    assert "<ValidateOnly>N<" in parameters("PostGlJournal", validate_only=False)


def status(**counts: int) -> str:
    inner = "".join(f"<{name}>{value:06}</{name}>" for name, value in counts.items())
    return f"<StatusOfItems>{inner}</StatusOfItems>"


def test_an_answer_tells_its_journal_whatever_the_case():
    item = "<ITEM><Key><GLJOURNAL>  123 </GLJOURNAL></Key></ITEM>"
    head = "<?xml version='1.0' encoding='Windows-1252'?>"
    answer = read_answer(f"{head}<postgljournal>{item}{status(ItemsProcessed=1)}</postgljournal>")
    assert (answer.number, answer.processed, answer.refusals) == ("123", 1, ())


@pytest.mark.parametrize(
    ("inner", "refusal"),
    [
        (
            "<GlCode><Value>1</Value><ErrorNumber>7</ErrorNumber><ErrorDescription>lost</ErrorDescription></GlCode>",
            Refusal("glcode", "1", "lost"),
        ),
        ("<glcode><value>1</value><errornumber>7</errornumber></glcode>", Refusal("glcode", "1", "error 7")),
        (
            "<Reference><Value>x</Value><WarningDescription>used before</WarningDescription></Reference>",
            Refusal("reference", "x", "used before"),
        ),
        (status(ItemsInvalid=2), Refusal("", "", "2 items are refused, and no reason is told")),
        (
            status(ItemsProcessed=0, ItemsRejectedWithWarnings=1),
            Refusal("", "", "1 items are refused, and no reason is told"),
        ),
    ],
)
def test_any_error_warning_or_counter_refuses(inner, refusal):
    assert read_answer(f"<postgljournal>{inner}</postgljournal>").refusals == (refusal,)


def test_a_text_is_a_refusal_of_the_call_and_anything_else_is_no_answer():
    with pytest.raises(BadRequestError, match="refuses the call: No seat"):
        read_answer("ERROR: No seat.")
    for text in ("", "<html>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
        with pytest.raises(ProtocolError):
            read_answer(text)


def test_hosts_may_wrap_an_answer_into_an_element_or_a_json_string():
    assert unwrapped('<string xmlns="urn:x">&lt;a&gt;5 &amp;amp; 6&lt;/a&gt;</string>') == "<a>5 &amp; 6</a>"
    assert unwrapped('"<a>\\"</a>"') == '<a>"</a>'
    assert unwrapped("<a/>\r\n") == "<a/>"
