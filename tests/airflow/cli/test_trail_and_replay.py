# SPDX-License-Identifier: Apache-2.0
"""Commands about what happened, and the one that delivers it again."""

from decimal import Decimal

import pytest

from airflow_provider_mlconnector import bench
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from tests.airflow.cli.closing import Close

PERIOD = "FY2026-P05"
ACTUALS = "Load GL Actuals"
KEPT = ("accounts", "cost_centres", "journal_lines")


@pytest.fixture
def flow(flow_file):
    """Keep the loads in the flow file that these tests are about."""
    head, _, loads = flow_file.read_text().partition("\nload:")
    kept = [load for load in loads.split("\n\n") if any(f"dataset: {name}\n" in load for name in KEPT)]
    flow_file.write_text(head + "\nload:" + "\n\n".join(kept))
    return load_flow(flow_file)


@pytest.fixture
def patient(site, monkeypatch):
    """Let commands wait on the sandbox's clock."""
    from airflow_provider_mlconnector.cli import replay

    monkeypatch.setattr(replay, "open_bench", lambda: bench.open_bench())
    return site


@pytest.fixture
def close(patient, flow):
    return Close(flow, PERIOD, "first")


@pytest.fixture
def replay(airflow, flow_file):
    """Run ``airflow mlconnector replay`` with the flow file."""
    return lambda *words: airflow("replay", "--flows", flow_file, "--output", "json", *words)


def cells(site, **wanted):
    query = "&".join(f"{name}={value}" for name, value in {"Version": "Actual", "Time": "Nov 25", **wanted}.items())
    return site.control(f"anaplan/cells?module=GL Actuals&{query}", method="GET")["cells"]


def a_record(close):
    """Return the id of one line that was read."""
    from airflow_provider_mlconnector.pipeline.engine import engine

    tools = bench.open_bench()
    with engine(tools) as db:
        db.files("batch", tools.stage.fetch(tools.trail.batch(close.batches["journal_lines"].batch_id).file))
        return db.rows("SELECT min(record_id) FROM batch")[0][0]


def test_runs_are_listed_and_one_is_shown(close, airflow):
    (run,) = airflow("trail", "runs", "--output", "json").rows
    assert (run["run"], run["by"], run["outcome"]) == (close.run.run_id, "anna", "succeeded")
    events = airflow("trail", "show", "--run", close.run.run_id, "--output", "json").rows
    assert len(events) == run["events"]
    assert {"extracted", "prepared", "accepted"} <= {event["event"] for event in events}
    assert airflow("trail", "runs", "--flow", "another").out.strip() == "Runs: nothing."


def test_a_records_way_is_a_table_of_sentences_and_facts_only_as_json(close, airflow):
    record = a_record(close)
    table = airflow("trail", "show", "--record", record).out
    assert [name in table for name in ("when", "run", "step", "sentence", "facts")] == [True] * 4 + [False]
    assert "Read whole from" in table
    steps = airflow("trail", "show", "--record", record, "--output", "json").rows
    assert steps[0]["facts"]["batch_id"] == close.batches["journal_lines"].batch_id
    assert all(step["sentence"] in table for step in steps)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show"], "either --record or --run"),
        (["show", "--record", "none"], "No batch holds a record none"),
        (["show", "--run", "none"], "none"),
        (["rejects", "none"], "none"),
    ],
)
def test_what_the_trail_does_not_know_is_said(site, airflow, words, sentence):
    said = airflow("trail", *words)
    assert said.status == 1
    assert sentence in said.err


def test_a_staged_file_that_somebody_changed_is_found(close, airflow, home):
    assert airflow("trail", "verify").status == 0
    batch = close.batches["journal_lines"].batch_id
    key = bench.open_bench().trail.batch(batch).file.key
    (home / "mlconnector" / "stage" / key).write_bytes(b"other")
    said = airflow("trail", "verify", "--output", "json")
    assert said.status == 1
    assert any(key in str(problem) for problem in said.rows)


def test_a_batch_is_sent_again_by_a_run_of_its_own_without_asking_the_ledger(close, patient, replay, airflow):
    asked = patient.world.stats.count("business_central")
    said = replay("--batch", close.batches["journal_lines"].batch_id)
    (row,) = said.rows
    assert row["import"] == ACTUALS
    assert row["sent"] == row["loaded"] == close.loads[ACTUALS].sent > 0
    assert patient.world.stats.count("business_central") == asked
    assert patient.starts()[ACTUALS] == 2
    newest = airflow("trail", "runs", "--output", "json").rows[0]
    assert (newest["run"], newest["outcome"]) == (row["run"], "succeeded")
    assert bench.open_bench().leases.all() == []


def test_records_send_their_cells_as_they_are_today(close, patient, replay):
    wrong = [{**cell, "Amount": "1.00"} for cell in cells(patient)]
    right = {tuple(cell.values())[:-1]: Decimal(cell["Amount"]) for cell in cells(patient)}
    patient.control("anaplan/cells", {"module": "GL Actuals", "cells": wrong})
    said = replay("--records", f" {a_record(close)} ,")
    (row,) = said.rows
    assert row["sent"] == row["loaded"] == 1
    now = {tuple(cell.values())[:-1]: Decimal(cell["Amount"]) for cell in cells(patient)}
    (repaired,) = [key for key, amount in now.items() if amount != 1]
    assert now[repaired] == right[repaired]


