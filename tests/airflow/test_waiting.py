# SPDX-License-Identifier: Apache-2.0
"""Hours in which the model is not to be had: no worker waits for it, the trail tells of it, the deadline ends it."""

import asyncio
import json
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.models.pool import Pool
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, TaskDeferred
from airflow.sdk.serde import deserialize, serialize
from airflow.utils.state import TaskInstanceState

from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.operators.anaplan import AnaplanImportOperator
from airflow_provider_mlconnector.systems.anaplan import model as anaplan_model
from airflow_provider_mlconnector.systems.anaplan.client import RETRIES
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.triggers import anaplan as triggers
from airflow_provider_mlconnector.triggers.watch import TaskWatch
from tests.airflow.fakes import make_context

MODEL = {"workspace": "Finance", "model": "FP&A Hub"}
HOUR = 3600.0
LONGEST_VISIT = 60.0
"""Seconds of waiting that a worker may spend in one try that finds the model not to be had."""


@pytest.fixture
def hours(site, monkeypatch):
    """Let the clients, too, go by the site's clock, and let hours pass in no time."""
    monkeypatch.setattr(AnaplanHook, "clock", site.clock)
    monkeypatch.setattr(TaskWatch, "_leases", property(lambda watch: Leases(watch.trail.engine, site.clock)))
    monkeypatch.setattr(sys.modules[type(site.clock).__module__], "_MOMENT", 0.002)
    return site


@pytest.fixture
def vendors(tmp_path):
    path = tmp_path / "vendors.csv"
    path.write_text("Code,Name\nV1,First\nV2,Second\n")
    return str(path)


