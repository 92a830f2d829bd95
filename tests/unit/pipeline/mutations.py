# SPDX-License-Identifier: Apache-2.0
"""One step of a close broken at a time: what is patched, and by what words the run has to notice.

Every mutant counts how often it made a difference, so that one that changes nothing cannot pass for one that is caught.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from airflow_provider_mlconnector.pipeline import control, extract
from airflow_provider_mlconnector.pipeline.totals import Comparison
from airflow_provider_mlconnector.systems.business_central import lines
from airflow_provider_mlconnector.systems.http.odata import ODataReader, Page

WHOLE, CHANGES = "whole", "changes"


@dataclass
class Mutant:
    """A patch at work; ``changed`` counts the times that it made a difference."""

    patch: pytest.MonkeyPatch
    changed: int = 0

    def wrap(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        """Replace a function by one that is given the function and its arguments."""
        real = getattr(owner, name)
        self.patch.setattr(owner, name, lambda *args, **kwargs: around(real, *args, **kwargs))

    def differ(self, before: Any, after: Any) -> Any:
        """Count a difference, and return what came of it."""
        self.changed += before != after
        return after


@dataclass(frozen=True)
class Mutation:
    """A way to break a close.

    :param noticed: regular expressions, one of which the report's problems or the error have to hold.
    :param modes: in which runs it makes a difference.
    """

    name: str
    apply: Callable[[Mutant], None]
    noticed: tuple[str, ...]
    modes: tuple[str, ...] = (WHOLE, CHANGES)
    view_needed: bool = False


MUTATIONS: list[Mutation] = []
ERP = "The ERP's own figures .* differ from the book"
SHORT = "that the ERP counted, .* came"


def mutation(*noticed: str, **options: Any) -> Callable[[Callable[[Mutant], None]], Callable[[Mutant], None]]:
    """Add a function to the table; its name is the mutation's."""

    def add(apply: Callable[[Mutant], None]) -> Callable[[Mutant], None]:
        MUTATIONS.append(Mutation(apply.__name__, apply, noticed, **options))
        return apply

    return add


# What the ledger answers


def on_pages(mutant: Mutant, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Corrupt the rows of each page of journal lines, on the wire."""

    def page(real: Callable[..., Page], reader: ODataReader, link: str, size: int) -> Page:
        found = real(reader, link, size)
        if "generalLedgerEntries" not in link or not found.rows:
            return found
        rows = [json.loads(bytes(row), parse_float=Decimal) for row in found.rows]
        wrong = mutant.differ(rows, change([dict(row) for row in rows]))
        texts = [json.dumps(row, default=str) for row in wrong]
        texts = [_bare_amounts(text, row) for text, row in zip(texts, wrong, strict=True)]
        body = ('{"value":[' + ",".join(texts) + "]}").encode()
        raws = tuple(msgspec.json.decode(body, type=dict[str, list[msgspec.Raw]])["value"])
        return replace(found, body=memoryview(body), rows=raws)

    mutant.wrap(ODataReader, "page", page)


def _bare_amounts(text: str, row: dict[str, Any]) -> str:
    """Write decimals as JSON numbers, digit by digit."""
    for value in row.values():
        if isinstance(value, Decimal):
            text = text.replace(f'"{value}"', str(value))
    return text


@mutation(ERP, SHORT)
def the_ledgers_answer_drops_a_row(mutant: Mutant) -> None:
    on_pages(mutant, lambda rows: rows[:-1])


@mutation(ERP)
def the_ledgers_answer_changes_a_sign(mutant: Mutant) -> None:
    def turned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        row = rows[0]
        row["debitAmount"], row["creditAmount"] = row["creditAmount"], row["debitAmount"]
        row["amount"] = -Decimal(row.get("amount") or 0)
        return rows

    on_pages(mutant, turned)


@mutation(ERP)
def amounts_are_read_through_floats(mutant: Mutant) -> None:
    def floated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            for name in ("debitAmount", "creditAmount", "amount"):
                if name in row:
                    row[name] = round(Decimal(float(row[name])), 2)
        return rows

    on_pages(mutant, floated)


@mutation(ERP, SHORT)
def reading_stops_a_page_early(mutant: Mutant) -> None:
    def windows(real: Callable[..., Iterator[Page]], *args: Any, **kwargs: Any) -> Iterator[Page]:
        found = [page for page in real(*args, **kwargs) if page.rows]
        entries = len(found) > 1 and b"documentNumber" in bytes(found[0].body)
        yield from mutant.differ(found, found[:-1]) if entries else found

    mutant.wrap(ODataReader, "windows", windows)


@mutation(ERP)
def another_period_is_read(mutant: Mutant) -> None:
    def within(real: Callable[..., str], period: Any) -> str:
        return mutant.differ(real(period), real(replace(period, start=period.start.replace(day=8))))

    mutant.wrap(lines, "posted_within", within)


@mutation(ERP, SHORT)
def the_last_batch_of_a_read_gets_lost(mutant: Mutant) -> None:
    def passing(real: Callable[..., Any], self: Any, batches: Any) -> Iterator[pa.RecordBatch]:
        found = list(batches)
        lines_of = found and "posting_date" in found[0].schema.names
        yield from real(self, mutant.differ(found, found[:-1]) if lines_of else found)

    mutant.wrap(control.Control, "passing", passing)


@mutation(ERP, SHORT)
def a_lost_page_goes_unnoticed_by_the_read(mutant: Mutant) -> None:
    reading_stops_a_page_early(mutant)

    def content(real: Callable[..., Comparison], *args: Any) -> Comparison:
        return replace(real(*args), agrees=True, difference=Decimal(0), accounts=())

    mutant.wrap(extract.totals, "compare", content)
    mutant.patch.setattr("airflow_provider_mlconnector.pipeline.linecheck.totals", _real_totals(extract.totals))


def _real_totals(module: Any) -> Any:
    """Return the figures' module as it was, for the step that was not broken."""
    kept = {name: getattr(module, name) for name in ("BookTotals", "book_totals", "movement", "less")}
    return SimpleNamespace(**kept, compare=COMPARE)


COMPARE = extract.totals.compare
