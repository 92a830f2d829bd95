# SPDX-License-Identifier: Apache-2.0
"""A journal is posted by the customer's own service where the flow names one, and by nothing else."""

import pytest

from airflow_provider_mlconnector.errors import ConflictError, LostAnswerError, NotFoundError, ServerError
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.systems.drafting import DraftState
from airflow_provider_mlconnector.systems.dynamics_fo.posting import JournalPoster, PostingService
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


@pytest.fixture
def poster(desk):
    return JournalPoster(desk.api(), PostingService.read(SERVICE))


def drafted(desk, part):
    wanted = journal(part=part)
    desk.write(wanted)
    return wanted, desk.told_journals()[-1]["number"]


def test_a_draft_is_posted_once_and_then_known_as_posted(desk, poster):
    wanted, number = drafted(desk, "service")
    assert desk.drafting().find(wanted).state is DraftState.DRAFT
    assert poster.post(number) is True
    assert poster.post(number) is True
    assert desk.post_calls == 1
    assert desk.drafting().find(wanted).state is DraftState.POSTED


def test_a_lost_answer_is_told_and_asking_again_posts_nothing_twice(desk, poster):
    _, number = drafted(desk, "lost")
    desk.world.faults.add(Fault(FaultKind.LOST_ANSWER, "dynamics_fo", "POST", "/api/services/"))
    with pytest.raises(LostAnswerError):
        poster.post(number)
    assert poster.post(number) is True
    assert desk.post_calls == 1


def test_what_the_service_refuses_and_what_is_not_there_is_told(desk, poster):
    _, number = drafted(desk, "refused")
    desk.control.call("PATCH", f"/dynamics_fo/journals/{number}/lines/1", {"debit": "1"})
    with pytest.raises(ServerError):
        poster.post(number)
    with pytest.raises(ConflictError, match="no journal"):
        poster.post("LARK-999999")
    with pytest.raises(NotFoundError):
        JournalPoster(desk.api(), PostingService.read("Other/Service/post")).post(number)
