# SPDX-License-Identifier: Apache-2.0
"""What brings a plan's journals about in the sandbox's SYSPRO, and the people around it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.clock import Clock
from airflow_provider_mlconnector.errors import ConflictError
from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, document_key
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import Sandbox
from airflow_provider_mlconnector.sandbox.syspro import site_of
from airflow_provider_mlconnector.sandbox.syspro.site import Switches
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.calls import Wire
from airflow_provider_mlconnector.systems.syspro.connection import SysproConnection
from airflow_provider_mlconnector.systems.syspro.draft_options import read_options
from airflow_provider_mlconnector.systems.syspro.drafts import SysproDrafts
from airflow_provider_mlconnector.systems.syspro.hand_over import LocalShelf, Workflow
from airflow_provider_mlconnector.systems.syspro.opening import open_drafts, open_wire
from tests.sandbox_control import SandboxControl
from tests.unit.systems.http.scripted_server import FakeClock, quick

PERIOD = "FY2027-P05"
DAY = date(2026, 11, 30)
SEGMENTS = "DEPARTMENT 000"
SECRET = b"between us"
READ_TIMEOUT = 60.0
POST = {"post": "yes"}
POSTS = "(?s)Transaction/Post.*<ValidateOnly>N"
"""The request that posts, as faults look for it."""


def journal(*amounts: str, part: str = "1", **more: Any) -> Journal:
    """Return a journal: rent per department, and accruals against it without one."""
    values = [Decimal(amount) for amount in amounts or ("1200.50", "0.01", "-300")]
    lines = [
        JournalLine(
            number=place,
            account="60210",
            dimensions=(("DEPARTMENT", ("SALES", "PROD", "ADM")[place % 3]),),
            amount=amount,
            description=f"Miete für {place}",
        )
        for place, amount in enumerate(values, start=1)
    ]
    total = sum(values, Decimal(0))
    lines.append(JournalLine(number=len(lines) + 1, account="20400", amount=-total, description="Accrued"))
    plain = {
        "key": document_key("syspro", PERIOD, part),
        "period": PERIOD,
        "posting_date": DAY,
        "description": "Budget",
        "lines": tuple(lines),
    }
    return Journal(**plain | more)


def emptied(one: Journal) -> Journal:
    """Return what a journal is to become when its plan has it no more."""
    return Journal(key=one.key, period=one.period, posting_date=date.min, description="", lines=())


class Desk:
    """``drafting`` is a new process each time; ``folder`` is where it hands journals over."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.world = sandbox.world
        self.control = SandboxControl({"url": sandbox.url, **sandbox.info})
        self.told = sandbox.info["syspro"]
        self.site = site_of(sandbox.world)
        self.folder = folder
        self._open: list[SysproDrafts] = []
        self._calls = (self.site.post_calls, self.site.validations)

    def clear(self) -> None:
        """Leave nothing behind but what was posted, which stays for ever."""
        for drafting in self._open:
            drafting.close()
        self._open.clear()
        self.world.faults.clear()
        self.site.switches = Switches()
        self.site.sessions.clear()

    def drafting(self, *, clock: Clock | None = None, webhook: str = "", **told: str) -> SysproDrafts:
        """Open what brings journals about: by files unless told otherwise."""
        where = {} if "post" in told else {"folder": str(self.folder)}
        options = read_options({"segments": SEGMENTS, **where, **({"webhook": webhook} if webhook else {}), **told})
        clock = clock or FakeClock()
        workflow = None
        if webhook:
            session = HttpSession(webhook, quick(clock, read_timeout=READ_TIMEOUT))
            workflow = Workflow(session, webhook, SECRET)
        api, wire = self.connected(clock)
        shelf = LocalShelf(self.folder) if where else None
        self._open.append(open_drafts(api, wire, options, shelf=shelf, workflow=workflow, clock=clock))
        return self._open[-1]

    def connected(self, clock: Clock) -> tuple[SysproApi, Wire]:
        """Return the way to both services of the company."""
        names = ("odata_url", "enet_url", "entity_url", "password", "company", "company_password")
        connection = SysproConnection(**{name: self.told[name] for name in names}, operator=self.told["login"])
        return SysproApi(connection, quick(clock)), open_wire(connection, quick(clock, read_timeout=READ_TIMEOUT))

    def write(self, wanted: Journal, **told: str) -> list[str]:
        """Bring a journal about as the write step does when nothing goes wrong; return what was done."""
        drafting, done = self.drafting(**told), []
        while steps := drafting.steps(wanted):
            try:
                for step in steps:
                    done.append(step.sentence)
                    step.do()
            except ConflictError:
                continue
        return done

    def fault(self, kind: str, path: str = POSTS, **options: Any) -> int:
        return self.world.faults.add(Fault(FaultKind(kind), "syspro", path=path, **options))

    def file(self, one: Journal) -> str | None:
        """Return the file of a journal as a person reads it."""
        path = self.folder / f"{one.key}.xml"
        return path.read_bytes().decode("cp1252") if path.exists() else None

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*")) if self.folder.exists() else []

    def post_by_hand(self, one: Journal) -> None:
        """Let a person post the file of a journal."""
        self.control.call("POST", "/syspro/journals/post", {"document": self.file(one)})

    @property
    def post_calls(self) -> int:
        """How often something was posted over the service since this desk was opened."""
        return int(self.control.call("GET", "/syspro/journals")["post_calls"]) - self._calls[0]

    @property
    def validations(self) -> int:
        return int(self.control.call("GET", "/syspro/journals")["validations"]) - self._calls[1]

    @property
    def sessions(self) -> int:
        return int(self.control.call("GET", "/syspro/sessions")["sessions"])

    def entries(self, one: Journal) -> list[tuple[Any, ...]]:
        """Return what the books hold under a journal's key."""
        found = [line for line in self.world.books.lines(PERIOD) if line.document == one.key]
        return [(line.posting_date, line.account, line.department, line.amount, line.description) for line in found]


def posted(*journals: Journal) -> list[tuple[Any, ...]]:
    """Return what the books are to hold of journals."""
    return [
        (one.posting_date, line.account, line.dimension.get("DEPARTMENT", ""), line.amount, line.description)
        for one in journals
        for line in one.lines
    ]
