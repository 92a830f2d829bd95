# SPDX-License-Identifier: Apache-2.0
"""Balances that are summed from journals ask for each transaction once, and again only where a list says otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books.periods import MONTHS_FROM_JULY
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.systems.port import Scope
from tests.unit.systems.dynamics_gp.conftest import PERIOD, Server

BEFORE = MONTHS_FROM_JULY.period_of_key("FY2027-P03")


class Kept(dict[str, str]):
    """A memory; ``recall`` and ``keep`` are those of a dictionary."""

    recall = dict.get
    keep = dict.__setitem__


@pytest.fixture
def memory() -> Kept:
    return Kept()


def closings(server: Server, period: Period, memory: Kept) -> tuple[dict[str, Decimal], int]:
    """Return the closing balances, and how many requests they took."""
    reading = server.open(memory=memory).read(Dataset.ACCOUNT_BALANCES, Scope(period))
    rows: list[dict[str, Any]] = [row for batch in reading.batches for row in batch.to_pylist()]
    return {row["account"]: row["closing"] for row in rows}, reading.requests


def in_books(server: Server, period: Period) -> dict[str, Decimal]:
    return {name: one.closing for name, one in server.books.balances(period.key, CLOSE_BY_DATE).items()}


def test_a_second_sum_asks_for_lists_alone(server, memory):
    first, calls = closings(server, PERIOD, memory)
    again, lists = closings(server, PERIOD, memory)
    assert first == again == in_books(server, PERIOD)
    assert lists < calls / 2


def test_the_next_period_takes_over_what_is_remembered_of_those_before(server, memory):
    closings(server, BEFORE, memory)
    remembered = dict(memory)
    after, _ = closings(server, PERIOD, memory)
    assert after == in_books(server, PERIOD)
    assert {name for name in memory if name not in remembered} == {name for name in memory if str(PERIOD.end) in name}


def test_a_changed_or_new_transaction_has_its_month_asked_for_again(server, memory):
    closings(server, PERIOD, memory)
    remembered = dict(memory)
    line = next(line for line in server.books.lines(BEFORE.key) if line.amount)
    server.books.change_line(line.entry_number, amount=line.amount + Decimal("0.03"))
    after, _ = closings(server, PERIOD, memory)
    assert after == in_books(server, PERIOD)
    assert [name for name in memory if memory[name] != remembered[name]] == [
        name for name in memory if str(BEFORE.end) in name
    ]


def test_what_another_company_came_to_is_remembered_apart(server, memory):
    closings(server, PERIOD, memory)
    remembered = dict(memory)
    other = server.open(memory=memory, company="Meadow Tools Ltd")
    rows = [row for batch in other.read(Dataset.ACCOUNT_BALANCES, Scope(PERIOD)).batches for row in batch.to_pylist()]
    books = server.sandbox.world.companies["MEADOW"].balances(PERIOD.key, CLOSE_BY_DATE)
    assert {row["account"]: row["closing"] for row in rows} == {name: one.closing for name, one in books.items()}
    assert {name: memory[name] for name in remembered} == remembered