def test_a_list_is_sent_again_too(close, replay):
    said = replay("--batch", close.batches["accounts"].batch_id)
    (row,) = said.rows
    assert (row["import"], row["period"]) == ("Load Accounts", "")
    assert row["loaded"] == row["sent"] == close.loads["Load Accounts"].sent


def test_the_rejects_of_a_run_are_listed_and_sent_again(patient, flow, flow_file, edit, airflow, replay):
    edit("rejects: {tolerate: 0}", "rejects: {tolerate: 100%}")
    edit("members: {Account: Accounts, Cost Centre: Cost Centres}", "members: {Cost Centre: Cost Centres}")
    close = Close(load_flow(flow_file), PERIOD, "first")
    account = cells(patient)[0]["Account"]
    patient.control("anaplan/members", {"list": "Accounts", "members": [account]}, method="DELETE")
    again = replay("--batch", close.batches["journal_lines"].batch_id).rows[0]
    assert again["rejected"] > 0
    rejects = airflow("trail", "rejects", again["run"], "--output", "json").rows
    assert len(rejects) == again["rejected"]
    assert account in rejects[0]["cell"]
    replay("--batch", close.batches["accounts"].batch_id)
    (row,) = replay("--rejects", again["run"]).rows
    assert row["sent"] == row["loaded"] == again["rejected"]


def test_a_file_is_sent_again_as_it_was(close, replay, patient):
    said = replay("--batch", close.batches["journal_lines"].batch_id, "--as-sent")
    assert said.rows[0]["sent"] == close.loads[ACTUALS].sent
    replayed = patient.events("replayed")[-1]
    assert replayed.detail["as_sent"]
    assert [file.key for file in replayed.files] == [close.loads[ACTUALS].prepared.file.key]


def test_a_file_whose_cells_were_accepted_later_is_not_sent(close, flow, patient, replay, airflow):
    entry = next(iter(patient.world.books.lines(PERIOD))).entry_number
    patient.world.books.correct_amount(entry, Decimal("4711.11"))
    Close(flow, PERIOD, "second")
    starts = patient.starts()
    said = replay("--batch", close.batches["journal_lines"].batch_id, "--as-sent")
    assert said.status == 1
    assert "MLC-TRL-04" in said.err
    assert said.out == ""
    assert patient.starts() == starts
    assert airflow("trail", "runs", "--output", "json").rows[0]["outcome"] == "failed"


def test_a_model_that_somebody_else_works_on_is_left_alone(close, patient, replay, airflow):
    model = AnaplanHook().get_model("Finance", "FP&A Hub")
    bench.open_bench().leases.acquire(f"{model.host}/{model.ref.model_id}", "the nightly close", 900.0)
    said = replay("--batch", close.batches["journal_lines"].batch_id)
    assert said.status == 1
    assert "the nightly close works on" in said.err
    assert "Run the command again later." in said.err
    assert patient.starts()[ACTUALS] == 1
    assert airflow("trail", "runs", "--output", "json").rows[0]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "one batch, of records, or of the rejects"),
        (["--batch", "b", "--records", "r"], "one batch, of records, or of the rejects"),
        (["--records", "nobody"], "does not know these rows"),
        (["--rejects", "nothing"], "nothing"),
    ],
)
def test_what_cannot_be_sent_again_is_said(patient, flow, replay, words, sentence):
    said = replay(*words)
    assert said.status == 1
    assert sentence in said.err


def test_a_flow_that_is_gone_cannot_be_replayed(close, replay, edit):
    edit("flow: larkfield_close", "flow: renamed")
    said = replay("--batch", close.batches["journal_lines"].batch_id)
    assert said.status == 1
    assert "No flow file defines 'larkfield_close'; there are: renamed" in said.err


def test_a_dataset_that_the_flow_no_longer_loads_cannot_be_replayed(close, flow_file, replay):
    head, _, loads = flow_file.read_text().partition("\nload:")
    flow_file.write_text(head + "\nload:" + loads.split("\n\n")[0])
    said = replay("--batch", close.batches["journal_lines"].batch_id)
    assert said.status == 1
    assert "no longer loads journal_lines" in said.err


def test_records_that_several_flows_know_are_asked_back(close, flow_file, patient, replay, airflow, edit):
    other = flow_file.with_name("other.yaml")
    edit("flow: larkfield_close", "flow: other_close", file=other)
    other.write_text(other.read_text().replace("=Actual", "=Forecast"))
    Close(load_flow(other), PERIOD, "first")
    record = a_record(close)
    said = replay("--records", record)
    assert said.status == 1
    assert "larkfield_close, other_close" in said.err
    assert "--flow" in said.err
    (row,) = replay("--records", record, "--flow", "larkfield_close").rows
    assert row["flow"] == "larkfield_close"
