# SPDX-License-Identifier: Apache-2.0
"""What a company's transactions came to, a month at a time, from the present backwards.

Each transaction is a call of its own, and balances take all of them. But a posted transaction never changes: what a
month came to is remembered beside what its list said of number, source and stamp of each transaction, and as long as
the list says the same, nothing of that month is asked for again. So the first sum takes a call for every transaction,
and each one after it a list for every month.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.journals import kind_of, list_between
from airflow_provider_mlconnector.systems.dynamics_gp.transactions import Listed, lines_by_key

_DAY = timedelta(days=1)


class Memory(Protocol):
    """Texts by name that outlive the process, shared by all workers. To forget one costs another read, no more."""

    def recall(self, name: str) -> str | None:
        """Return what was kept last under a name."""

    def keep(self, name: str, text: str) -> None:
        """Keep a text in place of the one before."""


class _NoMemory:
    """Remembers nothing: every sum takes all calls."""

    def recall(self, name: str) -> str | None:
        """Return None."""

    def keep(self, name: str, text: str) -> None:
        """Forget it at once."""


NO_MEMORY: Memory = _NoMemory()


@dataclass(frozen=True, slots=True)
class Movement:
    """What was posted to an account, by its whole number, for one reason."""

    number: str
    kind: EntryKind
    debit: Decimal
    credit: Decimal


class History:
    """The movements of a company's days.

    :param memory: where months are remembered.
    """

    def __init__(self, api: GpApi, memory: Memory) -> None:
        self._api = api
        self._memory = memory

    def of(self, period: Period) -> Iterator[Movement]:
        """Yield what was posted within a period."""
        last = period.end
        while last >= period.start:
            first = max(last.replace(day=1), period.start)
            yield from self._movements(first, last, list_between(self._api, first, last))
            last = first - _DAY

    def before(self, day: date) -> Iterator[Movement]:
        """Yield what was posted on all days before one; what lies before a month without postings is one list."""
        last = day - _DAY
        while transactions := list_between(self._api, last.replace(day=1), last):
            yield from self._movements(last.replace(day=1), last, transactions)
            last = last.replace(day=1) - _DAY
        if earlier := list_between(self._api, None, last):
            yield from self._movements(None, last, earlier)

    def _movements(self, first: date | None, last: date, transactions: Sequence[Listed]) -> Iterator[Movement]:
        name, listed = self._name(first, last), _digest(transactions)
        kept = json.loads(self._memory.recall(name) or "{}")
        if kept.get("listed") == listed:
            yield from map(_from_json, kept["movements"])
            return
        movements = self._summed(transactions)
        self._memory.keep(name, json.dumps({"listed": listed, "movements": [_to_json(one) for one in movements]}))
        yield from movements

    def _summed(self, transactions: Sequence[Listed]) -> list[Movement]:
        sums: dict[tuple[str, EntryKind], tuple[list[Decimal], list[Decimal]]] = {}
        for line in lines_by_key(self._api, transactions):
            debits, credits = sums.setdefault((line.number, kind_of(self._api, line.source)), ([], []))
            debits.append(line.debit)
            credits.append(line.credit)
        return [
            Movement(number, kind, add_money(debits), add_money(credits))
            for (number, kind), (debits, credits) in sums.items()
        ]

    def _name(self, first: date | None, last: date) -> str:
        """Name the days by all that decides what they come to."""
        connection = self._api.connection
        told = (connection.ledger, connection.closing_source, connection.forward_source, first or "", last)
        return " ".join(map(str, ("dynamics_gp", connection.soap_url, self._api.company.id, *told)))


def _digest(transactions: Sequence[Listed]) -> str:
    told = sorted(f"{one.name} {one.modified_at} {one.source}" for one in transactions)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _to_json(movement: Movement) -> list[str]:
    return [movement.number, movement.kind.value, str(movement.debit), str(movement.credit)]


def _from_json(row: Sequence[str]) -> Movement:
    number, kind, debit, credit = row
    return Movement(number, EntryKind(kind), Decimal(debit), Decimal(credit))
