# SPDX-License-Identifier: Apache-2.0
"""A close among people who work in the same model: what it holds, what it should hold, and what the run says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from airflow_provider_mlconnector.finance.periods import format_period
from airflow_provider_mlconnector.pipeline.manifests import DatasetCheck
from airflow_provider_mlconnector.pipeline.reconcile import reconcile
from airflow_provider_mlconnector.systems.anaplan.named import ModelReading
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import CENTRES
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose

GL = "Load GL Actuals"
PLANNER = "paula-planner@larkfield.example"

Cells = dict[tuple[str, str], Decimal]


@dataclass
class Office:
    """A close and the people around it; ``version`` is where its amounts belong."""

    close: SandboxClose
    control: SandboxControl
    version: str = "Actual"

    @property
    def month(self) -> str:
        return format_period(self.close.period, "MMM yy")

    def ledger(self) -> Cells:
        """Return what was posted, as the model names it."""
        cells = self.control.ledger(self.close.period.key)
        return {(account, CENTRES[code]): amount for (account, code), amount in cells.items()}

    def model(self, version: str = "") -> Cells:
        return self.control.amounts(self.month, version or self.version)

    def is_right(self) -> bool:
        return self.model() == self.ledger()

    def address(self, cell: tuple[str, str]) -> dict[str, str]:
        where = {"Entity": "Larkfield", "Version": self.version, "Time": self.month}
        return {"Account": cell[0], "Cost Centre": cell[1], **where}

    def type_over(self, cell: tuple[str, str], amount: str) -> None:
        self.control.type_cell("GL Actuals", **self.address(cell), Amount=amount)

    def post(self, amount: str = "10") -> tuple[str, str]:
        """Correct some cell by an amount; return the cell."""
        cell = next(iter(self.ledger()))
        self.correct(cell, amount)
        return cell

    def check_again(self, done: Outcome) -> Outcome:
        """Reconcile a run once more, as one does who clears that task alone."""
        parts = (self.close.plans(), list(done.batches.values()), done.prepared, done.loads)
        return replace(done, report=reconcile(self.close.bench, done.run, *parts, ModelReading(self.close.model)))

    def correct(self, cell: tuple[str, str], amount: str = "10") -> None:
        """Change the amount of one line of a cell."""
        lines = self.control.lines(self.close.period.key)
        line = next(line for line in lines if (line["account"], CENTRES[line["department"]]) == cell)
        self.control.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + Decimal(amount)))


Opening = Callable[..., Office]


def checked(done: Outcome, import_name: str = GL) -> DatasetCheck:
    return next(check for check in done.report.checks if check.import_name == import_name)


def problem(done: Outcome) -> str:
    """Return the one problem that a run has."""
    [sentence] = done.report.problems
    return sentence


def figure(done: Outcome, name: str) -> str | None:
    return next(figure.value for figure in checked(done).figures if figure.name == name)
