# SPDX-License-Identifier: Apache-2.0
"""The process that writes is killed (SIGKILL) at every request: its next try leaves one whole draft in each ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import LeaseTakenError
from airflow_provider_mlconnector.finance.drafts import Journal
from airflow_provider_mlconnector.flows.erps import System
from airflow_provider_mlconnector.pipeline.leasing import LEASE_SECONDS
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.systems.drafting import stands
from airflow_provider_mlconnector.trail.documents import Documents
from airflow_provider_mlconnector.trail.records import RunRef
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import QuickClock
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.plan.drafters import POST, Office
from tests.unit.pipeline.plan.interrupting import payload
from tests.unit.pipeline.plan.killing import Requests, Writing, killed, killed_at_its_file, undisturbed
from tests.unit.pipeline.support import FLOW
from tests.unit.systems.acumatica.drafts import desk as acumatica
from tests.unit.systems.business_central.drafts import desk as business_central
from tests.unit.systems.dynamics_fo import fo_desk as dynamics_fo
from tests.unit.systems.dynamics_gp.drafts import desk as dynamics_gp
from tests.unit.systems.syspro.drafts import desk as syspro

PERIOD = "FY2027-P05"
NOTHING = "(?!)"
"""A pattern that is found nowhere."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger, and how a test looks at what it holds.

    :param company: as its connection calls it; ``name`` is that of the batch, journal name or ledger.
    :param opened: returns the desk of the people there.
    :param journal: returns a journal of two lines, another one for each part.
    :param holds: says whether the ledger holds one journal, whole, and nothing else.
    :param writes: the requests that change the ledger.
    """

    system: System
    company: str
    name: str
    options: dict[str, str]
    opened: Callable[[Sandbox, Path], Any]
    journal: Callable[[str], Journal]
    holds: Callable[[Any, Journal], bool]
    writes: Requests


LEDGERS = {
    "business_central": Ledger(
        System.BUSINESS_CENTRAL,
        "Larkfield Ltd",
        business_central.BATCH,
        {},
        lambda sandbox, _: business_central.Desk(sandbox),
        lambda part: business_central.journal("5", part=part),
        lambda desk, one: business_central.holds(desk) == business_central.held(one) and not desk.post_calls,
        Requests("POST", business_central.JOURNALS),
    ),
    "dynamics_fo": Ledger(
        System.DYNAMICS_FO,
        "lark",
        dynamics_fo.NAME,
        {},
        lambda sandbox, _: dynamics_fo.FoDesk(sandbox),
        lambda part: dynamics_fo.journal(("60210", "SALES", "9"), ("20400", "", "-9"), part=part),
        lambda desk, one: (
            dynamics_fo.holds(desk) == dynamics_fo.held(one) and len(desk.told_journals()) == 1 and not desk.post_calls
        ),
        Requests("POST", "/data/LedgerJournal"),
    ),
    "acumatica": Ledger(
        System.ACUMATICA,
        "LARKFIELD",
        acumatica.LEDGER,
        {"segments": "LOCATION 00"},
        lambda sandbox, _: acumatica.Desk(sandbox),
        lambda part: acumatica.journal("5", part=part),
        lambda desk, one: (
            acumatica.held(desk) == acumatica.planned(one) and len(desk.batches) == 1 and not desk.post_calls
        ),
        Requests("PUT", "JournalTransaction"),
    ),
    "dynamics_gp": Ledger(
        System.DYNAMICS_GP,
        "Larkfield Ltd",
        dynamics_gp.BATCH,
        {"segments": "Department 000"},
        lambda sandbox, _: dynamics_gp.Desk(sandbox),
        lambda part: dynamics_gp.journal("5", part=part),
        lambda desk, one: (
            desk.held() == dynamics_gp.planned(one) and len(desk.drafts.entries) == 1 and not desk.post_calls
        ),
        Requests("POST", "#CreateGLTransaction$"),
    ),
    "syspro, by files": Ledger(
        System.SYSPRO,
        "L",
        "BUDGET",
        {"segments": syspro.SEGMENTS},
        syspro.Desk,
        lambda part: syspro.journal("5", part=part),
        lambda desk, one: handed_over(desk) == [f"{one.key}.xml"] and stands(one, desk.drafting().find(one)),
        Requests(path=NOTHING),
    ),
    "syspro, posting": Ledger(
        System.SYSPRO,
        "L",
        "BUDGET",
        {"segments": syspro.SEGMENTS, **POST},
        syspro.Desk,
        lambda part: syspro.journal("5", part=part),
        lambda desk, one: desk.entries(one) == syspro.posted(one) and desk.post_calls == 1,
        Requests(path=syspro.POSTS),
    ),
}


def handed_over(desk: syspro.Desk) -> list[str]:
    """Return the files that a person finds; those that a dead process left half written are hidden."""
    return [name for name in desk.files() if not name.startswith(".")]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(list(System), scale=0.02) as running:
        yield running


@dataclass
class Scene:
    """A ledger with nothing of ours in it, and a trail on which nothing was written."""

    ledger: Ledger
    sandbox: Sandbox
    folder: Path
    part: str

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.desk = self.ledger.opened(self.sandbox, self.folder / "plans")
        self.desk.clear()
        self.journal = self.ledger.journal(self.part)

    def writing(self, trail_template: Path) -> Writing:
        shutil.copy(trail_template, self.folder / "trail.db")
        address = f"sqlite:///{self.folder}/trail.db"
        with closing(Trail(address, clock=QuickClock(self.sandbox.world))) as trail:
            trail.open_run(RunRef(run_id="run", flow=FLOW, period=PERIOD, mode="plan"), requested_by="ada")
        control = SandboxControl({"url": self.sandbox.url, **self.sandbox.info})
        one = self.ledger
        office = Office(control, one.system, one.company, "", one.name, self.folder / "plans", one.options)
        approved = payload(one.company, one.name, PERIOD, self.journal)
        return Writing(office, approved.encode(), address, self.folder, "run")

    def is_right(self, writing: Writing) -> bool:
        """Say whether one whole draft stands, and nothing is left open."""
        with writing.bench(QuickClock(self.sandbox.world)) as bench:
            intents = [row.intent for row in Documents(bench.trail.engine).of_flow(FLOW, PERIOD)]
        return intents == [None] and self.ledger.holds(self.desk, self.journal)


@pytest.fixture
def scene(tmp_path: Path, sandbox: Sandbox) -> Iterator[Callable[[Ledger, str], Scene]]:
    opened = []

    def go(ledger: Ledger, part: str) -> Scene:
        opened.append(Scene(ledger, sandbox, tmp_path / part, part))
        return opened[-1]

    yield go
    for one in opened:
        one.desk.clear()


@pytest.mark.parametrize("name", LEDGERS)
def test_a_process_killed_at_any_request_is_followed_by_one_that_leaves_one_whole_draft(
    scene, sandbox, trail_template, name
):
    """Before each request is carried out; and, where it changes the ledger, after that and before the answer."""
    ledger = LEDGERS[name]
    counted = scene(ledger, "undisturbed")
    writing = counted.writing(trail_template)
    writes, others = undisturbed(sandbox.world, writing, ledger.writes, Requests())
    assert counted.is_right(writing)
    assert (writes > 0) is (ledger.writes.path != NOTHING)
    before = [(Requests(), at, False) for at in range(writes + others)]
    after = [(ledger.writes, at, True) for at in range(writes)]
    for which, at, carried_out in before + after:
        boundary = f"{'after' if carried_out else 'before'} {at}"
        one = scene(ledger, boundary)
        writing = one.writing(trail_template)
        killed(sandbox.world, writing, which, at=at, carried_out=carried_out)
        writing.go(QuickClock(sandbox.world))
        assert one.is_right(writing), boundary


@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
def test_a_process_killed_when_its_file_is_to_appear_is_followed_by_one_that_leaves_it_whole(
    scene, sandbox, trail_template, written
):
    one = scene(LEDGERS["syspro, by files"], f"file {written}")
    writing = one.writing(trail_template)
    killed_at_its_file(writing, written=written)
    assert len(handed_over(one.desk)) == written
    writing.go(QuickClock(sandbox.world))
    assert one.is_right(writing)


def test_the_lease_of_a_killed_process_is_taken_over_by_another_task_once_it_expired(scene, sandbox, trail_template):
    ledger, clock = LEDGERS["dynamics_gp"], QuickClock(sandbox.world)
    one = scene(ledger, "another task")
    writing = one.writing(trail_template)
    killed(sandbox.world, writing, ledger.writes, at=0, carried_out=True)
    another = replace(writing, owner="another plan/write")
    with pytest.raises(LeaseTakenError):
        another.go(clock)
    clock.sleep(LEASE_SECONDS)
    another.go(clock)
    assert one.is_right(writing)
