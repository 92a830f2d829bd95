# SPDX-License-Identifier: Apache-2.0
"""Whatever happens on the way, a run that goes well leaves the totals of the ledger in the model."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import LostAnswerError, TaskCancelledError, TaskError, TransportError
from airflow_provider_mlconnector.pipeline.plan import Send, Tolerance
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import Ledger, actuals, line, run_ref

ACCOUNTS = ("10100", "40100", "40200")
CHANGES = st.sampled_from(["post", "change", "move", "delete", "none"])
TROUBLES = st.sampled_from(
    ["none", "rejects", "unnamed rejects", "failure", "cancelled", "no upload", "lost answer", "died"]
)
HAPPENINGS = st.lists(st.tuples(CHANGES, TROUBLES, st.booleans(), st.integers(0, 99)), min_size=1, max_size=5)


def disturb(ledger: Ledger, change: str, number: int) -> None:
    """Change the ledger."""
    if change == "post" or not ledger.lines:
        entry = 1 + max((row["entry_number"] for row in ledger.lines), default=0)
        ledger.lines.append(line(entry, ACCOUNTS[number % 3], f"{number}.25"))
        return
    row = ledger.lines[number % len(ledger.lines)]
    if change == "change":
        ledger.change(row["entry_number"], amount=Decimal(number), debit=Decimal(number), credit=Decimal(0))
    elif change == "move":
        ledger.change(row["entry_number"], account=ACCOUNTS[(number + 1) % 3])
    elif change == "delete":
        ledger.lines.remove(row)


def trouble(model: FakeModel, kind: str) -> None:
    """Let the model misbehave."""

    def break_down() -> None:
        raise TransportError("the connection broke")

    def die() -> None:
        raise KeyboardInterrupt

    model.rejected = {"40100"} if "rejects" in kind else set()
    model.dump_lines = kind != "unnamed rejects"
    model.fails = kind == "failure"
    model.lose_answer = kind == "lost answer"
    model.on_upload = break_down if kind == "no upload" else lambda: None
    model.on_start = die if kind == "died" else lambda: None


def run(close: Close, kind: str) -> None:
    """Run once; what goes wrong goes wrong."""
    trouble(close.model, kind)
    with suppress(TaskError, TransportError, LostAnswerError, KeyboardInterrupt):
        state, work = close.begin(close.prepare())
        if kind == "cancelled" and state.ref:
            close.model.cancel(state.ref)
            with suppress(TaskCancelledError):
                close.finish(state, work)
            return
        close.finish(state, work)


@pytest.mark.parametrize("send", list(Send))
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(happenings=HAPPENINGS)
def test_after_any_mishaps_a_good_run_leaves_the_ledgers_totals(bench, send, happenings):
    ledger, model = Ledger(), FakeModel(clears=send is Send.PERIOD)
    plan = actuals(import_name=f"Load {bench.clock.now().isoformat()} {send}", tolerance=Tolerance(rows=99), send=send)
    count = 0

    def close(mode: str) -> Close:
        nonlocal count
        count += 1
        made = run_ref(f"{plan.import_name} {count}", mode)
        bench.trail.open_run(made, requested_by="ada")
        bench.clock.advance(7200)
        return Close(bench, ledger, model, made, plan=plan, owner=made.run_id)

    for change, kind, whole, number in happenings:
        disturb(ledger, change, number)
        run(close("whole" if whole else "changes"), kind)
    trouble(model, "none")
    close("changes").whole_way()
    expected: dict[tuple[str, str], Decimal] = {}
    for row in ledger.lines:
        key = (row["account"], "SALES")
        expected[key] = expected.get(key, Decimal(0)) + row["amount"]
    assert model.amounts() == {key: amount for key, amount in expected.items() if amount}
