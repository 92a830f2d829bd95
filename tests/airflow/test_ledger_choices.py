# SPDX-License-Identifier: Apache-2.0
"""Where a connection chooses what a server does not speak, the check-up says what it speaks and which field to set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
import requests
from airflow.sdk import Connection

from airflow_provider_mlconnector.cli.findings import Verdict
from airflow_provider_mlconnector.cli.remote_checks import check_ledger
from airflow_provider_mlconnector.demo.sandbox import connections
from airflow_provider_mlconnector.errors import AuthenticationError
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.hooks.erps import HOOKS
from airflow_provider_mlconnector.hooks.ledger import LedgerHook
from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.sandbox.windows import NTLM
from airflow_provider_mlconnector.systems.port import Choice

BC, FO, ACUMATICA, SYSPRO, GP = System
FLOWS = Path(__file__).parents[2] / "dags" / "flows"

Opener = Callable[..., LedgerHook]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve([*System], scale=0.02) as running:
        yield running


@pytest.fixture
def opened(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open a ledger by the connection that a rehearsal makes, with other fields; ``switches`` are the server's."""
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ALLOWED_HOSTS", sandbox.url)

    def opener(system: System, extra: dict[str, Any] | None = None, **fields: str) -> LedgerHook:
        told = connections({"url": sandbox.url, **sandbox.info})[f"{system}_default"]
        stored = {**told, **fields, "extra": json.dumps({**told["extra"], **(extra or {})})}
        monkeypatch.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", Connection(conn_id="x", **stored).as_json())
        hook: LedgerHook = resolve_name(HOOKS[system])(f"{system}_default")
        return hook

    return opener


