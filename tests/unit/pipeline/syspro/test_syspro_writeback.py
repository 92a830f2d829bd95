# SPDX-License-Identifier: Apache-2.0
"""Approved journals reach SYSPRO exactly once, whatever happens between two requests: posted, or handed to a person.

The write step itself works here, over HTTP, on a real trail. The server posts whatever it is sent, as often as it is
sent, so that only what the step does keeps it from posting a journal twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import MlconnectorError, PostedError
from airflow_provider_mlconnector.finance.drafts import Journal, Payload
from airflow_provider_mlconnector.pipeline.writeback import verify
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.drafting import DraftState, stands
from airflow_provider_mlconnector.systems.syspro import hand_over
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from tests.clocks import QuickClock
from tests.unit.pipeline.plan.interrupting import LATER, LOSSES, Killed, killed, payload
from tests.unit.pipeline.plan.interrupting import write as write_as_task
from tests.unit.pipeline.support import FLOW
from tests.unit.systems.http.scripted_server import Reply, in_turn, serving
from tests.unit.systems.syspro.drafts.desk import PERIOD, POST, Desk, journal, posted

POSTING = 5
"""Number of the request that posts a journal, counted from 0, looks and logon included; a test sees to it."""


@pytest.fixture(scope="module")
def sandbox():
    with serve(["syspro"], scale=0.02) as running:
        yield running


@pytest.fixture
def clock(sandbox):
    return QuickClock(sandbox.world)


@pytest.fixture
def desk(sandbox, tmp_path) -> Iterator[Desk]:
    made = Desk(sandbox, tmp_path / "plans")
    yield made
    made.clear()


@pytest.fixture
def small(request) -> Journal:
    """A journal of its own for each test, since what is posted stays."""
    return journal("5", part=request.node.name)


@pytest.fixture
def write(bench, desk, new_run, clock):
    """Write journals as a new process; it logs off unless it is killed."""
    run = new_run()

    def go(*journals: Journal, **told: str):
        return write_as_task(bench, desk.drafting(clock=clock, **told), approved(*journals), run.run_id)

    go.run_id = run.run_id
    return go


def approved(*journals: Journal) -> Payload:
    return payload("L", "BUDGET", PERIOD, *journals)


def last_part(method: str, url: str, more: dict[str, Any]) -> str:
    """Return what a request is known by: the last part of its path."""
    return url.partition("?")[0].rpartition("/")[2]


def check(bench, desk, wanted: Journal) -> None:
    """See that the books hold the journal once, whatever was still on its way, and that nothing is left open."""
    desk.world.clock.advance(3600)
    assert stands(wanted, desk.drafting(**POST).find(wanted))
    assert desk.entries(wanted) == posted(wanted)
    assert all(row.intent is None for row in Documents(bench.trail.engine).of_flow(FLOW, PERIOD))


def test_a_journal_is_posted_once_and_the_same_again_posts_nothing(bench, desk, write, small):
    with killed(last_part, at=1000) as sent:
        assert [(one.state, one.written) for one in write(small, **POST)] == [(DocumentState.DRAFTED, True)]
    assert sent[POSTING] == "Post"
    check(bench, desk, small)
    assert [(one.state, one.written) for one in write(small, **POST)] == [(DocumentState.POSTED, False)]
    assert desk.post_calls == 1
    verified = verify(bench, approved(small), desk.drafting(**POST), run_id=write.run_id)
    assert [one.state for one in verified] == [DocumentState.POSTED]
    check(bench, desk, small)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_answer_to_the_posting_may_be_lost(bench, desk, write, small, loss):
    kind, seconds = LOSSES[loss]
    fault = desk.fault(kind, seconds=seconds)
    write(small, **POST)
    assert desk.world.faults.hits(fault) == 1
    check(bench, desk, small)
    assert desk.post_calls == 1


def test_a_worker_may_die_while_the_server_still_has_its_posting(bench, desk, write, small):
    desk.fault("late", seconds=LATER)
    with killed(last_part, at=POSTING, after=True):
        write(small, **POST)
    assert desk.entries(small) == []
    write(small, **POST)
    assert desk.post_calls == 1
    check(bench, desk, small)


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_fails_after_it_posted_posts_once(bench, desk, write, small, status):
    desk.fault("lost_answer")
    desk.fault("status", "(?s)Transaction/Post.*<ValidateOnly>Y", status=status)
    write(small, **POST)
    assert desk.post_calls == 1
    check(bench, desk, small)


@pytest.mark.parametrize("call", ["Logon", "(?s)Transaction/Post.*<ValidateOnly>Y", "GenJournalDetail"])
def test_answers_to_what_posts_nothing_may_be_lost_too(bench, desk, write, small, call):
    desk.fault("lost_answer", call)
    try:
        write(small, **POST)
    except MlconnectorError:
        write(small, **POST)  # a later try of the task
    assert desk.post_calls == 1
    check(bench, desk, small)


def test_a_posted_journal_is_not_changed_nor_taken_away(desk, write, small):
    write(small, **POST)
    changed = journal("7", part="another", key=small.key)
    for others in ([changed], []):
        with pytest.raises(PostedError, match=small.key):
            write(*others, **POST)
    assert desk.post_calls == 1
    assert desk.entries(small) == posted(small)


def test_files_are_written_replaced_and_taken_away_and_nothing_is_posted(bench, desk, write):
    first, second = journal("5", part="f1"), journal("6", part="f2")
    assert [one.written for one in write(first, second)] == [True, True]
    assert [one.written for one in write(first, second)] == [False, False]
    changed = journal("7", part="f1")
    states = [(one.state, one.written) for one in write(changed)]
    assert states == [(DocumentState.REMOVED, True), (DocumentState.DRAFTED, True)]
    assert desk.files() == [f"{changed.key}.xml"]
    verified = verify(bench, approved(changed), desk.drafting(), run_id=write.run_id)
    assert [one.state for one in verified] == [DocumentState.VERIFIED]
    assert desk.post_calls == 0


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_may_die_around_the_write_of_a_file(desk, write, small, monkeypatch, after):
    def dying(source, target):
        if after:
            real(source, target)
        raise Killed

    real = hand_over.os.replace
    with monkeypatch.context() as patch:
        patch.setattr(hand_over.os, "replace", dying)
        with pytest.raises(Killed):
            write(small)
    assert (desk.file(small) is not None) is after
    write(small)
    assert stands(small, desk.drafting().find(small))
    assert [name for name in desk.files() if not name.startswith(".")] == [f"{small.key}.xml"]


def test_a_file_that_a_person_posted_is_left_alone_and_refused_when_the_plan_changed(desk, write, small):
    write(small)
    desk.post_by_hand(small)
    assert [one.state for one in write(small)] == [DocumentState.POSTED]
    with pytest.raises(PostedError, match=small.key):
        write()


@pytest.mark.parametrize("first", [Reply(silent=True), Reply(503), Reply(202)])
def test_a_workflow_is_told_again_under_the_same_key_until_its_acceptance_is_noted(desk, write, small, first):
    with serving(in_turn(first, Reply(202))) as server:
        write(small, webhook=server.url)
        assert {one.headers["idempotency-key"] for one in server.requests} == {small.key}
        assert len({one.body for one in server.requests}) == 1
        told = len(server.requests)
        write(small, webhook=server.url)
        assert len(server.requests) == told
        with pytest.raises(PostedError, match="was handed document"):
            write(webhook=server.url)
        assert desk.drafting(webhook=server.url).find(small).state is DraftState.DRAFT