class Life:
    """One task instance as Airflow lives it: tries on a worker, deferrals, and pauses in which nothing of it runs."""

    def __init__(self, site, monkeypatch, vendors, **more):
        self.site, self._monkeypatch = site, monkeypatch
        self._make = lambda: AnaplanImportOperator(
            task_id="load", action="Load Vendors", file=vendors, deferrable=True, **MODEL, **more
        )
        self.context = make_context()
        self.began = site.clock.now()
        self.visits, self.away = [], []

    @property
    def elapsed(self):
        return (self.site.clock.now() - self.began).total_seconds()

    def to_the_end(self, at=None):
        """Live to the end; ``at`` maps seconds from the beginning to what happens then."""
        happenings = sorted((at or {}).items())
        call = lambda task: task.execute(self.context)  # noqa: E731  (it is replaced by what a deferral says)
        while True:
            while happenings and happenings[0][0] <= self.elapsed:
                happenings.pop(0)[1]()
            began = self.site.clock.now()
            try:
                return call(self._make())
            except AirflowRescheduleException as left:
                self._note_visit(began)
                wait = (left.reschedule_date - self.site.clock.now()).total_seconds()
                self.away.append(wait)
                self.site.clock.skip(wait)
                call = lambda task: task.execute(self.context)  # noqa: E731
            except TaskDeferred as deferred:
                self._note_visit(began)
                event = self._event_of(deferred.trigger, happenings)
                kwargs = deserialize(serialize(deferred.kwargs))
                call = lambda task, event=event, kwargs=kwargs: task.execute_complete(  # noqa: E731
                    self.context, event=event, **kwargs
                )

    def _note_visit(self, began):
        self.visits.append((self.site.clock.now() - began).total_seconds())

    def _event_of(self, trigger, happenings):
        """Run a trigger as the triggerer does, from what is stored of it."""
        again = type(trigger)(**deserialize(serialize(trigger.serialize()[1])))

        async def sleep(seconds):
            self.site.clock.skip(seconds)
            while happenings and happenings[0][0] <= self.elapsed:
                happenings.pop(0)[1]()

        async def first_event():
            with self._monkeypatch.context() as patch:
                patch.setattr(triggers, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
                patch.setattr(triggers, "time", SimpleNamespace(time=self.site.clock.monotonic))
                async for event in again.run():
                    await again.cleanup()
                    return event.payload

        return asyncio.run(first_event())


@pytest.fixture
def life(hours, monkeypatch, vendors):
    return lambda **more: Life(hours, monkeypatch, vendors, **more)


def put_into(site, state):
    site.control("anaplan/model", {"state": state})


def answer(site, status, path, method="", **headers):
    """Let the sandbox answer with a status from now on; return what ends that."""
    fault = {"kind": "status", "status": status, "path": path, "method": method, "times": None, "headers": headers}
    number = site.control("faults", {"system": "anaplan", **fault})["id"]
    return lambda: site.control(f"faults/{number}", method="DELETE")


def held(site):
    return Leases(site.trail.engine, site.clock).all()


def waits_of(site):
    """Return what the trail says of the waits for the model, without those for the import itself."""
    return [event for event in site.events("waited") if "the triggerer goes on" not in event.detail["for"]]


def waited_in_the_open(life, site, for_):
    """See that a wait of an hour took no worker, is on the trail, and did not keep the model."""
    waits = waits_of(site)
    assert sum(life.away) >= HOUR * 0.9
    assert max(life.visits) <= LONGEST_VISIT
    assert sum(life.visits) < HOUR / 10
    assert 10 <= len(waits) <= 40
    assert life.away[-1] > life.away[0]
    assert {wait.detail["for"] for wait in waits if for_ not in wait.detail["for"]} == set()
    assert site.starts() == {"Load Vendors": 1}
    assert held(site) == []


def test_an_hour_in_which_the_model_is_locked(life, hours):
    put_into(hours, "LOCKED")
    task = life()
    assert task.to_the_end({HOUR: lambda: put_into(hours, "UNLOCKED")})["loaded"] == 2
    waited_in_the_open(task, hours, "The model is locked")


def test_an_hour_in_which_a_person_changes_the_model(life, hours):
    hours.control("anaplan/model", {"hold_seconds": HOUR})
    task = life()
    assert task.to_the_end()["loaded"] == 2
    waited_in_the_open(task, hours, "is being changed (A user is working in the model)")


def test_a_model_that_does_not_answer_is_busy_not_broken(life, hours, monkeypatch):
    monkeypatch.setattr(anaplan_model, "PROBE_TIMEOUT", (1.0, 0.1))
    fault = {"kind": "hang", "system": "anaplan", "path": r"/models/[0-9A-F]+\?", "times": None}
    number = hours.control("faults", fault)["id"]
    task = life()
    assert task.to_the_end({60.0: lambda: hours.control(f"faults/{number}", method="DELETE")})["loaded"] == 2
    assert task.away
    assert all("holds its answers back" in wait.detail["for"] for wait in waits_of(hours))


@pytest.mark.parametrize(
    ("status", "path", "method", "says"),
    [
        (409, "/imports/.*/tasks$", "POST", "busy"),
        (409, "/files/", "PUT", "busy"),
        (423, "/imports/.*/tasks$", "POST", "locked"),
        (423, "/files/", "PUT", "locked"),
        (424, r"/imports\?", "GET", "offline"),
        (424, r"/imports/.*/tasks\?", "GET", "offline"),
        (424, r"/models/[0-9A-F]+\?", "GET", "offline"),
    ],
)
def test_wherever_the_model_says_that_it_is_not_to_be_had_the_task_leaves_and_comes_back(
    life, hours, status, path, method, says
):
    free = answer(hours, status, path, method)
    task = life()
    assert task.to_the_end({60.0: free})["loaded"] == 2
    assert all(f"The model is {says}" in wait.detail["for"] for wait in waits_of(hours))
    assert task.away
    assert max(task.visits) <= LONGEST_VISIT
    assert hours.starts() == {"Load Vendors": 1}


@pytest.mark.parametrize("state", ["MAINTENANCE", "PRODUCTION_MAINTENANCE"])
def test_a_model_that_is_offline_for_a_while(life, hours, state):
    put_into(hours, state)
    task = life()
    assert task.to_the_end({60.0: lambda: put_into(hours, "UNLOCKED")})["loaded"] == 2
    assert {wait.detail["code"] for wait in waits_of(hours)} == {"MLC-ANA-02"}


def test_an_import_that_stands_in_the_models_queue_for_an_hour_is_followed_by_the_triggerer(life, hours):
    hours.switch(queue_seconds=HOUR)
    task = life()
    resource = f"{hours.url.removeprefix('http://')}/{hours.info['anaplan']['model_id']}"
    seen = []
    at = {HOUR / 2: lambda: seen.append(held(hours)[0])}
    assert task.to_the_end(at)["loaded"] == 2
    assert max(task.visits) <= LONGEST_VISIT
    assert [wait.detail["for"].partition(" is not over")[2] for wait in hours.events("waited")] == [
        "; the triggerer goes on asking."
    ]
    assert seen[0].resource == resource
    assert seen[0].until - task.began > timedelta(seconds=HOUR / 2), "the trigger keeps the lease"
    asked = hours.world.stats.count("anaplan", method="GET", path="/tasks/")
    assert asked < 100
    assert hours.starts() == {"Load Vendors": 1}


def test_a_model_that_is_locked_while_its_import_is_waited_for(life, hours):
    """Neither the trigger nor the worker sits through it, and nothing is started twice."""
    hours.switch(task_seconds=600.0, longest_task_seconds=600.0)
    task = life()
    locked_and_back = {120.0: lambda: put_into(hours, "LOCKED"), HOUR: lambda: put_into(hours, "UNLOCKED")}
    assert task.to_the_end(locked_and_back)["loaded"] == 2
    assert hours.starts() == {"Load Vendors": 1}
    assert max(task.visits) <= LONGEST_VISIT
    assert 5 <= len(hours.events("waited")) <= 40
    assert held(hours) == []


@pytest.mark.parametrize("after", [0.0, 120.0], ids=["from the beginning", "while its import is waited for"])
def test_an_archived_model_fails_at_once_with_its_sentence(life, hours, after):
    hours.switch(task_seconds=7200.0, longest_task_seconds=7200.0)
    task = life()
    with pytest.raises(AirflowFailException, match=r"archived.*Unarchive it in Anaplan"):
        task.to_the_end({after: lambda: put_into(hours, "ARCHIVED")})
    assert task.elapsed < after + 300
    assert task.away == []
    assert hours.trail.runs()[0].outcome == "failed"


def test_past_the_deadline_it_fails_and_says_how_long_and_on_what_it_waited(life, hours):
    put_into(hours, "LOCKED")
    task = life(deadline=timedelta(minutes=20))
    with pytest.raises(AirflowFailException, match=r"in vain for 0 h \d+ min \(since .* UTC\): The model is locked"):
        task.to_the_end()
    assert task.elapsed <= HOUR / 3 + LONGEST_VISIT
    assert held(hours) == []
    assert hours.trail.runs()[0].outcome == "failed"


def test_a_task_that_never_leaves_the_models_queue_is_cancelled_at_the_deadline(life, hours):
    hours.switch(queue_seconds=10 * HOUR)
    task = life(deadline=timedelta(hours=1))
    with pytest.raises(AirflowFailException, match=r"NOT_STARTED.* deadline has passed\. .*in vain for 1 h 0 min"):
        task.to_the_end()
    assert [found["state"] for found in hours.control("anaplan/tasks", method="GET")["tasks"]] == ["CANCELLED"]
    assert held(hours) == []


def test_a_rate_limit_that_never_ends_is_waited_for_in_the_open_and_ends_at_the_deadline(life, hours, caplog):
    answer(hours, 429, "/2/0/", **{"Retry-After": "60"})
    task = life(deadline=timedelta(hours=2))
    with (
        caplog.at_level("INFO"),
        pytest.raises(AirflowFailException, match=r"in vain for \d h \d+ min .* answered 429"),
    ):
        task.to_the_end()
    assert 1.8 * HOUR < task.elapsed <= 2 * HOUR + RETRIES.patience + LONGEST_VISIT
    told = [wait.detail["code"] for wait in waits_of(hours)]
    assert 3 <= len(told) <= 40
    assert set(told) == {"MLC-NET-08"}
    asked = hours.world.stats.count("anaplan")
    assert 20 < asked < 2 * HOUR / 60 + 20
    assert caplog.text.count("Trying again in 6") >= asked / 2, "each wait is in the task's log"


def test_a_rate_limit_that_ends_is_outlived(life, hours):
    free = answer(hours, 429, "/2/0/", **{"Retry-After": "60"})
    assert life().to_the_end({HOUR: free})["loaded"] == 2
    assert hours.starts() == {"Load Vendors": 1}


def test_a_task_that_left_takes_neither_a_worker_slot_nor_a_pool_slot():
    pool = Pool(pool="anaplan__x", slots=1, include_deferred=True)
    assert TaskInstanceState.UP_FOR_RESCHEDULE not in pool.get_occupied_states()
    assert TaskInstanceState.DEFERRED in pool.get_occupied_states(), "a running import keeps its model's slot"


def test_what_the_waits_leave_on_the_trail_is_json_without_a_secret(life, hours):
    put_into(hours, "LOCKED")
    life().to_the_end({60.0: lambda: put_into(hours, "UNLOCKED")})
    told = json.dumps([event.detail for event in hours.events("waited")])
    assert hours.info["anaplan"]["password"] not in told
