# SPDX-License-Identifier: Apache-2.0
"""Bad input at either end: a clear error, no cell of the dataset changed, its watermark unmoved.

A period was loaded well before, and the ledger changed afterwards, so that every run has something to get wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    DataError,
    FlowError,
    HeaderError,
    MlconnectorError,
    PermissionDeniedError,
    ProtocolError,
    RowsRefusedError,
    SchemaDriftError,
    TransportError,
    UnknownNameError,
)
from airflow_provider_mlconnector.finance.crosswalk import crosswalk
from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.pipeline.plan import Unmapped
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.trail.records import CellScope, RejectKind
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.sandbox_close import FLOW, SandboxClose, open_anaplan, opened_closes

GL = "Load GL Actuals"
HTML = "<html><body>The gateway is out of sorts.</body></html>"
HALF_A_PAGE = '{"value": [{"id": "0a1b", "entryNumber": 7, "debitAm'


@dataclass
class Trouble:
    """A close whose next run meets the trouble that a case makes."""

    close: SandboxClose
    control: SandboxControl

    def always(self, path: str, body: Any, **options: Any) -> None:
        """Let every request to a path be answered so, from now on."""
        self.control.fault("status", path, status=200, body=body, times=None, **options)

    def reopen_ledger(self, **options: Any) -> None:
        self.close.ledger = open_ledger(self.control, self.close.flow, self.close.bench.clock, **options)

    def ledger_turns(self, **switches: Any) -> None:
        self.control.call("PATCH", "/business_central/switches", switches)
        self.reopen_ledger()

    def plan_has(self, **values: Any) -> None:
        self.close.changed[GL] = values

    def columns(self, **renamed: str) -> None:
        plan = next(plan for plan in self.close.plans() if plan.import_name == GL)
        self.plan_has(columns={renamed.get(name, name): source for name, source in plan.columns.items()})


AS_EVER: dict[str, Any] = {"company": "open", "secret_expired": False, "dropped_fields": [], "text_fields": []}


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[SandboxClose]:
    """A close that went well, and a ledger that changed since; every case leaves it so."""
    with opened_closes(tmp_path_factory.mktemp("loaded"), trail_template, sandbox, control) as opened:
        close = opened("FY2026-P05")
        assert close.run().report.agrees
        line = next(line for line in control.lines(close.period.key) if line["department"] == "SALES")
        control.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + 1))
        yield close


@pytest.fixture
def trouble(loaded: SandboxClose, control: SandboxControl) -> Iterator[Trouble]:
    at = Trouble(replace(loaded, changed={}), control)
    yield at
    loaded.runs = at.close.runs
    if at.close.ledger is not loaded.ledger:
        at.close.ledger.close()
    control.clear_faults()
    control.call("PATCH", "/business_central/switches", AS_EVER)


def held(close: SandboxClose, control: SandboxControl) -> dict[str, Any]:
    """Return all that must not change: cells in the model, accepted cells, watermark, starts of the import."""
    accepted = close.bench.trail.accepted(CellScope(flow=close.flow.name, import_name=GL, period=close.period.key))
    return {
        "cells": control.cells("GL Actuals"),
        "accepted": accepted,
        "starts": control.starts()[GL],
        "leases": close.bench.leases.all(),
    }


def wrong_password(at: Trouble) -> None:
    at.close.model = open_anaplan(at.control, at.close.bench.clock, password="wrong", ref=at.close.model.ref)


def expired_secret(at: Trouble) -> None:
    at.ledger_turns(secret_expired=True)
    at.control.call("DELETE", "/business_central/tokens")  # those from before are no longer good for an hour


def missing_import(at: Trouble) -> None:
    at.always(r"/models/\w+/imports(\?|$)", {"imports": [{"id": "112000000099", "name": "Load GL Forecast"}]})


def unmapped_codes(at: Trouble) -> None:
    at.plan_has(unmapped=Unmapped.FAIL, crosswalks={"Cost Centre": crosswalk("empty.csv", [])})


def unknown_member(at: Trouble) -> None:
    at.plan_has(unmapped=Unmapped.FAIL, members={"Account": "Vendors"})  # no account is a vendor


LINES = "generalLedgerEntries"

CASES: dict[str, tuple[Callable[[Trouble], None], type[MlconnectorError], str]] = {
    # who we are
    "wrong password": (wrong_password, AuthenticationError, "password"),
    "wrong client secret": (lambda at: at.reopen_ledger(secret="nope"), AuthenticationError, "client secret is wrong"),
    "expired client secret": (expired_secret, AuthenticationError, "client secret has expired"),
    # what there is
    "company gone": (lambda at: at.ledger_turns(company="gone"), UnknownNameError, "No company of environment"),
    "company closed to us": (
        lambda at: at.ledger_turns(company="forbidden"),
        PermissionDeniedError,
        "permission sets",
    ),
    "missing import": (missing_import, UnknownNameError, rf"no import .*{GL}.*Known: Load GL Forecast"),
    "renamed column": (
        lambda at: at.columns(Entity="Company"),
        HeaderError,
        "expects the header Account, Cost Centre, Entity,.*the flow sends Account, Cost Centre, Company,",
    ),
    # what a row says
    "unmapped code, refused": (
        unmapped_codes,
        RowsRefusedError,
        "rows of journal_lines cannot be sent to Load GL Actuals: unmapped: empty.csv has no Cost Centre for",
    ),
    "unknown member, refused": (
        unknown_member,
        RowsRefusedError,
        "unknown member: the list Vendors has no Account",
    ),
    # what the ledger's pages say
    "column dropped": (
        lambda at: at.ledger_turns(dropped_fields=["accountNumber"]),
        SchemaDriftError,
        "accountNumber",
    ),
    "column retyped": (lambda at: at.ledger_turns(text_fields=["debitAmount"]), SchemaDriftError, "debitAmount"),
    "page of a gateway": (lambda at: at.always(LINES, HTML), ProtocolError, "came broken 3 times"),
    "half a page": (lambda at: at.always(LINES, HALF_A_PAGE), ProtocolError, "came broken 3 times"),
    "page without rows": (lambda at: at.always(LINES, {"values": []}), ProtocolError, "came broken 3 times"),
    "page that is a list": (lambda at: at.always(LINES, []), ProtocolError, "came broken 3 times"),
    "row that is a number": (lambda at: at.always(LINES, {"value": [7]}), DataError, "cannot be read"),
    "empty answer": (lambda at: at.always(LINES, ""), ProtocolError, "came broken 3 times"),
    "truncated body": (
        lambda at: at.control.fault("truncate", LINES, times=None) and None,
        TransportError,
        LINES,
    ),
    "broken accounts": (lambda at: at.always(r"/accounts\b", HALF_A_PAGE), ProtocolError, "came broken 3 times"),
    "broken trial balance": (lambda at: at.always("trialBalance", HTML), ProtocolError, "came broken 3 times"),
    # what the model's pages say
    "broken list of members": (
        lambda at: at.always("/lists/.*/items", HTML, system="anaplan"),
        ProtocolError,
        "/items",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_a_clear_error_and_changes_nothing(trouble: Trouble, case: str) -> None:
    make, kind, sentence = CASES[case]
    make(trouble)
    before = held(trouble.close, trouble.control)
    with pytest.raises(kind, match=sentence):
        trouble.close.run()
    assert held(trouble.close, trouble.control) == before


def test_after_all_of_that_a_good_run_makes_good(loaded: SandboxClose, control: SandboxControl) -> None:
    done = loaded.run()
    assert done.report.agrees, done.report.problems
    assert done.load(GL).loaded > 0


def test_an_unknown_member_is_quarantined_with_its_reason_and_the_others_load(closing, control) -> None:
    close = closing("FY2026-P07")
    accounts = control.call("GET", "/anaplan/members", list="Accounts")["members"]
    control.call("DELETE", "/anaplan/members", {"list": "Accounts", "members": [member["code"] for member in accounts]})
    lost = control.lines(close.period.key)[0]["account"]
    others = [member for member in accounts if member["code"] != lost]
    control.call("POST", "/anaplan/members", {"list": "Accounts", "members": [{**row, "parent": ""} for row in others]})
    close.imports = ("Load Cost Centres", GL)
    done = close.run()
    made = done.load(GL).prepared
    expected = {cell: amount for cell, amount in control.ledger(close.period.key).items() if cell[0] != lost}
    assert sum(control.amounts(format_period(close.period, "MMM yy")).values()) == sum(expected.values())
    rejects = [row.reject for row in close.bench.trail.rejects(done.run.run_id, kind=RejectKind.QUARANTINED)]
    assert {reject.reason for reject in rejects} == {f"unknown member: the list Accounts has no Account {lost}"}
    assert len(rejects) == made.rows_quarantined == sum(row["account"] == lost for row in control.lines("FY2026-P07"))
    assert sum(Decimal(reject.amount or 0) for reject in rejects) == Decimal(made.sum_quarantined)
    assert done.report.agrees, done.report.problems


@pytest.mark.parametrize(
    ("text", "line"),
    [("  - dataset: [vendors\n", 2), ("\tflow: other\n", 1), ("load: *elsewhere\n", 1)],
    ids=["a bracket that stays open", "a tab", "an alias of nothing"],
)
def test_a_flow_that_is_no_yaml_is_refused_with_its_place(tmp_path: Path, text: str, line: int) -> None:
    whole = FLOW.read_text(encoding="utf-8")
    broken = tmp_path / "flow.yaml"
    broken.write_text(whole + text, encoding="utf-8")
    with pytest.raises(FlowError, match="this is not YAML") as caught:
        load_flow(broken)
    assert caught.value.where == f"{broken}:{len(whole.splitlines()) + line}"
