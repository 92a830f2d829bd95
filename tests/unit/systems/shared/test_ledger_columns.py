# SPDX-License-Identifier: Apache-2.0
"""Balances and periods as every ledger hands them on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.balances import Balance, balances_batch, balances_period, summed
from airflow_provider_mlconnector.systems.books import Books
from airflow_provider_mlconnector.systems.canonical import calendar_lookup, canonical_batch
from airflow_provider_mlconnector.systems.periods import LedgerPeriod, periods_batch
from airflow_provider_mlconnector.systems.port import AS_IT_STANDS, Capabilities, FindingKind, Reading, Scope

OCTOBER = Period(2027, 4, date(2026, 10, 1), date(2026, 10, 31))
LARGE = Decimal("12345678901234567890123456789012.000001")


def test_parts_of_an_account_add_up_without_losing_a_digit():
    parts = [("10100", Balance(LARGE)), ("10100", Balance(debit=Decimal("0.000002"))), ("20400", Balance(credit=LARGE))]
    found = summed(parts)
    assert str(found["10100"].closing) == "12345678901234567890123456789012.000003"
    assert found["20400"].movement == LARGE.copy_negate()


@pytest.mark.parametrize(("company", "first"), [("", "FY2027-P04/10100"), ("L", "L/FY2027-P04/10100")])
def test_balances_come_by_account_and_close_with_what_they_moved(company, first):
    balances = {"20400": Balance(credit=Decimal(7)), "10100": Balance(Decimal(1), Decimal(5), Decimal(2))}
    rows = balances_batch(OCTOBER, balances, company=company).to_pylist()
    assert rows[0]["record_id"] == first
    assert [(row["account"], row["amount"], row["closing"]) for row in rows] == [("10100", 3, 4), ("20400", -7, -7)]


def test_balances_without_a_period_are_refused():
    with pytest.raises(CapabilityError, match="none is named"):
        balances_period(Scope())


def test_a_period_that_the_calendar_does_not_know_is_left_out_and_reported():
    def period(key: str | None, start: date) -> LedgerPeriod:
        names = {"record_id": start.isoformat(), "document": f"P {start}", "name": "x"}
        return LedgerPeriod(key=key, **names, start=start, end=None, closed=False, locked=True)

    reading = Reading(batches=iter(()))
    rows = periods_batch([period("FY2027-P04", OCTOBER.start), period(None, date(1850, 1, 1))], reading).to_pylist()
    assert [(row["period"], row["locked"]) for row in rows] == [("FY2027-P04", True)]
    assert [(found.kind, found.subject) for found in reading.findings] == [(FindingKind.ROW_INVALID, "1850-01-01")]


def test_only_a_calendar_tells_the_periods_of_days():
    with pytest.raises(CapabilityError, match="Only a calendar"):
        calendar_lookup(None)


class Shelf:
    """A service that counts what it is asked."""

    requests_made = 3
    closed = False

    def close(self) -> None:
        self.closed = True


class ThreePages(Books):
    """Books whose vendors come in three pages, one of them empty."""

    capabilities = Capabilities(datasets={Dataset.VENDORS: AS_IT_STANDS}, title="The shelf")

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        super().__init__(shelf, {Dataset.VENDORS: self._vendors})

    def _vendors(self, _: Scope, reading: Reading) -> Iterator[object]:
        reading.resource = "shelf"
        for names in (["V1", "V2"], [], ["V3"]):
            self._shelf.requests_made += 1
            yield canonical_batch(Dataset.VENDORS, {"record_id": names, "document": names})


def test_a_reading_counts_its_own_requests_and_leaves_empty_pages_out():
    shelf = Shelf()
    books = ThreePages(shelf)
    reading = books.read(Dataset.VENDORS, Scope())
    assert shelf.requests_made == 3
    assert (next(reading.batches).num_rows, reading.requests) == (2, 1)
    assert [batch.num_rows for batch in reading.batches] == [1]
    assert (reading.requests, reading.resource, reading.cursor) == (3, "shelf", None)
    books.close()
    assert shelf.closed


def test_a_dataset_without_a_reader_is_refused_with_those_that_there_are():
    with pytest.raises(CapabilityError, match="The shelf cannot be read for accounts; it has vendors"):
        ThreePages(Shelf()).read(Dataset.ACCOUNTS, Scope())
