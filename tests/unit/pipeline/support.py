# SPDX-License-Identifier: Apache-2.0
"""What the pipeline's tests share: a ledger in memory, a model that can be read, and a clock that stands still."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_mlconnector.finance.datasets import PERIOD_DATASETS, Dataset, arrow_schema
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, ReadPlan, Source
from airflow_provider_mlconnector.systems.anaplan.definitions import Members
from airflow_provider_mlconnector.systems.port import (
    Capabilities,
    DatasetCapability,
    Finding,
    PeriodTotals,
    Reading,
    Scope,
)
from airflow_provider_mlconnector.trail.records import RunRef, StagedFile
from tests.clocks import START

FLOW = "larkfield_close"
COMPANY = "LARKFIELD"
PERIOD = Period(2026, 5, date(2025, 11, 1), date(2025, 11, 30))
DIMENSIONS = ("DEPARTMENT",)
LOG = logging.getLogger("pipeline-tests")


def line(number: int, account: str = "40100", amount: str = "100.00", **more: Any) -> dict[str, Any]:
    """Return a journal line; ``amount`` is debit minus credit."""
    value = Decimal(amount)
    return {
        "record_id": f"e{number}",
        "document": f"G{number:05d}",
        "modified_at": START - timedelta(days=1) + timedelta(minutes=number),
        "entry_number": number,
        "posting_date": PERIOD.start + timedelta(days=number % 28),
        "account": account,
        "description": f"Entry {number}",
        "debit": max(value, Decimal(0)),
        "credit": max(-value, Decimal(0)),
        "amount": value,
        "kind": "normal",
        "dimension.DEPARTMENT": "SALES",
        **more,
    }


def account(code: str, name: str = "", **more: Any) -> dict[str, Any]:
    """Return an account."""
    return {"record_id": f"a{code}", "account": code, "name": name or f"Account {code}", **more}


@dataclass
class Ledger:
    """An ERP in memory; change ``rows`` at will.

    :param totals: what the ERP says of its own; None: the truth.
    :param requested: every scope that was asked for.
    """

    rows: dict[Dataset, list[dict[str, Any]]] = field(default_factory=dict)
    totals: PeriodTotals | None = None
    page: int = 3
    findings: list[Finding] = field(default_factory=list)
    requested: list[tuple[Dataset, Scope]] = field(default_factory=list)
    on_page: Any = None
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            {
                dataset: DatasetCapability(dataset is Dataset.JOURNAL_LINES, dataset in PERIOD_DATASETS)
                for dataset in Dataset
            },
        )
    )

    @property
    def lines(self) -> list[dict[str, Any]]:
        return self.rows.setdefault(Dataset.JOURNAL_LINES, [])

    def change(self, number: int, **values: Any) -> None:
        """Edit a journal line as the ERP would: its stamp moves."""
        found = next(row for row in self.lines if row["entry_number"] == number)
        latest = max(row["modified_at"] for row in self.lines)
        found.update(values, modified_at=latest + timedelta(minutes=1))

    def read(self, dataset: Dataset, scope: Scope) -> Reading:
        self.requested.append((dataset, scope))
        reading = Reading(iter(()), resource=f"fake/{dataset}", findings=list(self.findings))
        reading.batches = self._batches(dataset, scope, reading)
        return reading

    def _batches(self, dataset: Dataset, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
        schema = arrow_schema(dataset, scope.dimensions)
        rows = [row for row in self.rows.get(dataset, []) if self._within(row, scope)]
        for at in range(0, len(rows), self.page):
            reading.requests += 1
            part = [{name: row.get(name) for name in schema.names} for row in rows[at : at + self.page]]
            stamps = [row["modified_at"] for row in part if row["modified_at"]]
            reading.cursor = max([*stamps, *([reading.cursor] if reading.cursor else [])], default=None)
            yield pa.RecordBatch.from_pylist(part, schema=schema)
            if self.on_page:
                self.on_page()

    @staticmethod
    def _within(row: Mapping[str, Any], scope: Scope) -> bool:
        if scope.period and "posting_date" in row and not scope.period.contains(row["posting_date"]):
            return False
        if scope.records and row["record_id"] not in scope.records:
            return False
        if scope.since is None:
            return True
        return row["modified_at"] is not None and row["modified_at"] >= scope.since

    def period_totals(self, period: Period) -> PeriodTotals:
        if self.totals is not None:
            return self.totals
        rows = [row for row in self.lines if period.contains(row["posting_date"])]
        nets: dict[str, Decimal] = {}
        for row in rows:
            nets[row["account"]] = nets.get(row["account"], Decimal(0)) + row["amount"]
        return PeriodTotals(len(rows), nets, "fake trial balance")

    def by_account(self) -> dict[str, Decimal]:
        return dict(self.period_totals(PERIOD).by_account or {})


@dataclass
class FakeReader:
    """The readable side of a model."""

    lists: dict[str, Members] = field(default_factory=dict)
    view: list[dict[str, str]] = field(default_factory=list)
    views_read: int = 0

    def members(self, list_name: str) -> Members:
        return self.lists[list_name]

    def view_cells(self, view_name: str, target: Path) -> Path:
        self.views_read += 1
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file, list(self.view[0]) if self.view else ["Account", "Cost Centre", "Time", "Amount"]
            )
            writer.writeheader()
            writer.writerows(self.view)
        return target


def members(*codes: str) -> Members:
    """Return a list whose names are ``Name of <code>``."""
    return Members({code: f"Name of {code}" for code in codes}, {f"Name of {code}": code for code in codes})


def run_ref(run_id: str, mode: str = "changes", period: str = PERIOD.key) -> RunRef:
    return RunRef(run_id=run_id, flow=FLOW, period=period, mode=mode)


def read_plan(dataset: Dataset = Dataset.JOURNAL_LINES, *imports: str) -> ReadPlan:
    dimensions = DIMENSIONS if dataset is Dataset.JOURNAL_LINES else ()
    return ReadPlan(FLOW, COMPANY, dataset, dimensions, imports or ("Load GL Actuals",))


COLUMNS = {
    "Account": Source("account"),
    "Cost Centre": Source("dimension.DEPARTMENT"),
    "Version": Source(constant="Actual"),
    "Time": Source("period"),
    "Amount": Source("amount"),
}


def actuals(**more: Any) -> LoadPlan:
    """Return the plan of journal lines into cells."""
    values: dict[str, Any] = {
        "flow": FLOW,
        "company": COMPANY,
        "dataset": Dataset.JOURNAL_LINES,
        "import_name": "Load GL Actuals",
        "columns": COLUMNS,
        "group_by": ("Account", "Cost Centre", "Time"),
        **more,
    }
    return LoadPlan(**values)


def records(dataset: Dataset, columns: Mapping[str, str], **more: Any) -> LoadPlan:
    """Return the plan of a list."""
    sources = {
        name: Source(constant=text[1:]) if text.startswith("=") else Source(text) for name, text in columns.items()
    }
    return LoadPlan(FLOW, COMPANY, dataset, f"Load {dataset}", sources, **more)


def csv_rows(bench: Bench, file: StagedFile | None) -> list[dict[str, str]]:
    """Return the lines of a staged import file."""
    if file is None:
        return []
    with bench.stage.fetch(file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def parquet_rows(bench: Bench, file: StagedFile | None) -> list[dict[str, Any]]:
    return [] if file is None else pq.read_table(bench.stage.fetch(file)).to_pylist()


def amounts(rows: list[dict[str, str]]) -> dict[tuple[str, str], Decimal]:
    """Return the amounts of import lines by account and cost centre."""
    return {(row["Account"], row["Cost Centre"]): Decimal(row["Amount"]) for row in rows}
