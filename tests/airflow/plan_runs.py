# SPDX-License-Identifier: Apache-2.0
"""The runs of a plan, task by task as Airflow runs them, with people who answer; and a budget in the model."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time.context import OutletEventAccessors
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_mlconnector.dags import plan_dag
from tests.airflow.closing_runs import Run

PERIOD, NEXT = "FY2027-P05", "FY2027-P06"
MONTHS = {PERIOD: "Nov 26", NEXT: "Dec 26"}
BUDGET = {("60210", "CC300"): "1200.50", ("60210", "CC100"): "300.01", ("20400", "NONE"): "-1500.51"}
"""Rent of two departments, against what is accrued: amounts by account and cost centre."""
LEDGER = {("60210", "PROD"): "1200.50", ("60210", "ADM"): "300.01", ("20400", ""): "-1500.51"}
"""The same as the ledger calls it: by account and department."""


class PlanRun(Run):
    """One run of a flow's plan."""

    def __init__(self, flow, *, period=PERIOD, **more):
        super().__init__(flow, period=period, dag=plan_dag(flow, flow.spec.plan[0]), **more)

    def context(self, task_id, **more):
        context = super().context(task_id, **more)
        context["task"] = self.dag.get_task(task_id)
        context["task_instance"] = context["ti"]
        context["ti"].id = "01890a5d-ac96-774b-bcce-b302099a8057"
        context["outlet_events"] = OutletEventAccessors()
        return context

    def prepare(self, **more):
        """Execute what comes before the question; return what the preflight hands on."""
        for task_id in ("export", "resolve", "preflight"):
            self.execute(task_id, **more)
        return self.results["preflight"]

    def ask(self, **more):
        """Ask a person, and return what Airflow is given to show."""
        shown, task, context = {}, self.task("approve"), self.context("approve", **more)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hitl, "upsert_hitl_detail", lambda **told: shown.update(told))
            with pytest.raises(TaskAwaitingInput) as parked:
                task.execute(context)
        assert parked.value.method_name == "execute_complete"
        return SimpleNamespace(**shown, timeout=parked.value.timeout)

    def answer(self, by="bella", chosen="Approve", reason="", **more):
        """Answer as a person does, or as a default when nobody does; the event goes through Airflow's database."""
        user = {"id": by, "name": by} if by else None
        event = {
            "chosen_options": [chosen],
            "params_input": {"reason": reason},
            "responded_at": datetime.now(UTC),
            "responded_by_user": user,
            "timedout": by is None,
        }
        return self.wake(event, **more)

    def wake(self, event, **more):
        """Go on in another process, with an event of Airflow's."""
        event = deserialize(serialize(event))
        self.results["approve"] = self.task("approve").execute_complete(self.context("approve", **more), event=event)

    def approved(self, **more):
        """Come as far as an approval."""
        self.prepare(**more)
        self.ask(**more)
        self.answer(**more)

    def whole(self, **more):
        """Execute all tasks, with a person who approves; return the receipts of the documents."""
        self.approved(**more)
        self.execute("write", **more)
        return self.execute("verify", **more)


def set_budget(site, amounts=BUDGET, *, period=PERIOD, version="Budget", entity="Larkfield"):
    """Let a planner enter amounts; the lists get what they lack."""
    for list_name, place in (("Accounts", 0), ("Cost Centres", 1)):
        known = {row["code"] for row in site.control(f"anaplan/members?list={list_name}", method="GET")["members"]}
        missing = sorted({key[place] for key in amounts} - known)
        rows = [{"code": code, "name": f"Name of {code}"} for code in missing]
        site.control("anaplan/members", {"list": list_name, "members": rows})
    members = {"Entity": entity, "Version": version, "Time": MONTHS[period]}
    cells = [
        {"Account": account, "Cost Centre": centre, "Amount": amount, **members}
        for (account, centre), amount in amounts.items()
    ]
    site.control("anaplan/cells", {"module": "GL Actuals", "cells": cells})


def drafts(site):
    """Return the lines of the batch in the ledger."""
    told = site.control("business_central/journals", method="GET")
    assert told["post_calls"] == 0
    return next(batch["lines"] for batch in told["batches"] if batch["code"] == "ANAPLAN")


def totals(lines):
    """Return amounts by account and department."""
    sums = {}
    for line in lines:
        key = line["account"], line["dimensions"].get("DEPARTMENT", "")
        sums[key] = sums.get(key, Decimal(0)) + Decimal(line["amount"])
    return {key: str(amount) for key, amount in sums.items()}
