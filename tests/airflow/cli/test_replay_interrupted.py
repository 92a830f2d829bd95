# SPDX-License-Identifier: Apache-2.0
"""A replay that somebody stops leaves no import running and no lease behind."""

import signal

import pytest

from airflow_provider_mlconnector import bench
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.pipeline import ending
from tests.airflow.cli.closing import Close

PERIOD = "FY2026-P05"
ACTUALS = "Load GL Actuals"


@pytest.fixture
def close(site, flow_file, monkeypatch):
    """Close the period with a flow of one import, and let the replay wait on the sandbox's clock."""
    from airflow_provider_mlconnector.cli import replay

    monkeypatch.setattr(replay, "open_bench", lambda: bench.open_bench())
    head, _, loads = flow_file.read_text().partition("\nload:")
    kept = [load for load in loads.split("\n\n") if any(f"dataset: {name}\n" in load for name in NEEDED)]
    flow_file.write_text(head + "\nload:" + "\n\n".join(kept))
    done = Close(load_flow(flow_file), PERIOD, "first")
    site.switch(task_seconds=600, longest_task_seconds=600)
    return done


NEEDED = ("accounts", "cost_centres", "journal_lines")


@pytest.fixture(autouse=True)
def in_the_foreground():
    """Have Ctrl-C as a terminal has it; a shell lets its background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def replay(airflow, flow_file, close):
    return lambda: airflow("replay", "--flows", flow_file, "--batch", close.batches["journal_lines"].batch_id)


@pytest.fixture
def at_wait(site, monkeypatch):
    """Do something when the command first waits for the import that it started."""

    def then(act):
        slept = site.clock.sleep

        def sleep(seconds):
            monkeypatch.setattr(site.clock, "sleep", slept)
            act()
            slept(seconds)

        monkeypatch.setattr(site.clock, "sleep", sleep)

    return then


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_who_stops_the_command_cancels_the_import_and_frees_the_model(site, replay, at_wait, number):
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    at_wait(lambda: signal.raise_signal(number))
    assert replay().status == 130
    asked, done = [event.detail["sentence"] for event in site.events("cancelled")]
    assert (asked, done.split(" by ")[0]) == ("asked to cancel", "cancelled")
    assert site.control("anaplan/tasks", method="GET")["tasks"][-1]["state"] == "CANCELLED"
    assert bench.open_bench().leases.all() == []
    assert site.trail.runs()[0].outcome == "failed"
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_an_import_that_does_not_end_keeps_the_model(site, replay, at_wait, monkeypatch, caplog):
    monkeypatch.setattr(ending, "CANCEL_SECONDS", 0.0)
    monkeypatch.setattr("airflow_provider_mlconnector.pipeline.modelwork.ModelWork.cancel", lambda work, ref: None)
    at_wait(lambda: signal.raise_signal(signal.SIGINT))
    assert replay().status == 130
    assert "may still run" in caplog.text
    assert [lease.remote["task_id"] for lease in bench.open_bench().leases.all()]


def test_a_command_stopped_during_its_upload_frees_the_model(site, replay, monkeypatch):
    from airflow_provider_mlconnector.systems.anaplan.model import AnaplanModel

    monkeypatch.setattr(AnaplanModel, "upload", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    assert replay().status == 130
    assert bench.open_bench().leases.all() == []
