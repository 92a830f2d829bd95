# SPDX-License-Identifier: Apache-2.0
"""One sandbox with all ledgers, and of each a period that was loaded before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from airflow_provider_mlconnector.demo.rehearsal import DAG_IDS
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.faults.table import LINES, LISTS, FaultTable, Rehearsal
from tests.unit.pipeline.sandbox_close import opened_closes

FLOWS = Path(__file__).parents[4] / "dags/flows"

Rehearse = Callable[[FaultTable], Rehearsal]


@pytest.fixture(scope="package")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", *DAG_IDS], scale=0.02) as running:
        yield running


@pytest.fixture(scope="package")
def control(sandbox: Sandbox) -> SandboxControl:
    return SandboxControl({"url": sandbox.url, **sandbox.info})


@pytest.fixture(scope="package")
def loaded(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Rehearse]:
    """Open the ledger of a table, its period loaded whole when it is asked for first."""
    made: dict[str, Rehearsal] = {}
    with ExitStack() as stack:

        def rehearse(table: FaultTable) -> Rehearsal:
            if table.system not in made:
                folder, flow = tmp_path_factory.mktemp(table.system), FLOWS / f"{DAG_IDS[table.system]}.yaml"
                opened = stack.enter_context(
                    opened_closes(folder, trail_template, sandbox, control, flow, **table.options)
                )
                made[table.system] = Rehearsal(table, sandbox, control, opened(table.key))
                made[table.system].close.imports = (*LISTS, LINES)
                made[table.system].close.run("whole")
                made[table.system].close.imports = (LINES,)
            return made[table.system]

        yield rehearse


@pytest.fixture
def rehearse(loaded: Rehearse, sandbox: Sandbox) -> Iterator[Rehearse]:
    """Give a ledger of which a line was changed; it is in order again afterwards."""
    asked: list[Rehearsal] = []

    def rehearse(table: FaultTable) -> Rehearsal:
        asked.append(loaded(table))
        asked[-1].open()
        sandbox.world.clock.advance(60)
        asked[-1].change_a_line()
        return asked[-1]

    yield rehearse
    for one in asked:
        one.put_in_order()
        one.close.ledger.close()
