# SPDX-License-Identifier: Apache-2.0
"""A writer of drafts, the ledger that it writes to, and what people do there meanwhile."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, document_key
from airflow_provider_mlconnector.sandbox.acumatica import site_of
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.draft_options import DraftOptions
from airflow_provider_mlconnector.systems.acumatica.drafts import AcumaticaDrafts
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.systems.acumatica.opening import STEADY, connect

LEDGER, PERIOD, DAY = "ACTUAL", "FY2027-P05", date(2026, 11, 30)
OPTIONS = DraftOptions(segments={"LOCATION": "00"}, chunk=2)
SETTLE = 60.0
ROUNDS = 20
DEPARTMENTS = ("SALES", "PROD", "ADM")


def journal(*amounts: str, part: str = "1", **more: Any) -> Journal:
    """Return a journal: rent by department, and accruals against it."""
    values = [Decimal(amount) for amount in amounts or ("1200.50", "0.01", "-300")]
    lines = [
        JournalLine(
            number=place,
            account="60210",
            dimensions=(("DEPARTMENT", DEPARTMENTS[place % len(DEPARTMENTS)]),),
            amount=amount,
            description=f"Rent {place}",
        )
        for place, amount in enumerate(values, start=1)
    ]
    total = sum(values, Decimal(0))
    none = (("DEPARTMENT", "00000000"),)
    lines.append(JournalLine(number=len(lines) + 1, account="20400", dimensions=none, amount=-total))
    plain = {
        "key": document_key("plan", PERIOD, part),
        "period": PERIOD,
        "posting_date": DAY,
        "description": "Budget FY2027-P05",
        "lines": tuple(lines),
    }
    return Journal(**plain | more)


class Desk(SandboxControl):
    """Controls of the site, and writers to it."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__({"url": sandbox.url, **sandbox.info})
        self.world = sandbox.world
        self._open: list[AcumaticaDrafts] = []

    def clear(self) -> None:
        """Leave nothing of earlier tests, not even what was posted of drafts."""
        self.clear_faults()
        for tenant in site_of(self.world).tenants:
            if tenant.released:
                tenant.books.roll_back(min(tenant.released))
                tenant.released.clear()
        self.world.stats.clear()
        for path in ("switches", "sessions", "failures", "journals"):
            self.call("DELETE", f"/acumatica/{path}")

    def close(self) -> None:
        """Let every writer log out."""
        while self._open:
            self._open.pop().close()

    def drafting(
        self, options: DraftOptions = OPTIONS, *, settle: float | None = SETTLE, **connection: Any
    ) -> AcumaticaDrafts:
        """Open the ledger, as a new process does; what may be on its way is over after a minute."""
        made = connect(self, **{"ledger": LEDGER} | connection)
        drafts = AcumaticaDrafts(AcumaticaApi(made, Transport(clock=QuickClock(self.world), retry=STEADY)), options)
        drafts.settle = settle or drafts.settle
        self._open.append(drafts)
        return drafts

    def write(self, wanted: Journal, drafts: AcumaticaDrafts | None = None) -> list[str]:
        """Bring a journal about; return the sentences of what was done."""
        drafts, done = drafts or self.drafting(), []
        for _ in range(ROUNDS):
            steps = drafts.steps(wanted)
            if not steps:
                return done
            for step in steps:
                step.do()
                done.append(step.sentence)
        raise AssertionError(f"not done after {ROUNDS} rounds: {done}")

    @property
    def batches(self) -> list[dict[str, Any]]:
        """The drafts as the ledger holds them."""
        return list(self.call("GET", "/acumatica/journals")["batches"])

    @property
    def post_calls(self) -> int:
        return int(self.call("GET", "/acumatica/journals")["post_calls"])

    def post_by_hand(self, key: str) -> list[int]:
        """Let a person post a draft; return the entry numbers."""
        return list(self.call("POST", f"/acumatica/journals/{key}/post")["entries"])

    def edit(self, key: str, **values: Any) -> None:
        """Let a person change a draft."""
        self.call("PATCH", f"/acumatica/journals/{key}", {"values": values})

    def turn(self, **switches: object) -> None:
        self.call("PATCH", "/acumatica/switches", switches)

    def answer(self, name: str, **query: object) -> None:
        """Answer a request with a ready-made error."""
        self.call("POST", f"/acumatica/faults/{name}", **{key: str(value) for key, value in query.items()})

    def sessions(self) -> int:
        return len(self.call("GET", "/acumatica/sessions"))

    def writes(self) -> int:
        """Return how many requests reached the journals that were no reads."""
        count = self.world.stats.count
        return sum(count("acumatica", method=method, path="Journal") for method in ("PUT", "POST", "DELETE"))


def planned(*journals: Journal) -> list[tuple[Any, ...]]:
    """Return what the ledger is to hold of journals."""
    return sorted(
        (
            f"{one.key} {one.description}",
            f"{one.key[:9]}-{line.number:05d}",
            line.account,
            line.dimension["DEPARTMENT"].ljust(8) + "00",
            line.amount,
            line.description or one.description,
        )
        for one in journals
        for line in one.lines
    )


def held(desk: Desk) -> list[tuple[Any, ...]]:
    """Return what the ledger holds."""
    names = ("reference", "account", "subaccount")
    return sorted(
        (batch["description"], *(line[name] for name in names), Decimal(line["amount"]), line["description"])
        for batch in desk.batches
        for line in batch["lines"]
    )


def without(wanted: Journal) -> Journal:
    """Return a journal that the plan has no more."""
    return replace(wanted, lines=(), description="", posting_date=date.min)
