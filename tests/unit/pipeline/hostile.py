# SPDX-License-Identifier: Apache-2.0
"""A ledger, a code book and a model to which anything may happen, and what they add up to by a way of its own.

The sums here are taken from the ledger's own rows and a plain dictionary; nothing of the pipeline is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.layout import cell_scope
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Send, Source, Tolerance
from airflow_provider_mlconnector.systems.port import Capabilities, DatasetCapability, Reading, Scope
from airflow_provider_mlconnector.trail.records import Accepted, RunRef
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import COLUMNS, FLOW, PERIOD, Ledger, actuals, line, members

ACCOUNTS = ("10100", "40100", "40200")
DEPARTMENTS = ("", "SALES", "PROD", "LAB")
CENTRES = ("CC1", "CC2", "NONE")
LATE = timedelta(minutes=9)
Cells = dict[tuple[str, str], Decimal]


@dataclass
class HostileLedger(Ledger):
    """A ledger whose dimension values may be deleted.

    :param lost: departments whose value the server does not have: lines with it show no dimensions at all.
    """

    lost: set[str] = field(default_factory=set)
    by_record: bool = True

    def __post_init__(self) -> None:
        lines = DatasetCapability(incremental=True, by_period=True, dimensions=True, by_record=self.by_record)
        self.capabilities = Capabilities({Dataset.JOURNAL_LINES: lines})

    def _batches(self, dataset: Dataset, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
        for batch in super()._batches(dataset, scope, reading):
            codes = [None if code in self.lost else code for code in batch["dimension.DEPARTMENT"].to_pylist()]
            place = batch.schema.get_field_index("dimension.DEPARTMENT")
            yield batch.set_column(place, batch.schema.field(place), pa.array(codes, pa.string()))


@dataclass
class World:
    """Everything around the pipeline.

    :param walk: the code book: member by department code; a code that it lacks is unmapped.
    :param version: what the flow's cells have in the column Version; flows of one model differ in it.
    """

    bench: Bench
    ledger: HostileLedger
    model: FakeModel
    send: Send = Send.TOUCHED
    walk: dict[str, str] = field(default_factory=lambda: {"": "NONE", "SALES": "CC1", "PROD": "CC2"})
    flow: str = FLOW
    version: str = "Actual"
    posted: int = 0
    runs: int = 0

    def __post_init__(self) -> None:
        self.model.clears = self.send is Send.PERIOD
        self.model.lists["Accounts"] = members(*ACCOUNTS)

    # What people do to the ledger; every line has an amount that no other has

    def post(self, account: str, department: str, *, stamp: Any = "now", **more: Any) -> None:
        """Post a line; ``stamp`` may be blank (None), or earlier than its commit."""
        self.posted += 1
        cents = Decimal(self.posted * 7919 % 999_983) / 1_000_000
        amount = (Decimal(self.posted % 7) - 3) * 100 + cents
        moment = self.bench.clock.now() if stamp == "now" else stamp
        values = {"dimension.DEPARTMENT": department, "modified_at": moment, **more}
        self.ledger.lines.append(line(self.posted, account, str(amount), **values))

    def change(self, row: dict[str, Any], *, late: bool = False, **values: Any) -> None:
        """Change a line; its stamp moves to now, or to some minutes earlier when its transaction was a long one."""
        row.update(values, modified_at=self.bench.clock.now() - (LATE if late else timedelta()))

    def reverse(self, row: dict[str, Any]) -> None:
        """Post the opposite of a line, and mark the line."""
        self.posted += 1
        opposite = line(self.posted, row["account"], str(-row["amount"]))
        same = ("posting_date", "kind", "dimension.DEPARTMENT", "statistical")
        self.ledger.lines.append(
            opposite | {name: row.get(name) for name in same} | {"modified_at": self.bench.clock.now()}
        )
        self.change(row, description="reversed")

    def move(self, row: dict[str, Any]) -> None:
        """Move a line to the next period, or back."""
        day = row["posting_date"] + timedelta(days=40 if PERIOD.contains(row["posting_date"]) else -40)
        self.change(row, posting_date=day)

    # What is right

    def plan(self) -> LoadPlan:
        """Return the plan with the code book as it is now."""
        rules = [Rule(MatchKind.EXACT, code, member) for code, member in self.walk.items()]
        return actuals(
            flow=self.flow,
            send=self.send,
            columns={**COLUMNS, "Version": Source(constant=self.version)},
            crosswalks={"Cost Centre": crosswalk("centres.csv", rules)},
            members={"Account": "Accounts"},
            tolerance=Tolerance(share=1.0),
        )

    def in_period(self) -> list[dict[str, Any]]:
        return [row for row in self.ledger.lines if PERIOD.contains(row["posting_date"])]

    def is_left_out(self, row: dict[str, Any]) -> bool:
        return row["kind"] == "closing" or bool(row.get("statistical"))

    def is_mapped(self, row: dict[str, Any]) -> bool:
        department = row["dimension.DEPARTMENT"]
        known = department in self.walk and department not in self.ledger.lost
        return known and row["account"] in self.model.lists["Accounts"].by_code

    def expected(self) -> Cells:
        """Return the cells that the model has to hold, without zeros."""
        sums: Cells = defaultdict(Decimal)
        for row in self.in_period():
            if not self.is_left_out(row) and self.is_mapped(row):
                sums[row["account"], self.walk[row["dimension.DEPARTMENT"]]] += row["amount"]
        return {cell: amount for cell, amount in sums.items() if amount}

    def held(self) -> Cells:
        """Return the cells of the flow that the model holds, without zeros."""
        cells = {key[:2]: Decimal(amount) for key, amount in self.model.cells.items() if key[2] == self.version}
        return {(account, centre): amount for (account, centre), amount in cells.items() if amount}

    def new_run(self, mode: str) -> RunRef:
        """Open a run of the flow."""
        self.runs += 1
        run = RunRef(run_id=f"{self.flow}.{self.runs}", flow=self.flow, period=PERIOD.key, mode=mode)
        self.bench.trail.open_run(run, requested_by="ada")
        return run

    def accepted(self) -> Accepted:
        return self.bench.trail.accepted(cell_scope(self.plan(), PERIOD.key))

    def check_accounted_for(self, made: PreparedManifest) -> None:
        """Every line of the ledger is loaded, left out by rule or quarantined."""
        rows = self.in_period()
        left_out = [row for row in rows if self.is_left_out(row)]
        quarantined = [row for row in rows if not self.is_left_out(row) and not self.is_mapped(row)]
        assert (made.rows_book, made.rows_left_out) == (len(rows), len(left_out))
        assert made.rows_quarantined == len(quarantined)
        assert made.rows_accepted == len(rows) - len(left_out) - len(quarantined)

    def check_accepted_cells(self) -> None:
        """What is taken for accepted is what the model holds, but for cells whose outcome is not known."""
        accepted = self.accepted()
        unknown = {key for file in accepted.in_flight for key in self._amounts(file)}
        held = self._amounts(accepted.file)
        unknown |= {key for key, amount in held.items() if amount is None}
        model = self.held()
        for key in (held.keys() | model.keys()) - unknown:
            assert (held.get(key) or 0) == model.get(key, 0), f"{key} is not as it was accepted"

    def _amounts(self, file: Any) -> dict[tuple[str, str], Decimal | None]:
        if file is None:
            return {}
        rows = pq.read_table(self.bench.stage.fetch(file)).to_pylist()
        return {(row["Account"], row["Cost Centre"]): row["Amount"] for row in rows}
