# SPDX-License-Identifier: Apache-2.0
"""A writer of drafts as the write step is one, in short: look, do what is missing, look again; and its ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.errors import ConflictError, LostAnswerError, ServerError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, document_key
from airflow_provider_mlconnector.sandbox.business_central.journals import DEFAULT_TEMPLATE, journals_of
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection, FinanceApi
from airflow_provider_mlconnector.systems.business_central.drafts import BusinessCentralDrafts
from airflow_provider_mlconnector.systems.business_central.journals import BatchName
from airflow_provider_mlconnector.systems.drafting import Drafting, Step
from airflow_provider_mlconnector.systems.http.entra import ClientSecret
from tests.sandbox_control import SandboxControl
from tests.unit.systems.http.scripted_server import quick

BATCH = "ANAPLAN"
DAY = date(2026, 11, 30)
ROUNDS = 20
JOURNALS = r"/journal|/\$batch$"
"""Requests to the journals: one by one, or many in one."""


def journal(*amounts: str, part: str = "1", **more: Any) -> Journal:
    """Return a journal: rent per department, and accruals against it without one."""
    values = [Decimal(amount) for amount in amounts or ("1200.50", "0.01", "-300")]
    departments = ("SALES", "PROD", "ADM")
    lines = [
        JournalLine(
            number=place,
            account="60210",
            dimensions=(("DEPARTMENT", departments[place % 3]), ("PROJECT", "P100")),
            amount=amount,
            description=f"Rent {place}",
        )
        for place, amount in enumerate(values, start=1)
    ]
    total = sum(values, Decimal(0))
    lines.append(JournalLine(number=len(lines) + 1, account="20400", amount=-total, description="Accrued"))
    plain = {
        "key": document_key("plan", "FY2027-P05", part),
        "period": "FY2027-P05",
        "posting_date": DAY,
        "description": "Budget",
        "lines": tuple(lines),
    }
    return Journal(**plain | more)


class Killed(Exception):
    """The process died."""


class Desk:
    """A writer and its ledger; ``drafting`` is a new process of it each time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.world = sandbox.world
        self.control = SandboxControl({"url": sandbox.url, **sandbox.info})
        self.told = sandbox.info["business_central"]
        self.journals = journals_of(self.world, self.world.books)
        self._open: list[Drafting] = []

    def clear(self) -> None:
        """Leave nothing of earlier tests."""
        self.world.faults.clear()
        self.journals.lines.clear()
        self.journals.rules.clear()
        self.control.call("DELETE", "/business_central/switches")
        for batch in [batch for batch in self.journals.batches if batch.template != DEFAULT_TEMPLATE]:
            self.journals.remove_batch(batch)
        self.journals.put_batch(BATCH)

    def close(self) -> None:
        for drafting in self._open:
            drafting.close()

    def drafting(self, template: str = "", **options: Any) -> BusinessCentralDrafts:
        """Open the batch, as a new process does; unless told otherwise without the finance API."""
        plain = {
            "tenant": self.told["tenant"],
            "environment": self.told["environment"],
            "company": self.told["company_id"],
            "credential": ClientSecret(self.told["client_id"], self.told["client_secret"]),
            "base_url": self.told["base_url"],
            "authority_url": self.told["authority_url"],
            "source": FinanceApi.V2,
        }
        connection = BusinessCentralConnection(**plain | options)
        api = BusinessCentralApi(connection, quick(), replica=False)
        self._open.append(BusinessCentralDrafts(api, BatchName(BATCH, template)))
        return self._open[-1]

    def write(self, wanted: Journal, *, killed_after: int | None = None) -> list[str]:
        """Bring a journal about; return the sentences of what was done.

        :param killed_after: the process dies after so many steps.
        """
        drafting, done = self.drafting(), []
        for _ in range(ROUNDS):
            steps = drafting.steps(wanted)
            if not steps:
                return done
            try:
                for step in steps:
                    if len(done) == killed_after:
                        raise Killed
                    done.append(step.sentence)
                    step.do()
            except ConflictError:
                continue
            except (LostAnswerError, ServerError):
                self.world.clock.advance(drafting.settle)
        raise AssertionError(f"not done after {ROUNDS} rounds: {done}")

    def steps(self, wanted: Journal) -> list[Step]:
        return self.drafting().steps(wanted)

    def lines(self, code: str = BATCH) -> list[dict[str, Any]]:
        """Return the lines of a batch as the ledger holds them."""
        told = self.control.call("GET", "/business_central/journals")["batches"]
        return next(batch["lines"] for batch in told if batch["code"] == code)

    @property
    def post_calls(self) -> int:
        return int(self.control.call("GET", "/business_central/journals")["post_calls"])

    def post_by_hand(self, **query: str) -> list[int]:
        """Let a person post the batch, or one document of it."""
        return list(self.control.call("POST", f"/business_central/journals/{BATCH}/post", **query)["entries"])

    def writes(self) -> int:
        """Return how many requests reached the journals that were no reads."""
        return sum(
            self.world.stats.count("business_central", method=method, path=JOURNALS)
            for method in ("POST", "PATCH", "DELETE")
        )

    def batches(self) -> int:
        """Return how many requests held others."""
        return self.world.stats.count("business_central", method="POST", path=r"/\$batch$")


def held(*journals: Journal) -> list[tuple[Any, ...]]:
    """Return what a batch is to hold of journals."""
    return [
        (
            one.key,
            f"{one.key}-{line.number}",
            one.posting_date.isoformat(),
            line.account,
            line.amount,
            line.description,
            dict(line.dimensions),
        )
        for one in journals
        for line in one.lines
    ]


def holds(desk: Desk) -> list[tuple[Any, ...]]:
    """Return what the batch holds, by document and line, whatever the line numbers are."""
    fields = ("document", "external_document", "posting_date", "account")
    rows = [
        (*(line[name] for name in fields), Decimal(line["amount"]), line["description"], line["dimensions"])
        for line in desk.lines()
    ]
    return sorted(rows, key=lambda row: row[:2])
