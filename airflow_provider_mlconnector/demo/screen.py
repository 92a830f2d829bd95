# SPDX-License-Identifier: Apache-2.0
"""What a rehearsal shows: progress while it works, then a table for each period."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from airflow_provider_mlconnector.demo.watching import Progress as RunProgress
from airflow_provider_mlconnector.pipeline.manifests import DatasetCheck, ReconcileReport

_NOT_CHECKED = "not checked"
_AMOUNTS = ("ERP total", "model total", "difference")
_WIDTH = 144
Show = Callable[[Sequence[RunProgress]], None]


class Screen:
    """The terminal of the person who rehearses."""

    def __init__(self) -> None:
        plain = Console()
        self._console = plain if plain.is_terminal else Console(width=_WIDTH)

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self._console.print(sentence, highlight=False)

    @contextmanager
    def watch(self) -> Iterator[Show]:
        """Show a bar for each run while the block works."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            bars = {}

            def show(runs: Sequence[RunProgress]) -> None:
                for run in runs:
                    if run.run_id not in bars:
                        bars[run.run_id] = progress.add_task(f"{run.dag_id} {run.period}", state="", total=None)
                    total = sum(run.tasks.values()) or None
                    progress.update(bars[run.run_id], completed=run.done, total=total, state=run.state)

            yield show

    def report(self, report: ReconcileReport) -> None:
        """Print a period's table, and what does not agree."""
        verdict = "the books agree" if report.agrees else "THE BOOKS DIFFER"
        table = Table(title=f"{report.run.flow} {report.run.period}: {verdict}", title_justify="left")
        for name in ("dataset", "import"):
            table.add_column(name)
        for name in ("read", "accepted", "quarantined", "left out", "loaded", "rejected", *_AMOUNTS):
            table.add_column(name, justify="right")
        for check in report.checks:
            table.add_row(*_row(check))
        self._console.print(table)
        for problem in report.problems:
            self.say(f"  {problem}")

    def drafts(self, plans: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Print what plans became, by their names."""
        table = Table(title="Plans that came home; nothing is posted", title_justify="left")
        for name in ("plan", "document", "number in the ledger", "lines", "state"):
            table.add_column(name)
        for plan, documents in plans.items():
            for one in documents:
                table.add_row(plan, one["key"], one["number"], str(one["lines"]), one["state"])
        self._console.print(table)

    def door(self, url: str, passwords: Mapping[str, str]) -> None:
        """Say where the UI is, and who gets in."""
        self.say(f"\nAirflow: {url}")
        for user, password in passwords.items():
            self.say(f"  user: {user}   password: {password}")


def _row(check: DatasetCheck) -> tuple[str, ...]:
    told = check.summary
    counts = (told.rows_read, told.rows_accepted, told.rows_quarantined, told.rows_left_out, told.loaded, told.rejected)
    amounts = (told.erp_total, told.model_total, told.difference)
    return (check.dataset, check.import_name, *map(_count, counts), *map(_amount, amounts))


def _count(count: int | None) -> str:
    return _NOT_CHECKED if count is None else f"{count:,}"


def _amount(text: str | None) -> str:
    return _NOT_CHECKED if text is None else f"{Decimal(text):,.2f}"
