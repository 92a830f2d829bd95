# SPDX-License-Identifier: Apache-2.0
"""What a person is told that approving does is what the ledger's options make of it."""

import json
from contextlib import closing

import pytest
from airflow.sdk import Connection

from airflow_provider_mlconnector.demo.sandbox import connections
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plan_spec import JournalSpec
from airflow_provider_mlconnector.flows.plan_story import plan_story
from airflow_provider_mlconnector.hooks.erps import open_drafting
from airflow_provider_mlconnector.sandbox.running import serve
from tests.airflow.closing_runs import FLOW, changed

ONLY_DRAFTS = "writes drafts; it posts nothing"
HOOK = "https://flows.example/hooks/7"


@pytest.fixture(scope="module")
def ledgers():
    with serve([str(system) for system in System], scale=0.02) as sandbox:
        yield {"url": sandbox.url, **sandbox.info}


@pytest.fixture
def effect(home, ledgers, monkeypatch):
    """Return what is told of a ledger with some options; nothing is asked of its server."""
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", f"{ledgers['url']},https://flows.example")
    flow = load_flow(FLOW)

    def told(system, **options):
        name = f"{system}_default"
        made = connections(ledgers)[name]
        extra = made["extra"] | {"webhook_secret": "between us"}
        stored = Connection(conn_id=name, **made | {"extra": json.dumps(extra)})
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", stored.as_json())
        erp = flow.spec.erp.model_copy(update={"system": System(system), "conn_id": name, "company": "L"})
        journal = JournalSpec(name="ANAPLAN", options=options)
        with closing(open_drafting(changed(flow, erp=erp), journal)) as drafting:
            return drafting.effect

    return told


@pytest.mark.parametrize("system", sorted(set(System) - {System.SYSPRO}))
def test_a_ledger_with_drafts_posts_nothing(effect, system):
    assert effect(system) == ONLY_DRAFTS


@pytest.mark.parametrize(
    ("system", "options", "sentence"),
    [
        ("dynamics_fo", {"posting_service": "Plan/Ledger/Post"}, "has Plan/Ledger/Post post them"),
        ("acumatica", {"release": "true"}, "releases them, which posts them"),
        ("acumatica", {"release": "no"}, ONLY_DRAFTS),
        ("syspro", {"folder": "/plans"}, "hands the journals over as files, for a person to post; it posts nothing"),
        ("syspro", {"folder": "/plans", "webhook": HOOK}, "hands the journals to the workflow at flows.example"),
        ("syspro", {"post": "yes"}, "posts the journals at once through GENTJL, for good"),
    ],
)
def test_what_a_customer_asked_for_is_said(effect, system, options, sentence):
    assert sentence in effect(system, **options)


def test_the_page_of_a_plan_names_options_whose_effect_only_the_ledger_knows():
    flow = load_flow(FLOW)
    plan = flow.spec.plan[0]
    assert "They are drafts: nothing is posted" in plan_story(flow, plan)
    posting = plan.model_copy(update={"journal": JournalSpec(name="BUDGET", options={"post": "yes"})})
    told = plan_story(changed(flow, plan=(posting,)), posting)
    assert "Its options are `post: yes`; what approving does by them stands in the question." in told
    assert "nothing is posted" not in told
