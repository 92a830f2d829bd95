# SPDX-License-Identifier: Apache-2.0
"""A draft is posted by the customer's own service where the flow names one, and by nothing else."""

import pytest

from airflow_provider_mlconnector.errors import LostAnswerError, NotFoundError, ServerError
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.drafting import DraftState, stands
from tests.unit.systems.dynamics_fo.fo_desk import FoDesk, journal

SERVICE = "PlanPosting/PlanPostingService/post"


@pytest.fixture(scope="module")
def sandbox():
    with serve(["dynamics_fo"], scale=0.02) as running:
        yield running


@pytest.fixture
def desk(sandbox):
    one = FoDesk(sandbox)
    one.clear()
    one.switch(posting_service=SERVICE)
    yield one
    one.close()


def last_step(desk, wanted):
    """Write a draft and return the one step that is left."""
    desk.write(wanted)
    (step,) = desk.drafting(posting_service=SERVICE).steps(wanted)
    return step


def test_a_draft_is_posted_last_once_and_then_known_as_posted(desk):
    wanted = journal(part="service")
    done = desk.write(wanted, desk.drafting(posting_service=SERVICE))
    (header,) = desk.told_journals()
    assert done[-1] == f"have journal {header['number']} of {wanted.key} posted by {SERVICE}"
    assert len(done) == 1 + len(wanted.lines) + 1
    assert (header["posted"], desk.post_calls) == (True, 1)
    assert desk.drafting(posting_service=SERVICE).steps(wanted) == []
    draft = desk.drafting().find(wanted)
    assert (draft.state, stands(wanted, draft)) == (DraftState.POSTED, True)


def test_a_draft_that_stands_is_whole_before_it_is_posted_and_without_a_service_stays_one(desk):
    wanted = journal(part="draft")
    desk.write(wanted)
    assert stands(wanted, desk.drafting(posting_service=SERVICE).find(wanted))
    assert desk.drafting().steps(wanted) == []
    assert desk.post_calls == 0


@pytest.mark.parametrize(("kind", "calls"), [(FaultKind.LOST_ANSWER, 1), (FaultKind.RESET, 0)])
def test_a_lost_answer_is_told_and_the_next_look_says_what_became_of_it(desk, kind, calls):
    wanted = journal(part=kind)
    step = last_step(desk, wanted)
    desk.world.faults.add(Fault(kind, "dynamics_fo", "POST", "/api/services/"))
    with pytest.raises(LostAnswerError):
        step.do()
    assert desk.post_calls == calls
    desk.write(wanted, desk.drafting(posting_service=SERVICE))
    assert (desk.told_journals()[0]["posted"], desk.post_calls) == (True, 1)


def test_a_service_that_leaves_posting_to_a_batch_job_is_waited_for_but_not_for_ever(desk):
    wanted = journal(part="batch job")
    step = last_step(desk, wanted)
    accepted = Fault(FaultKind.STATUS, "dynamics_fo", "POST", "/api/services/", times=2, status=200, body="accepted")
    desk.world.faults.add(accepted)
    with pytest.raises(LostAnswerError, match="not posted 900 s after"):
        step.do()
    assert desk.told_journals()[0]["posted"] is False
    desk.control.call("DELETE", f"/dynamics_fo/journals/{desk.told_journals()[0]['number']}")
    step.do()


def test_what_the_service_refuses_and_a_service_that_is_not_there_are_told(desk):
    wanted = journal(part="refused")
    step = last_step(desk, wanted)
    desk.control.call("PATCH", f"/dynamics_fo/journals/{desk.told_journals()[0]['number']}/lines/1", {"debit": "1"})
    with pytest.raises(ServerError):
        step.do()
    desk.switch()
    with pytest.raises(NotFoundError):
        step.do()
