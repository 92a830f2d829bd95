# SPDX-License-Identifier: Apache-2.0
"""What state a model is in and what becomes of tasks, as the sandbox tells them."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import (
    LostAnswerError,
    ModelBusyError,
    ModelUnavailableError,
)
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef, TaskState
from tests.unit.systems.anaplan.sandbox_tasks import finished, when_over


def test_a_task_is_cancelled_and_cancelling_it_again_does_no_harm(model, info, control, clock):
    control("POST", "/anaplan/model", {"hold_seconds": 30})
    task_id = model.start(ActionKind.IMPORT, info.import_ids["Load Vendors"])
    ref = TaskRef(
        workspace_id=info.workspace_id,
        model_id=info.model_id,
        kind=ActionKind.IMPORT,
        action_id=info.import_ids["Load Vendors"],
        task_id=task_id,
    )
    model.cancel(ref)
    clock.sleep(31)
    assert when_over(model, ref).state is TaskState.CANCELLED
    control("POST", "/anaplan/switches", {"cancel_terminal_is_404": True})
    model.cancel(ref)
    assert task_id in [task.task_id for task in model.tasks(ActionKind.IMPORT, ref.action_id)]


@pytest.mark.parametrize("answer", ["task", "task_id", "bare"])
def test_every_form_of_the_answer_to_a_start_is_understood(model, info, control, answer):
    control("POST", "/anaplan/switches", {"start_answer": answer})
    _, status = finished(model, ActionKind.ACTION, info.action_ids["Delete Vendors"])
    assert status.outcome.successful


def test_a_model_is_ready_and_tells_its_state(model):
    model.ensure_ready()
    assert model.details().active_state == "UNLOCKED"
    assert model.status().step


@pytest.mark.parametrize("state", ["LOCKED", "MAINTENANCE", "PRODUCTION_MAINTENANCE"])
def test_a_locked_model_is_worth_waiting_for(model, control, state):
    control("POST", "/anaplan/model", {"state": state})
    with pytest.raises(ModelBusyError):
        model.ensure_ready()


def test_an_archived_model_is_not(model, control):
    control("POST", "/anaplan/model", {"state": "ARCHIVED"})
    with pytest.raises(ModelUnavailableError):
        model.ensure_ready()


def test_a_deployed_model_takes_imports(model, control, tmp_path):
    control("POST", "/anaplan/model", {"state": "PRODUCTION"})
    model.ensure_ready()


def test_a_model_that_something_changes_is_busy_and_says_so(model, control, clock):
    control("POST", "/anaplan/switches", {"reads_while_busy": "answer"})
    control("POST", "/anaplan/model", {"hold_seconds": 3600})
    with pytest.raises(ModelBusyError):
        model.ensure_ready()
    clock.sleep(3601)


def test_a_busy_model_that_does_not_answer_is_busy_not_broken(make_client, info, control, clock):
    client = make_client(read_timeout=0.2)
    model = client.model(client.resolve_model(info.workspace_id, info.model_id))
    model.imports()
    control("POST", "/anaplan/model", {"hold_seconds": 3600})
    with pytest.raises(ModelBusyError) as caught:
        model.lists()
    assert caught.value.state == "hanging"
    assert model.imports()  # definitions of actions always answer
    clock.sleep(3601)


def test_a_start_whose_answer_is_lost_is_found_in_the_task_list(model, info, control):
    before = {task.task_id for task in model.tasks(ActionKind.IMPORT, info.import_ids["Load Vendors"])}
    control("POST", "/faults", {"kind": "lost_answer", "method": "POST", "path": "/tasks"})
    with pytest.raises(LostAnswerError):
        model.start(ActionKind.IMPORT, info.import_ids["Load Vendors"])
    after = model.tasks(ActionKind.IMPORT, info.import_ids["Load Vendors"])
    assert len([task for task in after if task.task_id not in before]) == 1
