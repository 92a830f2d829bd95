# SPDX-License-Identifier: Apache-2.0
"""Running a task of the sandbox to its end."""

from __future__ import annotations

import time

from airflow_provider_mlconnector.systems.anaplan.definitions import Kind
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, TaskRef


def started(model, kind, action_id, **options):
    """Start an action and return the task's address."""
    return TaskRef(
        workspace_id=model.ref.workspace_id,
        model_id=model.ref.model_id,
        kind=kind,
        action_id=action_id,
        task_id=model.start(kind, action_id, **options),
    )


def finished(model, kind, action_id, **options):
    """Run an action to its end; return the task's address and how it ended."""
    ref = started(model, kind, action_id, **options)
    return ref, when_over(model, ref)


def when(model, ref, wanted):
    """Wait, in real time, for a task to be in a wanted state; return its status."""
    for _ in range(1000):
        status = model.task(ref)
        if wanted(status.state):
            return status
        time.sleep(0.01)
    raise AssertionError(status)


def when_over(model, ref):
    """Wait, in real time, for a task to be over; return its status."""
    return when(model, ref, lambda state: state.over)


def loaded(model, tmp_path, name, text):
    found = model.resolve(Kind.IMPORT, name)
    path = tmp_path / "upload.csv"
    path.write_text(text)
    model.upload(found.file_id, path)
    return finished(model, ActionKind.IMPORT, found.id)
