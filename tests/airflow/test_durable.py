# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta

from airflow.sdk.execution_time.context import NEVER_EXPIRE

from airflow_provider_mlconnector.durable import JOB, TaskJobStore, began, generation
from tests.airflow.fakes import FakeStateStore, make_context

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def test_a_job_is_remembered_across_tries_and_never_expires():
    store = FakeStateStore()
    assert TaskJobStore(store).get() is None
    TaskJobStore(store).set({"phase": "intent"})
    assert TaskJobStore(store).get() == {"phase": "intent"}
    assert store.retentions[JOB] is NEVER_EXPIRE


def test_the_generation_is_the_runs_clear_number():
    assert generation(make_context(clear_number=2)) == 2


def test_waits_and_retries_share_one_beginning():
    context = make_context()
    assert began(context, NOW) == NOW
    assert began(context, NOW + timedelta(hours=3)) == NOW


def test_a_cleared_task_begins_anew():
    store = FakeStateStore()
    began(make_context(store=store), NOW)
    later = NOW + timedelta(days=3)
    assert began(make_context(store=store, clear_number=1), later) == later