@pytest.fixture
def switch(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Change switches of a server until the end of the test."""
    changed = set[System]()

    def change(system: System, **values: object) -> None:
        changed.add(system)
        place = f"{sandbox.url}/_sandbox/{system}"
        requests.patch(f"{place}/switches", json=values, timeout=5).raise_for_status()

    yield change
    for system in changed:
        requests.delete(f"{sandbox.url}/_sandbox/{system}/switches", timeout=5).raise_for_status()


def probed(hook: LedgerHook) -> list[Choice]:
    with closing(hook.get_erp()) as erp:
        return list(erp.choices())


@pytest.mark.parametrize("system", System)
def test_a_good_connection_speaks_what_the_server_does(opened, system):
    choices = probed(opened(system))
    assert len(choices) >= 3
    assert all(choice.fits and not choice.advice for choice in choices), choices


WRONG = {
    "environment": (BC, {"environment": "Sandbox"}, {}, "Environment", "but Production", "Environment to Production"),
    "company of BC": (BC, {"company": "Larkfeld"}, {}, "Company", "Larkfield Ltd", "Set Company to"),
    "finance API": (
        *(BC, {"source": "reports_finance"}, {"reports_finance": False}),
        *("Ledger source", "does not answer, API v2.0 does", "to auto, or to v2"),
    ),
    "set of lines": (
        *(FO, {}, {"journal_sets": False}),
        *("Set of journal lines", "but LkGeneralJournalLines is", '"lines.SourceKey": "LkSourceKey"'),
    ),
    "set of headers": (
        *(FO, {"headers_set": "OwnGeneralJournals"}, {}),
        *("Set of journal headers", "OwnGeneralJournals is not public", "to GeneralJournalEntryBiEntities."),
    ),
    "field map": (
        *(FO, {"lines_set": "LkGeneralJournalLines"}, {}),
        *("Field map", "has no SourceKey", '"lines.MainAccount": "LkMainAccount"'),
    ),
    "no JSON": (
        *(FO, {"dimensions": "json"}, {"json_dimensions": False}),
        *("Dimensions", "written MainAccount-Department-Project", "Dimensions to display"),
    ),
    "another format": (
        *(FO, {"dimensions": "display", "display_format": "MainAccount,Project"}, {}),
        *("Segments of display values", "MainAccount-Department-Project, not MainAccount-Project", "empty"),
    ),
    "no format": (
        *(FO, {"dimensions": "display"}, {"dimension_format": []}),
        *("Segments of display values", "no single active format", "or Dimensions to json"),
    ),
    "version": (
        *(ACUMATICA, {"version": "17.200.001"}, {}),
        *("Endpoint version", "no Default/17.200.001", "Endpoint version to 25.200.001"),
    ),
    "contract 5": (
        *(ACUMATICA, {"version": "26.200.001"}, {"versions": ["25.200.001", "26.200.001"]}),
        *("Endpoint version", "contract 5", "before 26.200.001"),
    ),
    "endpoint": (ACUMATICA, {"endpoint": "Finance"}, {}, "Endpoint version", "Default/25.200.001", "one of these"),
    "ledger": (ACUMATICA, {"ledger": "ACTUALS"}, {}, "Ledger", "ACTUAL (Actual)", "Set Ledger to"),
    "branch": (ACUMATICA, {"branch": "HQ"}, {}, "Branch", "LARKFIELD posts", "Set Branch to"),
    "segments": (
        *(ACUMATICA, {"segments": "DEPARTMENT 3, LOCATION 2"}, {}),
        *("Subaccount segments", "10 characters", "add up to 10, not 5"),
    ),
    "sessions of SYSPRO": (
        *(SYSPRO, {"auth": "session", "company_password": "?"}, {"sessions": False}),
        *("Authentication", "but it takes the operator by Basic", "Authentication to basic"),
    ),
    "logon path": (
        *(SYSPRO, {"auth": "session", "company_password": "?", "logon_path": "Security/Logon"}, {}),
        *("Logon path", "takes an e.net session of Logon", "Logon path to Logon"),
    ),
    "path of a table": (
        *(SYSPRO, {"entity_url": "Company{company}/{table}"}, {}),
        *("Path of a table", "SysproCompany{company}/{table}", "to SysproCompany{company}/{table}"),
    ),
    "GL codes": (SYSPRO, {"gl_code": "ACCOUNT-DEPARTMENT"}, {}, "GL code structure", ".", "name for each segment"),
    "company of GP": (GP, {"company": "Larkfeld"}, {}, "Company", "Larkfield Ltd (1)", "Set Company to"),
    "spelling in SBA": (GP, {"sba_company": "LARK"}, {}, "Company in SBA's addresses", "no 'LARK'", "one of these"),
    "case in SBA": (
        *(GP, {"sba_company": "larkfield ltd"}, {}),
        *("Company in SBA's addresses", "Larkfield Ltd", "to Larkfield Ltd"),
    ),
}


@pytest.mark.parametrize(("system", "extra", "switches", "field", "said", "advice"), WRONG.values(), ids=WRONG)
def test_a_wrong_choice_is_told_with_what_the_server_speaks(
    sandbox, opened, switch, system, extra, switches, field, said, advice
):
    if "company_password" in extra:
        extra = {**extra, "company_password": sandbox.info[system]["company_password"]}
    switch(system, **switches)
    wrong = [choice for choice in probed(opened(system, extra)) if not choice.fits]
    assert field in [choice.field for choice in wrong]
    choice = next(choice for choice in wrong if choice.field == field)
    assert said in choice.sentence
    assert advice in choice.advice


WORTH_A_THOUGHT = {
    "API v2.0": (BC, {"source": "v2"}, {}, "Ledger source", "the slower way"),
    "operator's company": (SYSPRO, {"entity_url": "{table}"}, {}, "Path of a table", "it names the company"),
    "SBA is not named": (GP, {"sba_host": ""}, {}, "SBA's host", "to read vendors and invoices by it"),
    "SBA is not there": (GP, {"sba_path": "/elsewhere"}, {}, "SBA's host", "or leave the host empty"),
    "no such resource": (GP, {"gl_resource": "Own/Lines"}, {}, "SBA resource of journal lines", "or leave it empty"),
}


@pytest.mark.parametrize(
    ("system", "extra", "switches", "field", "advice"), WORTH_A_THOUGHT.values(), ids=WORTH_A_THOUGHT
)
def test_what_works_and_could_be_better_is_told_too(opened, switch, system, extra, switches, field, advice):
    switch(system, **switches)
    choices = probed(opened(system, extra))
    assert all(choice.fits for choice in choices)
    assert [choice.field for choice in choices if choice.advice] == [field]
    assert advice in next(choice.advice for choice in choices if choice.advice)


@pytest.mark.parametrize("system", System)
def test_a_wrong_password_is_no_question_of_choices_and_is_never_shown(opened, system):
    with pytest.raises(AuthenticationError) as refused:
        probed(opened(system, password="hunter2!"))
    assert "hunter2!" not in str(refused.value)


SHIPPED = {
    BC: ("larkfield_close", {"environment": "Sandbox"}),
    FO: ("fo_manufacturer_close", {"lines_set": "OwnLines"}),
    ACUMATICA: ("acumatica_services_close", {"version": "17.200.001"}),
    SYSPRO: ("syspro_trading_close", {"gl_code": "ACCOUNT"}),
    GP: ("gp_distributor_close", {"sba_company": "LARK"}),
}


@pytest.mark.parametrize("auth", ["basic", "session"])
def test_a_wrong_password_is_tried_once_in_each_way_and_no_more(sandbox, opened, auth):
    sandbox.world.stats.clear()
    with pytest.raises(AuthenticationError):
        probed(opened(SYSPRO, {"auth": auth, "company_password": "?"}, password="hunter2!"))
    assert [request.template.rpartition("/")[2] for request in sandbox.world.stats.requests("syspro")] in (
        ["$metadata", "Logon"],
        ["Logon", "$metadata"],
    )


@pytest.mark.parametrize("system", System)
def test_the_check_up_of_a_flow_names_the_field_and_asks_no_further(sandbox, opened, system):
    name, wrong = SHIPPED[system]
    conn_id, flow = f"{system}_default", load_flow(FLOWS / f"{name}.yaml")
    opened(system)
    well = list(check_ledger(flow))
    assert {finding.verdict for finding in well} == {Verdict.OK}
    assert well[-1].subject == conn_id
    opened(system, wrong)
    (refused,) = (finding for finding in check_ledger(flow) if finding.verdict is Verdict.ERROR)
    assert refused.subject.startswith(f"{conn_id}: ")
    assert refused.advice
    told = str([*well, refused])
    assert not any(value in told for key, value in sandbox.info[system].items() if key in ("password", "client_secret"))


def test_probing_leaves_no_session_behind(sandbox, opened):
    told = sandbox.info["syspro"]
    probed(opened(SYSPRO, {"auth": "session", "company_password": told["company_password"]}))
    probed(opened(ACUMATICA))
    assert not requests.get(f"{sandbox.url}/_sandbox/syspro/sessions", timeout=5).json()["sessions"]
    assert not requests.get(f"{sandbox.url}/_sandbox/acumatica/sessions", timeout=5).json()


def test_a_scheme_that_is_not_offered_costs_no_logon(sandbox, opened, monkeypatch):
    domain = site_of(sandbox.world).domain
    monkeypatch.setattr(domain, "schemes", (NTLM,))
    before = (domain.logons.total(), domain.failures.total())
    (scheme,) = probed(opened(GP, {"auth": "negotiate"}))
    assert (scheme.field, scheme.fits) == ("Authentication", False)
    assert scheme.sentence == "The web services offer NTLM."
    assert scheme.advice == "Set Authentication to ntlm, or to auto."
    assert (domain.logons.total(), domain.failures.total()) == before
