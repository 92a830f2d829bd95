# SPDX-License-Identifier: Apache-2.0
"""Commands that need no remote system: setup, db, flows, sandbox."""

import json
import os
import subprocess

import pytest
import requests


def test_the_tables_are_made_and_then_left_alone(airflow):
    first = airflow("db", "upgrade", "--output", "json").rows[0]
    again = airflow("db", "upgrade", "--output", "json").rows[0]
    assert first["from"] == "empty"
    assert again["from"] == again["to"] == first["to"]


def test_a_check_of_a_trail_without_tables_fails_and_one_with_tables_does_not(airflow):
    before = airflow("db", "check", "--output", "json")
    assert (before.status, before.rows[0]["ok"]) == (1, False)
    assert "db upgrade" in before.rows[0]["answer"]
    airflow("db", "upgrade")
    after = airflow("db", "check")
    assert after.status == 0
    assert "The trail answers" in after.out


def test_a_trail_that_cannot_be_opened_is_a_sentence(airflow, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__TRAIL_PATH", str(tmp_path / "file" / "trail.db"))
    said = airflow("db", "upgrade")
    assert said.status == 1
    assert "MLC-TRL-07" in said.err


def test_connections_in_airflows_own_database_are_found(airflow, database, tmp_path):
    from airflow.models.connection import Connection

    with database() as session:
        session.add(Connection(conn_id="mlconnector_trail", conn_type="sqlite", host=str(tmp_path / "elsewhere.db")))
    assert airflow("db", "upgrade").status == 0
    assert (tmp_path / "elsewhere.db").stat().st_size > 0
    assert not (tmp_path / "mlconnector" / "trail.db").exists()


def test_setup_makes_trail_and_pools_and_may_be_repeated(airflow, flow_file):
    from airflow.models.pool import Pool

    for _ in range(2):
        said = airflow("setup", "--flows", flow_file, "--output", "json")
        assert said.status == 0
    pool = Pool.get_pool("anaplan__anaplan_default__Finance__FP_A_Hub")
    assert (pool.slots, pool.include_deferred) == (1, True)
    assert {row["name"] for row in said.rows} >= {"mlconnector_trail", pool.pool}
    assert (flow_file.parents[2] / "mlconnector" / "trail.db").exists()


def test_setup_repairs_a_pool_that_somebody_changed(airflow, flow_file):
    from airflow.models.pool import Pool

    name = "anaplan__anaplan_default__Finance__FP_A_Hub"
    Pool.create_or_update_pool(name, slots=7, description="", include_deferred=False)
    airflow("setup", "--flows", flow_file)
    pool = Pool.get_pool(name)
    assert (pool.slots, pool.include_deferred) == (1, True)


def test_flows_are_listed_from_a_file_and_from_a_folder(airflow, flow_file):
    for place in (flow_file, flow_file.parent):
        said = airflow("flows", "validate", "--flows", place, "--output", "json")
        assert [row["flow"] for row in said.rows] == ["larkfield_close"]
    table = airflow("flows", "validate", "--flows", flow_file).out
    assert "larkfield_close.yaml" in table
    assert "FP&A Hub" in table


def test_the_dags_folder_is_where_flows_are_looked_for(airflow, flow_file, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(flow_file.parents[1]))
    assert "larkfield_close" in airflow("flows", "validate").out


def test_a_mistake_in_a_flow_is_told_with_its_line(airflow, flow_file, edit):
    edit("send: touched", "send: sometimes")
    said = airflow("flows", "validate", "--flows", flow_file)
    line = next(n for n, text in enumerate(flow_file.read_text().splitlines(), 1) if "sometimes" in text)
    assert said.status == 1
    assert f"larkfield_close.yaml:{line}" in said.err
    assert said.out == ""


def test_two_spellings_of_one_model_are_refused(airflow, flow_file, edit):
    edit("flow: larkfield_close", "flow: other_close", file=flow_file.with_name("other.yaml"))
    other = flow_file.with_name("other.yaml")
    other.write_text(other.read_text().replace("model: FP&A Hub", "model: fp&a  hub").replace("=Actual", "=Forecast"))
    said = airflow("flows", "validate", "--flows", flow_file.parent)
    assert said.status == 1
    assert "the same model is written" in said.err
    assert "other.yaml:" in said.err
    assert "larkfield_close.yaml:" in said.err


def test_a_flow_file_that_is_not_there_is_an_error(airflow, tmp_path):
    said = airflow("flows", "validate", "--flows", tmp_path / "none.yaml")
    assert said.status == 1
    assert "none.yaml" in said.err


def test_the_schema_is_json(airflow):
    schema = json.loads(airflow("flows", "schema").out)
    assert {"flow", "erp", "anaplan", "load"} <= set(schema["properties"])


def test_the_sandbox_command_becomes_a_sandbox(airflow, monkeypatch):
    became = []
    monkeypatch.setattr(os, "execv", lambda program, words: became.append((program, words)))
    airflow("sandbox", "--systems", "anaplan", "--port", "0")
    (program, words), *more = became
    assert not more
    with subprocess.Popen(words, executable=program, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = json.loads(process.stdout.readline())
            assert set(told) == {"url", "anaplan"}
            assert requests.get(f"{told['url']}/_sandbox/stats", timeout=5).ok
        finally:
            process.terminate()
    assert process.wait(5) is not None


@pytest.mark.parametrize("words", [["trail"], ["replay", "--nonsense"], ["db", "drop"]])
def test_words_that_are_no_command_are_refused(airflow, words):
    assert airflow(*words).status == 2
