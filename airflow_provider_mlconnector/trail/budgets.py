# SPDX-License-Identifier: Apache-2.0
"""The tenant's requests per minute, shared by every process of a deployment.

Anaplan counts 600 requests a minute for the whole tenant. Of these ``reserve`` are left to people, and we send at most
``per_minute - reserve`` in any 60 seconds **as the server counts them**. A request that was taken here reaches the
server a moment later, so the window that is counted here is longer by ``SLACK_SECONDS``: a request may be that late,
or two machines' clocks that far apart, and the bound still holds. What is later than that eats into the reserve.

Requests are counted by second, and a second is forgotten only when all of it has left the window; so the count is
never too low. A take is one short transaction on one row, committed without waiting for the disk: about a thousand a
second on SQLite, where the budget itself allows nine.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.database import insert_missing, write

WINDOW_SECONDS = 60
SLACK_SECONDS = 3
_SPREAD_SECONDS = 0.5
_TABLE = schema.budgets


class Budgets:
    """Implements the Anaplan client's ``Budget`` for a deployment.

    :param per_minute: what the server allows; the rest of it, ``reserve``, is left to people.
    """

    def __init__(
        self, engine: Engine, clock: Clock = SYSTEM_CLOCK, *, per_minute: int = 600, reserve: int = 60
    ) -> None:
        if not 0 <= reserve < per_minute:
            raise ConfigurationError(f"A reserve of {reserve} leaves nothing of {per_minute} requests a minute.")
        self._engine = engine
        self._clock = clock
        self._limit = per_minute - reserve

    def take(self, key: str) -> float:
        """Take one request of a budget and return 0, or return the seconds to wait before asking again.

        :param key: whose budget, such as the tenant's host.
        """
        return write(self._engine, lambda connection: self._take(connection, key), durable=False)

    def pause(self, key: str, seconds: float) -> None:
        """Let nobody send for that long: the server said so. A longer pause that is set already stays."""

        def work(connection: Connection) -> None:
            until = self._clock.now() + timedelta(seconds=seconds)
            row = _lock(connection, key)
            if row.paused_until is None or row.paused_until < until:
                connection.execute(_TABLE.update().where(_TABLE.c.budget_key == key).values(paused_until=until))

        write(self._engine, work, durable=False)

    def _take(self, connection: Connection, key: str) -> float:
        row = _lock(connection, key)
        now = self._clock.now()
        if row.paused_until is not None and row.paused_until > now:
            return _spread((row.paused_until - now).total_seconds())
        second = int(now.timestamp())
        counted = _in_window(row, second)
        if counted.total() >= self._limit:
            free_at = min(counted) + WINDOW_SECONDS + SLACK_SECONDS + 1
            return _spread((datetime.fromtimestamp(free_at, UTC) - now).total_seconds())
        counted[second] += 1
        text = json.dumps(counted, separators=(",", ":"))
        connection.execute(_TABLE.update().where(_TABLE.c.budget_key == key).values(seconds=text))
        return 0.0


def _lock(connection: Connection, key: str) -> Row[Any]:
    query = sa.select(_TABLE).where(_TABLE.c.budget_key == key).with_for_update()
    if (row := connection.execute(query).one_or_none()) is None:
        insert_missing(connection, _TABLE, budget_key=key, seconds="{}")
        row = connection.execute(query).one()
    return row


def _in_window(row: Row[Any], now: int) -> Counter[int]:
    """Return the counts that still matter; one stamped by a clock that is ahead of ours counts as of now."""
    counted: Counter[int] = Counter()
    for text, count in json.loads(row.seconds).items():
        if (second := int(text)) >= now - WINDOW_SECONDS - SLACK_SECONDS:
            counted[min(second, now)] += count
    return counted


def _spread(wait: float) -> float:
    """Keep waiting processes from coming back all at once."""
    return max(wait, 0.0) + random.uniform(0.01, _SPREAD_SECONDS)  # noqa: S311  (spreads processes, guards nothing)
