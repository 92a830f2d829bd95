# SPDX-License-Identifier: Apache-2.0
"""All that is wrong with a plan is told in one report before a person is asked, whichever ledger it goes to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from airflow_provider_mlconnector.errors import PreflightError
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.inverse import invert
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.pipeline.draftplan import DraftPlan, MemberList
from airflow_provider_mlconnector.pipeline.plan import Source
from airflow_provider_mlconnector.pipeline.preflight import preflight
from airflow_provider_mlconnector.pipeline.resolve import resolve
from airflow_provider_mlconnector.sandbox.running import serve
from airflow_provider_mlconnector.trail.records import EventKind
from tests.clocks import QuickClock
from tests.unit.pipeline.gp_close import Database
from tests.unit.pipeline.ledgers import open_ledger
from tests.unit.pipeline.plan.drafters import Office
from tests.unit.pipeline.plan.plans import Lists, exported
from tests.unit.pipeline.plan.round_trip import FLOWS

CLOSED = "FY2027-P04"
HEADER = ("Account", "Cost Centre", "Region", "Version", "Time", "Amount")
LINES = (
    ("60800", "CC200", "", "Budget", "Oct 26", "1"),
    ("60210", "CC900", "", "Budget", "Oct 26", "2"),
    ("60210", "NOWHERE", "", "Budget", "Oct 26", "3"),
    ("60210", "CC200", "NORTH", "Budget", "Oct 26", "4"),
    ("60210", "CC999", "", "Budget", "Oct 26", "5"),
)
"""On an inactive account, with a blocked value, with one that is missing, with a segment too many, and unmapped."""
NAME = "The budget that the board approved" * 16
"""The drafts' description, longer than any ledger has room for."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """How a ledger calls things, and how it tells what is wrong with them.

    :param flow: its shipped flow.
    :param dimension: code of the departments.
    :param told: what the report says of the closed period, the inactive account, the blocked value, the missing one,
        and the segment too many.
    :param codes: of departments: one that is open, one blocked and one missing.
    :param name: of the batch, journal name or ledger.
    """

    flow: str
    dimension: str
    told: tuple[str, str, str, str, str]
    options: dict[str, str]
    codes: tuple[str, str, str] = ("SALES", "LEGACY", "NOWHERE")
    name: str = "ANAPLAN"


LEDGERS = {
    System.BUSINESS_CENTRAL: Ledger(
        "larkfield_close",
        "DEPARTMENT",
        (
            "2026-10-31: the accounting period that begins on 2026-10-01 is closed",
            "60800: the account is blocked",
            "LEGACY: the value of dimension DEPARTMENT is blocked",
            "NOWHERE: dimension DEPARTMENT has no such value",
            "REGION: there is no such dimension",
        ),
        {},
    ),
    System.DYNAMICS_FO: Ledger(
        "fo_manufacturer_close",
        "Department",
        (
            "2026-10-31: period FY2027 Period 4 is closed in the ledger",
            "60800: the account is suspended",
            "LEGACY: the value of dimension Department is suspended",
            "NOWHERE: dimension Department has no such value in this company",
            "REGION: the environment has no such dimension",
        ),
        {},
    ),
    System.ACUMATICA: Ledger(
        "acumatica_services_close",
        "DEPARTMENT",
        (
            "FY2027-P04: the period is closed in the master calendar",
            "60800: the account is not active",
            "LEGACY  00: the subaccount is not active",
            "NOWHERE 00: there is no such subaccount",
            "REGION: a line has no such dimension or segment",
        ),
        {"segments": "LOCATION 00"},
        name="ACTUAL",
    ),
    System.DYNAMICS_GP: Ledger(
        "gp_distributor_close",
        "Department",
        (
            "FY2027-P04: the period is closed in the ledger",
            "60800-200: the account is inactive",
            "60210-999: there is no such account",  # only whole account numbers can be inactive
            "60210-555: there is no such account",
            "REGION: the account format has no such segment",
        ),
        {"segments": "Department 000"},
        codes=("200", "999", "555"),
    ),
    System.SYSPRO: Ledger(
        "syspro_trading_close",
        "DEPARTMENT",
        (
            "4: GL period 4 of 2027 is closed",
            "60800.SALES: the GL code is on hold",
            "60210.LEGACY: there is no such GL code",
            "60210.NOWHERE: there is no such GL code",
            "REGION: GL codes have no such segment",
        ),
        {"segments": "DEPARTMENT 000"},
    ),
}


@pytest.fixture(scope="module")
def sandbox():
    with serve(list(System), scale=0.02) as running:
        yield running


class Model(Lists):
    """A model with one cost centre that no code book knows."""

    def __init__(self) -> None:
        centres = ("CC200", "CC900", "NOWHERE", "CC999")
        self.lists = {
            "Accounts": {"60210": "Rent", "60800": "Suspense"},
            "Cost Centres": {code: f"Centre {code}" for code in centres},
        }


def plan_of(ledger: Ledger, company: str) -> DraftPlan:
    pairs = zip(ledger.codes, ("CC200", "CC900", "NOWHERE"), strict=True)
    rules = [Rule(MatchKind.EXACT, *pair, line=line) for line, pair in enumerate(pairs, start=2)]
    return DraftPlan(
        flow=ledger.flow,
        name=NAME,
        company=company,
        export="Approved Budget",
        columns={
            "Account": Source("account"),
            "Cost Centre": Source(f"dimension.{ledger.dimension}"),
            "Region": Source("dimension.REGION"),
            "Version": Source("version"),
            "Time": Source("period"),
            "Amount": Source("amount"),
        },
        batch=ledger.name,
        inverses={"Cost Centre": invert(crosswalk("departments.csv", rules))},
        members={"Account": MemberList("Accounts"), "Cost Centre": MemberList("Cost Centres")},
        description="{plan}",
    )


@pytest.mark.parametrize("system", LEDGERS)
def test_every_kind_of_mistake_is_in_one_report_before_anybody_is_asked(
    bench, new_run, tmp_path, sandbox, control, system
):
    ledger, clock, run = LEDGERS[system], QuickClock(sandbox.world), new_run()
    flow = load_flow(FLOWS / f"{ledger.flow}.yaml")
    company, period = flow.spec.erp.company, flow.calendar.period(CLOSED)
    database = {"query": Database(control, tmp_path / "gp.db", "LARKFIELD").query} if system == "dynamics_gp" else {}
    erp = open_ledger(control, flow, clock, **database)
    statuses = {period: erp.period_status(period)}
    erp.close()
    office = Office(control, system, company, "LARKFIELD", ledger.name, tmp_path / "plans", ledger.options)
    office.set_up()
    plan = plan_of(ledger, company)
    resolved = resolve(bench, plan, exported(bench, run, LINES, HEADER), [period], "Budget", Model())
    drafting = office.open(clock)

    with pytest.raises(PreflightError) as refused:
        preflight(bench, resolved, statuses, drafting, {})

    drafting.close()
    report = str(refused.value)
    for part in (*ledger.told, "CC999: unmapped", "debits and credits differ by 10", "characters; there is room for"):
        assert part in report
    assert NAME not in report.partition("nothing was written")[2]
    assert len(bench.trail.rejects(run.run_id)) == report.count("\n- ")
    assert EventKind.CHECKED not in {event.kind for event in bench.trail.events(run.run_id)}
