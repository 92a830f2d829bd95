# SPDX-License-Identifier: Apache-2.0
"""A writer of general journals and its ledger, for tests: plans, people, and what the ledger holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, document_key
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import JournalName, journals_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import rules_of
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.connection import FinanceOperationsConnection
from airflow_provider_mlconnector.systems.dynamics_fo.draft_options import JournalOptions
from airflow_provider_mlconnector.systems.dynamics_fo.drafts import FinanceOperationsDrafts
from airflow_provider_mlconnector.systems.http.entra import ClientSecret
from tests.sandbox_control import SandboxControl
from tests.unit.systems.http.scripted_server import quick

NAME = "ANAPLAN"
DAY = date(2026, 11, 30)
PERIOD = "FY2027-P05"
READ_TIMEOUT = 10.0
"""Seconds; with those to connect and the slack a request is over after 35."""


def journal(*lines: tuple[str, str, str], part: str = "1", **more: Any) -> Journal:
    """Return a journal of lines, each of them account, department ("" for none) and amount."""
    given = lines or (("60210", "SALES", "1200.50"), ("60210", "ADM", "0.01"), ("20400", "", "-1200.51"))
    made = tuple(
        JournalLine(
            number=number,
            account=account,
            dimensions=(("DEPARTMENT", department),) if department else (),
            amount=Decimal(amount),
            description=f"Rent {number}",
        )
        for number, (account, department, amount) in enumerate(given, start=1)
    )
    plain: dict[str, Any] = {
        "key": document_key("plan", PERIOD, part),
        "period": PERIOD,
        "posting_date": DAY,
        "description": "Budget",
        "lines": made,
    }
    return Journal(**plain | more)


class FoDesk:
    """A ledger and its writers; each one that is opened is a new process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.world = sandbox.world
        self.control = SandboxControl({"url": sandbox.url, **sandbox.info})
        self.told = sandbox.info["dynamics_fo"]
        self.journals = journals_of(self.world, self.world.books)
        self.rules = rules_of(self.world, self.world.books)
        self._open: list[FinanceOperationsApi] = []

    def clear(self) -> None:
        """Leave nothing of earlier tests."""
        self.world.faults.clear()
        self.journals.headers.clear()
        self.journals.lines.clear()
        self.journals.names.clear()
        self.journals.put_name(JournalName(NAME))
        self.journals.post_calls = 0
        self.rules.clear()
        self.switch()

    def switch(self, **wanted: object) -> None:
        self.control.call("DELETE", "/dynamics_fo/switches")
        self.control.call("PATCH", "/dynamics_fo/switches", wanted)

    def close(self) -> None:
        for api in self._open:
            api.session.close()

    def api(self, clock: Clock | None = None, **options: Any) -> FinanceOperationsApi:
        """Open the company, with other options of the connection than the desk's own."""
        plain = {
            "environment_url": self.told["base_url"],
            "tenant": self.told["tenant"],
            "company": "lark",
            "credential": ClientSecret(self.told["login"], self.told["password"]),
            "authority_url": self.told["authority_url"],
        }
        connection = FinanceOperationsConnection(**plain | options)
        api = FinanceOperationsApi(connection, quick(clock, read_timeout=READ_TIMEOUT))
        self._open.append(api)
        return api

    def drafting(self, name: str = NAME, **options: str) -> FinanceOperationsDrafts:
        """Open the journals under a name, as a new process does; what it logs in by is shared, to save time."""
        return FinanceOperationsDrafts(self.own_api, name, JournalOptions.read(options))

    @cached_property
    def own_api(self) -> FinanceOperationsApi:
        return self.api()

    def write(self, wanted: Journal, drafting: FinanceOperationsDrafts | None = None) -> list[str]:
        """Bring a journal about; return the sentences of what was done."""
        drafting, done = drafting or self.drafting(), []
        while steps := drafting.steps(wanted):
            for step in steps:
                done.append(step.sentence)
                step.do()
            assert len(done) < 100
        return done

    def told_journals(self) -> list[dict[str, Any]]:
        """Return the journals as the ledger holds them."""
        return list(self.control.call("GET", "/dynamics_fo/journals")["journals"])

    def post_by_hand(self, number: str) -> list[int]:
        """Let a person post a journal."""
        return list(self.control.call("POST", f"/dynamics_fo/journals/{number}/post")["entries"])

    @property
    def post_calls(self) -> int:
        return int(self.control.call("GET", "/dynamics_fo/journals")["post_calls"])

    def writes(self) -> int:
        """Return how many requests reached the environment's data that were no reads."""
        return sum(
            self.world.stats.count("dynamics_fo", method=method, path="/data/")
            for method in ("POST", "PATCH", "DELETE")
        )


def held(*journals: Journal) -> list[tuple[Any, ...]]:
    """Return what the ledger is to hold of journals, as :func:`holds` tells it."""
    return sorted(
        (
            one.key,
            line.number,
            one.key,
            one.posting_date.isoformat(),
            line.account,
            line.amount,
            line.description,
            *line.dimensions,
        )
        for one in journals
        for line in one.lines
    )


def holds(desk: FoDesk) -> list[tuple[Any, ...]]:
    """Return the lines that the ledger holds: description, number, document, day, account, amount, text, dimensions."""
    return sorted(
        (
            header["description"],
            Decimal(line["number"]),
            line["document"],
            line["posting_date"],
            line["segments"]["MainAccount"],
            Decimal(line["amount"]),
            line["text"],
            *((name.upper(), value) for name, value in sorted(line["segments"].items()) if name != "MainAccount"),
        )
        for header in desk.told_journals()
        for line in header["lines"]
    )
