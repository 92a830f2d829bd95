# SPDX-License-Identifier: Apache-2.0
"""A plan's journals in SYSPRO: as files for a person, told to a workflow, or posted where the flow says so."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    ConfigurationError,
    LostAnswerError,
    PostedError,
    ProtocolError,
)
from airflow_provider_mlconnector.systems.drafting import DraftState, stands
from airflow_provider_mlconnector.systems.syspro.calls import LONGEST_QUERY
from airflow_provider_mlconnector.systems.syspro.draft_options import read_options
from airflow_provider_mlconnector.systems.syspro.hand_over import LocalShelf
from airflow_provider_mlconnector.systems.syspro.opening import open_drafts
from tests.unit.systems.http.scripted_server import FakeClock, Reply, in_turn, serving
from tests.unit.systems.syspro.drafts.desk import PERIOD, POST, READ_TIMEOUT, SECRET, emptied, journal, posted

TEMPLATE = """<PostGlJournal><Item><JournalDate>{date}</JournalDate><GlYear>{year}</GlYear><GlPeriod>{period}</GlPeriod>
<JournalLine repeat="line"><LedgerCode>{code}</LedgerCode><Amount>{absolute}</Amount><DebitCredit>{side}</DebitCredit>
<Reference>{key}</Reference></JournalLine></Item></PostGlJournal>"""


def test_a_journal_becomes_a_file_that_a_person_can_post_and_nothing_is_posted(desk):
    wanted = journal(part="file")
    assert desk.write(wanted) == [f"write {wanted.key}.xml"]
    draft = desk.drafting().find(wanted)
    assert (draft.state, draft.lines, draft.number) == (
        DraftState.DRAFT,
        wanted.lines,
        str(desk.folder / f"{wanted.key}.xml"),
    )
    assert stands(wanted, draft)
    assert 'encoding="Windows-1252"' in desk.file(wanted)
    assert "Miete für 1" in desk.file(wanted)
    assert desk.files() == [f"{wanted.key}.xml"]
    assert (desk.post_calls, desk.entries(wanted)) == (0, [])


def test_a_second_run_of_the_same_version_writes_nothing(desk):
    wanted = journal(part="same")
    desk.write(wanted)
    assert desk.write(wanted) == []


def test_a_changed_journal_replaces_its_file_and_one_that_is_gone_takes_it_away(desk):
    old, new = journal("1", part="changed"), journal("2", part="changed")
    desk.write(old)
    found = desk.drafting().find(new)
    assert (found.state, found.complete) == (DraftState.DRAFT, False)
    assert len(desk.write(new)) == 1
    assert "<EntryValue>2</EntryValue>" in desk.file(new)
    assert desk.write(emptied(new)) == [f"remove {new.key}.xml"]
    assert desk.write(emptied(new)) == []
    assert desk.files() == []
    assert desk.drafting().find(new).state is DraftState.MISSING


def test_a_file_that_a_person_changed_is_not_the_journal_and_is_put_right(desk):
    wanted = journal(part="edited")
    desk.write(wanted)
    (desk.folder / f"{wanted.key}.xml").write_text("half of i")
    assert not stands(wanted, desk.drafting().find(wanted))
    desk.write(wanted)
    assert stands(wanted, desk.drafting().find(wanted))


def test_what_a_person_posted_is_theirs_and_is_known_by_its_key(desk):
    wanted = journal(part="by hand")
    desk.write(wanted)
    desk.post_by_hand(wanted)
    draft = desk.drafting().find(wanted)
    assert (draft.state, draft.complete) == (DraftState.POSTED, True)
    assert draft.number.startswith("2027/5/")
    assert stands(wanted, draft)
    assert desk.drafting().steps(journal("7", part="by hand")) == []
    assert not stands(journal("7", part="by hand"), desk.drafting().find(journal("7", part="by hand")))
    assert desk.drafting().find(emptied(wanted)).state is DraftState.POSTED


def test_where_the_flow_says_so_a_journal_is_checked_and_posted_once(desk):
    wanted = journal(part="posted")
    assert desk.write(wanted, **POST) == [f"post {wanted.key} through GENTJL"]
    assert desk.entries(wanted) == posted(wanted)
    assert stands(wanted, desk.drafting(**POST).find(wanted))
    assert desk.write(wanted, **POST) == []
    assert (desk.validations, desk.post_calls) == (1, 1)
    assert desk.files() == []


def test_a_template_of_the_site_names_its_elements(desk, tmp_path):
    (tmp_path / "site.xml").write_text(TEMPLATE)
    wanted = journal("5", part="template")
    desk.write(wanted, **POST, template=str(tmp_path / "site.xml"))
    assert [row[1:4] for row in desk.entries(wanted)] == [row[1:4] for row in posted(wanted)]


def test_a_session_that_was_lost_is_begun_anew_and_every_session_is_logged_off(desk):
    wanted, drafting = journal(part="session"), desk.drafting(**POST)
    (step,) = drafting.steps(wanted)
    desk.site.sessions.clear()
    with pytest.raises(Exception, match="SYSPRO refuses the call"):
        step.do()
    (step,) = drafting.steps(wanted)
    step.do()
    assert desk.entries(wanted) == posted(wanted)
    assert desk.sessions == 1
    drafting.close()
    assert desk.sessions == 0


def test_a_refusal_in_an_answer_of_200_is_an_error_and_posts_nothing(desk):
    wanted = journal("5", part="refused", period="FY2027-P01")
    with pytest.raises(BadRequestError, match="GL period 1 of 2027 is closed"):
        desk.drafting(**POST).steps(wanted)
    assert desk.post_calls == 0
    with pytest.raises(BadRequestError, match="cannot be loaded"):
        desk.write(journal("5", part="object"), **POST, object="GENXXX")


def test_what_is_refused_after_the_check_was_passed_is_an_error_and_posts_nothing(desk):
    wanted = journal("5", part="closed meanwhile")
    (step,) = desk.drafting(**POST).steps(wanted)
    desk.world.books.close_period(PERIOD)
    try:
        with pytest.raises(BadRequestError, match="GL period 5 of 2027 is closed"):
            step.do()
    finally:
        desk.world.books.reopen_period(PERIOD)
    assert desk.entries(wanted) == []


@pytest.mark.parametrize("said", ["", "<postgljournal/>", "<html>busy", "<!DOCTYPE a><postgljournal/>"])
def test_an_answer_that_tells_of_neither_leaves_open_what_happened(desk, said):
    (step,) = desk.drafting(**POST).steps(journal("5", part="strange answer"))
    desk.fault("status", status=200, body=said)
    with pytest.raises(ProtocolError):
        step.do()


def test_a_posted_journal_that_does_not_show_counts_as_lost(desk):
    wanted, clock = journal("5", part="hidden"), FakeClock()
    (step,) = desk.drafting(clock=clock, **POST).steps(wanted)
    following = len(list(desk.world.books.lines())) // 25
    desk.site.switches.in_flight = tuple(range(following - 1, following + 4))
    with pytest.raises(LostAnswerError, match="which is not seen yet"):
        step.do()
    assert clock.monotonic() >= 60
    desk.site.switches.in_flight = ()
    assert desk.drafting(**POST).steps(wanted) == []


def test_a_workflow_is_told_once_with_a_signature_and_the_key(desk):
    wanted = journal(part="workflow")
    with serving(in_turn(Reply(202))) as server:
        assert desk.write(wanted, webhook=f"{server.url}/hook") == [f"hand {wanted.key} to the workflow"]
        (request,) = server.requests
        assert request.path == "/hook"
        assert request.headers["idempotency-key"] == wanted.key
        expected = hmac.new(SECRET, request.body, hashlib.sha256).hexdigest()
        assert request.headers["x-mlconnector-signature"] == f"sha256={expected}"
        body = json.loads(request.body)
        assert (body["company"], body["journal"]["key"]) == ("L", wanted.key)
        assert "<JournalLine>" in body["document"]
        drafting = desk.drafting(webhook=f"{server.url}/hook")
        assert stands(wanted, drafting.find(wanted))
        assert drafting.steps(wanted) == []
        for other in (journal("9", part="workflow"), emptied(wanted)):
            with pytest.raises(PostedError, match="was handed document"):
                drafting.steps(other)
        assert drafting.steps(emptied(journal(part="never"))) == []
        assert len(server.requests) == 1


@pytest.mark.parametrize("reply", [Reply(500), Reply(silent=True), Reply(400)])
def test_what_a_workflow_did_not_accept_is_not_noted(desk, reply):
    wanted = journal(part="refused workflow")
    with serving(in_turn(reply, Reply(200))) as server:
        drafting = desk.drafting(webhook=f"{server.url}/hook")
        (step,) = drafting.steps(wanted)
        with pytest.raises(Exception, match="POST /hook"):
            step.do()
        assert drafting.find(wanted).state is DraftState.MISSING
        drafting.steps(wanted)[0].do()
        assert stands(wanted, drafting.find(wanted))
        assert {request.headers["idempotency-key"] for request in server.requests} == {wanted.key}


def test_requests_are_waited_for_as_long_as_they_may_take(desk):
    assert desk.drafting().settle == 0
    assert desk.drafting(**POST).settle == 10 + READ_TIMEOUT + 15
    assert LONGEST_QUERY < 16_000


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({}, "does not say where"),
        ({"webhook": "https://flow.example.com"}, "does not say where"),
        ({"post": "yes", "folder": "/plans"}, "not both"),
        ({"post": "yes", "validate": "no"}, "has to be checked"),
        ({"post": "perhaps"}, "neither yes nor no"),
        ({"folder": "/plans", "segments": "DEPARTMENT"}, "no segment with a value"),
        ({"folder": "/plans", "template": "/nowhere.xml"}, "cannot be read"),
    ],
)
def test_options_that_say_nothing_clear_are_refused(told, match):
    with pytest.raises(ConfigurationError, match=match):
        read_options(told)


@pytest.mark.parametrize("told", [{}, {"webhook": "https://flow.example.com/hook"}])
def test_what_is_to_be_handed_over_is_never_posted_instead(desk, told, tmp_path):
    options = read_options({"folder": "/plans", **told})
    shelf = LocalShelf(tmp_path) if told else None
    api, wire = desk.connected(FakeClock())
    with pytest.raises(ConfigurationError, match="was not opened"):
        open_drafts(api, wire, options, shelf=shelf)
