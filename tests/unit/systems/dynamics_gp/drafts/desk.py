# SPDX-License-Identifier: Apache-2.0
"""A writer of drafts, the general journal that it writes to, and what people do there meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, document_key
from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import Drafts
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.drafting import Drafting
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.draft_options import DraftOptions
from airflow_provider_mlconnector.systems.dynamics_gp.drafts import DynamicsGpDrafts
from airflow_provider_mlconnector.systems.dynamics_gp.tables import GpTables
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.gp_close import Database
from tests.unit.pipeline.ledgers import gp_connection

BATCH, PERIOD, DAY = "ANAPLAN", "FY2027-P05", date(2026, 11, 30)
OPTIONS = DraftOptions({"Department": "000"})
DEPARTMENTS = ("200", "300", "100")


def journal(*amounts: str, part: str = "1", **more: Any) -> Journal:
    """Return a journal: rent per department, and accruals against it, for which the journal names no department."""
    values = [Decimal(amount) for amount in amounts or ("1200.50", "0.01", "-300")]
    lines = [
        JournalLine(
            number=place,
            account="60210",
            dimensions=(("Department", DEPARTMENTS[place % 3]),),
            amount=amount,
            description=f"Rent {place}",
        )
        for place, amount in enumerate(values, start=1)
    ]
    total = sum(values, Decimal(0))
    lines.append(JournalLine(number=len(lines) + 1, account="20400", amount=-total))
    plain = {
        "key": document_key("plan", PERIOD, part),
        "period": PERIOD,
        "posting_date": DAY,
        "description": "Budget",
        "lines": tuple(lines),
    }
    return Journal(**plain | more)


def planned(*journals: Journal) -> list[tuple[str, str, Decimal]]:
    """Return reference, account number and amount of each line that the ledger is to hold, sorted."""
    return sorted(
        (one.key, f"{line.account}-{line.dimension.get('Department', '000')}", line.amount)
        for one in journals
        for line in one.lines
    )


class Desk:
    """A writer and its ledger; ``drafting`` is a new process of it each time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.world = sandbox.world
        self.site = site_of(sandbox.world)
        self.control = SandboxControl({"url": sandbox.url, **sandbox.info})
        self._open: list[Drafting] = []

    @property
    def drafts(self) -> Drafts:
        return self.site.companies[0].drafts

    @property
    def post_calls(self) -> int:
        return int(self.control.call("GET", "/dynamics_gp/journals")["post_calls"])

    def clear(self) -> None:
        """Leave nothing of earlier tests."""
        self.world.faults.clear()
        self.control.call("DELETE", "/dynamics_gp/journals")
        self.control.call("DELETE", "/dynamics_gp/switches")

    def close(self) -> None:
        for drafting in self._open:
            drafting.close()

    def drafting(
        self,
        batch: str = BATCH,
        options: DraftOptions = OPTIONS,
        database: Database | None = None,
        company: str = "Larkfield Ltd",
    ) -> DynamicsGpDrafts:
        """Open the batch, as a new process does."""
        transport = Transport(clock=QuickClock(self.world), read_timeout=20)
        api = GpApi(gp_connection(self.control, company), transport)
        drafting = DynamicsGpDrafts(api, batch, options, GpTables(database.query) if database else None)
        self._open.append(drafting)
        return drafting

    def write(self, wanted: Journal, **options: Any) -> list[str]:
        """Do what is missing, where nothing goes wrong, and return what was done."""
        steps = self.drafting(**options).steps(wanted)
        for step in steps:
            step.do()
        return [step.sentence for step in steps]

    def held(self) -> list[tuple[str, str, Decimal]]:
        """Return reference, account number and amount of each line that was not posted, sorted."""
        entries: Iterable[dict[str, Any]] = self.control.call("GET", "/dynamics_gp/journals")["entries"]
        return sorted(
            (entry["reference"], line["account"], Decimal(line["amount"]))
            for entry in entries
            for line in entry["lines"]
        )

    def fault(self, kind: FaultKind, operation: str = "CreateGLTransaction", **options: Any) -> int:
        """Let something happen to calls of an operation."""
        return self.world.faults.add(Fault(kind, "dynamics_gp", "POST", f"#{operation}$", **options))

    def act(self, method: str, name: str, body: object = None) -> Any:
        """Let a person do something with an entry: ``<key>/post``, ``<key>/void``, or the entry itself."""
        return self.control.call(method, f"/dynamics_gp/journals/{name}", body)
