# SPDX-License-Identifier: Apache-2.0
"""A public client that nobody here wrote, against the sandbox: it builds itself from the description that is served."""

import pytest
from easy_acumatica import AcumaticaClient
from easy_acumatica.odata import F, QueryOptions

from airflow_provider_mlconnector.demo.sandbox import sandbox_process
from tests.sandbox_control import SandboxControl

KEY, POSTED = "FY2027-P04", (F.PostPeriod == "042027") & (F.Status == "Posted") & (F.LedgerID == "ACTUAL")


@pytest.fixture(scope="module")
def control():
    with sandbox_process(["acumatica"]) as info:
        yield SandboxControl(info)


@pytest.fixture
def client(control, tmp_path):
    told = control.info["acumatica"]
    made = AcumaticaClient(
        base_url=told["base_url"],
        username=told["login"],
        password=told["password"],
        tenant=told["tenant"],
        endpoint_name=told["endpoint"],
        endpoint_version=told["version"],
        cache_dir=tmp_path,
    )
    yield made
    made.close()
    assert control.call("GET", "/acumatica/sessions") == []


def test_it_builds_a_service_for_every_entity(client):
    for name in ("journal_transaction", "account", "subaccount", "ledger", "financial_period", "vendor", "bill"):
        assert hasattr(client, name), name


def test_it_reads_the_journals_of_a_period(client, control):
    journals = client.journal_transaction.get_list(options=QueryOptions(filter=POSTED, expand=["Details"]))
    lines = [line for journal in journals for line in journal["Details"]]
    assert len(lines) == len(control.lines(KEY))
    keys = {name: journals[0][name]["value"] for name in ("Module", "BatchNbr")}
    one = client.journal_transaction.get_by_keys(**keys)
    assert one["id"] == journals[0]["id"]
    assert one["_links"]["self"].startswith("/acumatica/entity/Default/25.200.001/JournalTransaction/")


def test_it_logs_in_again_when_its_session_is_over(client, control):
    control.call("DELETE", "/acumatica/sessions")
    assert client.vendor.get_list(options=QueryOptions(top=1))


def test_it_asks_inquiries_by_put(client):
    asked = {"Ledger": {"value": "ACTUAL"}, "Period": {"value": "042027"}}
    told = client.account_summary_inquiry.put_entity(asked, options=QueryOptions(expand=["Results"]))
    assert {row["Type"]["value"] for row in told["Results"]} == {"Asset", "Liability", "Income", "Expense"}


def test_it_puts_a_draft_and_deletes_it(client):
    lines = [
        {"Account": {"value": "60310"}, "DebitAmount": {"value": 12.5}},
        {"Account": {"value": "20400"}, "CreditAmount": {"value": 12.5}},
    ]
    draft = client.journal_transaction.put_entity({"Description": {"value": "ours"}, "Details": lines})
    assert (draft["Status"], draft["PostPeriod"]) == ({"value": "On Hold"}, {"value": "052027"})
    client.journal_transaction.delete_by_keys(Module="GL", BatchNbr=draft["BatchNbr"]["value"])
    assert client.journal_transaction.get_list(options=QueryOptions(filter=F.Description == "ours")) == []


def test_it_reads_the_generic_inquiry_that_is_exposed(client):
    assert client.inquiries.GL_Trial_Balance()["value"]
