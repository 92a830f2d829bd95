# SPDX-License-Identifier: Apache-2.0
"""An import that Anaplan takes in part: what becomes of the rows that it rejects, and of the close."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import TaskFailedError
from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.pipeline.plan import Tolerance
from airflow_provider_mlconnector.trail.records import CellScope, Reject, RejectKind
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.sandbox_close import SandboxClose
from tests.unit.pipeline.support import csv_rows, parquet_rows

GL = "Load GL Actuals"
WIDE = Tolerance(share=1.0)


@dataclass
class Vanishing:
    """A close during which a person deletes the two accounts with the most cells, just before the import starts."""

    close: SandboxClose
    control: SandboxControl
    members: list[dict[str, str]]

    def delete(self) -> None:
        self.control.call("DELETE", "/anaplan/members", {"list": "Accounts", "members": sorted(self.accounts)})

    def put_back(self) -> None:
        self.close.meanwhile.clear()
        self.control.call("POST", "/anaplan/members", {"list": "Accounts", "members": self.members})

    def tolerate(self, tolerance: Tolerance) -> None:
        self.close.changed[GL] = {"tolerance": tolerance}

    @property
    def accounts(self) -> set[str]:
        return {member["code"] for member in self.members}

    @property
    def lost(self) -> dict[tuple[str, str], Decimal]:
        """The cells that Anaplan rejects."""
        cells = self.control.ledger(self.close.period.key)
        return {cell: amount for cell, amount in cells.items() if cell[0] in self.accounts}

    @property
    def sent(self) -> int:
        return len(self.control.ledger(self.close.period.key))

    def rejects(self, run_id: str) -> list[Reject]:
        return [row.reject for row in self.close.bench.trail.rejects(run_id, kind=RejectKind.REJECTED)]


@pytest.fixture
def vanishing(closing: Callable[[str], SandboxClose], control: SandboxControl) -> Callable[[str], Vanishing]:
    def begin(key: str) -> Vanishing:
        close = closing(key)
        accounts = [account for account, _ in control.ledger(key)]
        busiest = sorted(set(accounts), key=accounts.count)[-2:]
        close.imports = ("Load Accounts", "Load Cost Centres")
        close.run()
        close.imports = (*close.imports, GL)
        members = control.call("GET", "/anaplan/members", list="Accounts")["members"]
        at = Vanishing(close, control, [member for member in members if member["code"] in busiest])
        close.meanwhile[GL] = at.delete
        return at

    return begin


def test_rejected_rows_are_on_the_trail_joined_to_the_lines_that_were_sent(vanishing) -> None:
    at = vanishing("FY2026-P05")
    at.tolerate(WIDE)
    load = at.close.run().load(GL)
    sent = csv_rows(at.close.bench, load.prepared.file)
    rejects = at.rejects(load.run.run_id)
    assert len(rejects) == len(at.lost) == load.rejected > 1
    for reject in rejects:
        row = sent[(reject.line or 0) - 1]
        assert reject.cell == {name: row[name] for name in ("Account", "Cost Centre", "Time")}
        assert Decimal(reject.amount or 0) == Decimal(row["Amount"])
        assert reject.values == row
        assert row["Account"] in reject.reason
    assert sum(Decimal(reject.amount or 0) for reject in rejects) == sum(at.lost.values())


def test_within_the_tolerance_the_sums_close_and_the_difference_is_what_was_rejected(vanishing, control) -> None:
    at = vanishing("FY2026-P06")
    at.tolerate(WIDE)
    done = at.close.run()
    assert done.report.agrees, done.report.problems
    told = next(check.summary for check in done.report.checks if check.import_name == GL)
    assert (told.loaded, told.rejected) == (at.sent - len(at.lost), len(at.lost))
    by_account: dict[str, Decimal] = defaultdict(Decimal)
    for (account, _), amount in at.lost.items():
        by_account[account] += amount
    assert Decimal(told.difference or 0) == sum(abs(amount) for amount in by_account.values()) > 0
    held = control.amounts(format_period(at.close.period, "MMM yy"))
    assert sum(held.values()) == sum(control.ledger(at.close.period.key).values()) - sum(at.lost.values())


@pytest.mark.parametrize(
    ("period", "tolerance", "stands"),
    [
        ("FY2026-P07", lambda at: Tolerance(rows=len(at.lost)), True),
        ("FY2026-P08", lambda at: Tolerance(rows=len(at.lost) - 1), False),
        ("FY2026-P09", lambda at: Tolerance(share=(len(at.lost) + 0.5) / at.sent), True),
        ("FY2026-P10", lambda at: Tolerance(share=(len(at.lost) - 0.5) / at.sent), False),
    ],
    ids=["as many rows", "a row too many", "as large a share", "too large a share"],
)
def test_the_tolerance_decides_and_either_way_the_next_run_sends_what_was_rejected(
    vanishing, control, period: str, tolerance: Callable[[Vanishing], Tolerance], stands: bool
) -> None:
    at = vanishing(period)
    at.tolerate(tolerance(at))
    if stands:
        assert at.close.run().load(GL).rejected == len(at.lost)
    else:
        with pytest.raises(TaskFailedError, match=f"{len(at.lost)} of {at.sent} rows were rejected"):
            at.close.run()
    accepted = at.close.bench.trail.accepted(CellScope(flow=at.close.flow.name, import_name=GL, period=period))
    held = parquet_rows(at.close.bench, accepted.file)
    assert len(held) == at.sent - len(at.lost)
    at.put_back()
    again = at.close.run()
    resent = csv_rows(at.close.bench, again.load(GL).prepared.file)
    assert {row["Account"] for row in resent} == at.accounts
    assert len(resent) == len(at.lost)
    assert again.report.agrees, again.report.problems
    assert again.report.difference == "0.00"
    held_now = control.amounts(format_period(at.close.period, "MMM yy"))
    assert sum(held_now.values()) == sum(control.ledger(period).values())
