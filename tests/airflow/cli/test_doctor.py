# SPDX-License-Identifier: Apache-2.0
"""``airflow mlconnector doctor``: each thing that it knows, provoked once."""

import shutil

import pytest

POOL = "anaplan__anaplan_default__Finance__FP_A_Hub"


@pytest.fixture
def ready(site, airflow, flow_file):
    """Set everything up as the manual says."""
    assert airflow("setup", "--flows", flow_file).status == 0
    return site


@pytest.fixture
def findings(airflow, flow_file):
    """Run the check-up; return its exit status and what is not well."""

    def run():
        said = airflow("doctor", "--flows", flow_file.parent, "--output", "json")
        return said.status, [row for row in said.rows if row["verdict"] != "ok"]

    return run


@pytest.fixture
def one_load(flow_file):
    """Leave one load in the flow, for check-ups that are not about the others."""
    head, _, loads = flow_file.read_text().partition("\nload:")
    first = loads.split("\n\n")[0]
    flow_file.write_text(f"{head}\nload:{first}\n")


def test_a_deployment_that_is_well_has_no_findings(ready, airflow, flow_file):
    said = airflow("doctor", "--flows", flow_file, "--output", "json")
    assert said.status == 0, said.out
    assert {row["verdict"] for row in said.rows} == {"ok"}
    assert {row["check"] for row in said.rows} == {"keys", "trail", "staging", "pools", "ledger", "anaplan", "names"}
    assert ready.starts() == {}
    assert "larkfield_close: Load GL Balances" in airflow("doctor", "--flows", flow_file).out


def test_no_key(ready, findings, one_load, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    status, found = findings()
    assert status == 1
    told = {row["sentence"]: row["advice"] for row in found if row["check"] == "keys"}
    assert "fernet_key" in told["Airflow stores passwords in clear text."]
    assert any("MLC-TRL-05" in sentence for sentence in told)


def test_no_trail(site, home, findings, one_load):
    shutil.rmtree(home / "mlconnector")
    status, found = findings()
    told = next(row for row in found if row["check"] == "trail")
    assert status == 1
    assert "airflow mlconnector" in told["sentence"]


def test_no_pool(site, findings, one_load):
    status, found = findings()
    told = next(row for row in found if row["subject"] == POOL)
    assert status == 1
    assert "does not exist" in told["sentence"]
    assert told["advice"] == "Run: airflow mlconnector setup"


@pytest.mark.parametrize(
    ("slots", "deferred", "sentence"), [(2, True, "has 2 slots"), (1, False, "does not count deferred tasks")]
)
def test_a_pool_that_somebody_changed(ready, findings, one_load, slots, deferred, sentence):
    from airflow.models.pool import Pool

    Pool.create_or_update_pool(POOL, slots=slots, description="", include_deferred=deferred)
    status, found = findings()
    assert status == 1
    assert [row["subject"] for row in found] == [POOL]
    assert sentence in found[0]["sentence"]


@pytest.mark.parametrize(
    ("old", "new", "load", "sentence"),
    [
        ("import: Load Vendors", "import: Load Vendor", "Load Vendor", "Load Vendors"),
        ("{Code: number, Name: name}\n\n  - dataset: employees", "{Code: number, Nam: name}\n\n  - dataset: employees",
         "Load Vendors", "Nam"),
        ("{Account: Accounts}", "{Account: Konten}", "Load GL Balances", "Konten"),
        ("check: GL Actuals by Period", "check: Actuals", "Load GL Actuals", "GL Actuals by Period"),
    ],
    ids=["import", "header", "list", "view"],
)  # fmt: skip
def test_a_name_that_means_nothing_in_the_model(ready, findings, edit, old, new, load, sentence):
    edit(old, new)
    status, found = findings()
    assert status == 1
    assert [row["subject"] for row in found] == [f"larkfield_close: {load}"]
    assert sentence in found[0]["sentence"]


def test_two_spellings_of_one_model(ready, airflow, findings, flow_file, one_load):
    other = flow_file.with_name("other.yaml")
    text = flow_file.read_text().replace("flow: larkfield_close", "flow: other_close")
    other.write_text(text.replace("model: FP&A Hub", f"model: {ready.info['anaplan']['model_id']}"))
    airflow("setup", "--flows", flow_file.parent)
    status, found = findings()
    assert status == 1
    assert [row["subject"] for row in found] == ["pools"]
    assert POOL in found[0]["sentence"]
    assert "alike in all flows" in found[0]["advice"]


def test_a_wrong_password(ready, findings, one_load):
    ready.connect_anaplan(password="wrong")
    status, found = findings()
    assert status == 1
    assert {row["check"] for row in found} == {"anaplan", "names"}
    assert not any("wrong" in row["sentence"].split() for row in found)
    assert any("MLC-NET-03" in row["sentence"] for row in found)


def test_a_wrong_secret_of_the_ledger(ready, findings, one_load):
    ready.connect_business_central(password="nonsense")
    status, found = findings()
    assert status == 1
    assert {row["check"] for row in found} == {"ledger"}
    assert "nonsense" not in str(found)


def test_a_company_that_is_not_there(ready, findings, edit, one_load):
    edit("company: Larkfield Ltd", "company: Nobody Ltd")
    _, found = findings()
    assert any(row["check"] == "ledger" and "Nobody Ltd" in row["sentence"] for row in found)


def test_clocks_that_differ_are_a_warning(ready, findings, one_load):
    ready.world.clock.advance(600)
    status, found = findings()
    assert status == 0
    assert {row["check"] for row in found} == {"ledger", "anaplan"}
    assert all("Clocks differ by" in row["sentence"] and row["verdict"] == "warning" for row in found)


def test_a_file_as_trail_of_two_machines(ready, findings, one_load, database):
    from airflow.jobs.job import Job, JobState

    with database() as session:
        for hostname in ("close-1", "close-2"):
            job = Job(job_type="SchedulerJob", state=JobState.RUNNING)
            job.hostname = hostname
            session.add(job)
    status, found = findings()
    assert status == 1
    assert [row["subject"] for row in found] == ["machines"]
    assert "close-1, close-2" in found[0]["sentence"]
    assert "PostgreSQL" in found[0]["advice"]


def test_a_broken_flow_file_does_not_end_the_check_up(ready, findings, edit):
    edit("send: touched", "send: sometimes")
    status, found = findings()
    assert status == 1
    assert [row["check"] for row in found] == ["flows"]
    assert "larkfield_close.yaml:" in found[0]["sentence"]


def test_a_wrong_choice_of_the_connection_is_told_with_the_field_to_set(ready, findings, one_load):
    ready.connect_business_central(environment="Sandbox")
    status, found = findings()
    assert status == 1
    (row,) = found
    assert (row["check"], row["subject"]) == ("ledger", "business_central_default: Environment")
    assert row["sentence"] == "The tenant has no environment Sandbox, but Production."
    assert row["advice"] == "Set Environment to Production."


def test_a_choice_that_will_hurt_one_day_is_a_warning(ready, findings, one_load):
    ready.connect_business_central(source="v2")
    status, found = findings()
    assert status == 0
    (row,) = found
    assert (row["verdict"], row["subject"]) == ("warning", "business_central_default: Ledger source")
