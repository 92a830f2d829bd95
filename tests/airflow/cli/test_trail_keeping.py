# SPDX-License-Identifier: Apache-2.0
"""What is old goes, what is proven stays provable, and what was changed is named."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_mlconnector import bench
from airflow_provider_mlconnector.operators.running import close_run
from airflow_provider_mlconnector.pipeline.stage import scratch_file
from airflow_provider_mlconnector.trail.records import EventKind, RunOutcome, RunRef
from airflow_provider_mlconnector.trail.store import Trail

FLOW = "larkfield_close"


class Then:
    """A clock that stands at a moment."""

    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment


@pytest.fixture
def file(home, empty_trail):
    """Make the deployment's trail, and return its file."""
    (home / "mlconnector").mkdir()
    return shutil.copy(empty_trail, home / "mlconnector" / "trail.db")


@pytest.fixture
def told(file):
    """Tell runs of some days ago on the trail, each with a staged file; return the file's key."""

    def tell(run_id, days_ago):
        tools, clock = bench.open_bench(), Then(datetime.now(UTC) - timedelta(days=days_ago))
        trail = Trail(f"sqlite:///{file}", clock=clock)
        run = RunRef(run_id=run_id, flow=FLOW, period="FY2026-P05", mode="whole")
        trail.open_run(run, requested_by="anna")
        with scratch_file(tools.stage, ".csv") as path:
            path.write_text(f"Account,Amount\n{run_id},1.00\n")
            staged = tools.stage.publish(path, f"prepared/{run_id}.csv")
        trail.record(run_id, EventKind.PREPARED, {"sum_cells": "1.00"}, files=[staged])
        trail.close_run(run_id, RunOutcome.SUCCEEDED)
        trail.close()
        return staged.key

    return tell


@pytest.fixture
def past_the_provider(file):
    """Write to the trail's database as somebody may who has its password."""

    def run(statement):
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            assert connection.execute(statement).rowcount > 0

    return run


def stage_holds(home, key):
    return (home / "mlconnector" / "stage" / key).exists()


def test_a_dry_run_says_what_would_go_and_leaves_it(told, airflow, home):
    key = told("old", 90)
    told("young", 10)
    said = airflow("trail", "prune", "--keep-days", "30", "--dry-run")
    assert "Would go: 1 runs and 1 files" in said.out
    assert "old" in said.out
    assert "young" not in said.out
    assert stage_holds(home, key)
    assert len(bench.open_bench().trail.runs()) == 2


def test_what_went_is_said_in_a_table_and_the_trail_is_still_proven(told, airflow, home):
    went, stayed = told("old", 90), told("young", 10)
    closing_hash = bench.open_bench().trail.run("old").closing
    said = airflow("trail", "prune", "--keep-days", "30", "--output", "json")
    assert said.status == 0
    assert [(row["what"], row["name"]) for row in said.rows] == [("run", "old"), ("file", went)]
    assert closing_hash in said.rows[0]["detail"]
    assert (stage_holds(home, went), stage_holds(home, stayed)) == (False, True)
    assert [run.run_id for run in bench.open_bench().trail.runs()] == ["young"]
    assert airflow("trail", "verify", "--expect", closing_hash).status == 0
    assert (
        airflow("trail", "prune", "--keep-days", "30").out.strip() == "Removed: 0 runs and 0 files of 0 bytes: nothing."
    )


def test_a_run_that_was_changed_before_it_grew_old_stays_as_evidence(told, airflow, past_the_provider, home):
    changed, sound = told("changed", 90), told("sound", 90)
    past_the_provider("UPDATE events SET detail = replace(detail, '1.00', '2.00') WHERE run_id = 'changed'")
    said = airflow("trail", "prune", "--keep-days", "30", "--output", "json")
    assert said.status == 1
    assert [(row["what"], row["name"]) for row in said.rows] == [
        ("run", "sound"),
        ("file", sound),
        ("kept", "changed event 1"),
    ]
    assert stage_holds(home, changed)
    assert "changed event 1" in airflow("trail", "verify").out


def test_a_file_that_was_changed_keeps_its_run_from_going(told, airflow, home):
    key = told("old", 90)
    (home / "mlconnector" / "stage" / key).write_bytes(b"Account,Amount\nold,9.00\n")
    said = airflow("trail", "prune", "--before", f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}", "-o", "json")
    assert [(row["what"], row["name"]) for row in said.rows] == [("kept", key)]
    assert said.status == 1


def test_what_retention_left_of_a_run_cannot_be_deleted_either(told, airflow, past_the_provider):
    told("old", 90)
    told("young", 10)
    airflow("trail", "prune", "--keep-days", "30")
    past_the_provider("DELETE FROM chain WHERE run_id = 'old'")
    said = airflow("trail", "verify", "--output", "json")
    assert said.status == 1
    assert (said.rows[0]["kind"], said.rows[0]["subject"]) == ("chain_broken", f"{FLOW} link 1")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "either --keep-days or --before"),
        (["--keep-days", "3", "--before", "2020-01-01"], "either --keep-days or --before"),
        (["--keep-days", "0"], "Keep at least one day"),
        (["--before", "soon"], "'soon' is no day"),
        (["--before", "2999-01-01"], "Keep at least one day"),
    ],
)
def test_what_is_old_has_to_be_said(file, airflow, words, sentence):
    said = airflow("trail", "prune", *words)
    assert said.status == 1
    assert sentence in said.err


def test_the_head_proves_the_history_up_to_it(told, airflow):
    told("one", 20)
    (head,) = airflow("trail", "head", "--output", "json").rows
    assert (head["flow"], head["links"]) == (FLOW, 2)
    told("two", 10)
    assert airflow("trail", "verify", "--expect", head["head"]).status == 0


def test_a_history_that_was_rewritten_whole_shows_by_a_hash_that_was_kept(told, airflow, past_the_provider):
    told("one", 20)
    (head,) = airflow("trail", "head", "--output", "json").rows
    for table in ("events", "runs", "chain", "flows"):
        past_the_provider(f"DELETE FROM {table}")
    told("one", 20)
    assert airflow("trail", "verify").status == 0
    said = airflow("trail", "verify", "--expect", head["head"], "--output", "json")
    assert said.status == 1
    assert [(row["kind"], row["subject"]) for row in said.rows] == [("chain_broken", head["head"])]
    assert "rewritten" in said.rows[0]["sentence"]
    assert "logs" in said.rows[0]["advice"]


def test_the_log_of_a_task_keeps_the_closing_hash_that_verify_takes(file, airflow, caplog):
    trail = bench.open_bench().trail
    run = RunRef(run_id="one", flow=FLOW, period="FY2026-P05", mode="whole")
    trail.open_run(run, requested_by="anna")
    with caplog.at_level("INFO"):
        closing_hash = close_run(trail, run, RunOutcome.SUCCEEDED)
    assert closing_hash in caplog.text
    assert airflow("trail", "verify", "--expect", f" {closing_hash} ,").status == 0


def test_two_files_of_one_content_are_both_looked_at(told, airflow, home):
    tools = bench.open_bench()
    told("one", 1)
    for key in ("a.csv", "b.csv"):
        with scratch_file(tools.stage, ".csv") as path:
            path.write_text("alike")
            tools.trail.record("one", EventKind.PREPARED, {}, files=[tools.stage.publish(path, key)])
    (home / "mlconnector" / "stage" / "b.csv").write_text("Alike")
    said = airflow("trail", "verify", "--output", "json")
    assert [(row["kind"], row["subject"]) for row in said.rows] == [("file_bad", "b.csv")]
