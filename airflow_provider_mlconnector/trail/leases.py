# SPDX-License-Identifier: Apache-2.0
"""Who works on which Anaplan model: one lease per host and resolved model id, with a fencing token.

Invariants:

- At any time at most one token of a resource is current, and tokens of a resource only grow, also over releases.
  Whoever holds an older one finds out at its next :meth:`Leases.renew` or :meth:`Leases.check` and must stop.
- An owner is a task instance, not a process. When it acquires what it holds already (a retry, a resumed task), it
  gets a new token and with it the remote job that was noted: an earlier process of the same task is fenced off, the
  job is kept.
- An expired lease is not free: its remote job may still run. :meth:`Leases.acquire` refuses it with ``expired=True``
  and the job; the caller makes sure that the job is over and a chunk time-out has passed, then calls
  :meth:`Leases.takeover`. The same goes for a lease whose owner is known to have ended without giving it back.

Expiry compares the clocks of two machines, so it is a hint to look closer; the tokens decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import FencedError, LeaseTakenError
from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.chain import canonical
from airflow_provider_mlconnector.trail.database import insert_missing, read, write
from airflow_provider_mlconnector.trail.records import Manifest

_TABLE = schema.leases


class Lease(Manifest, frozen=True, kw_only=True):
    """The right to change a model, as long as ``token`` is current.

    :param resource: ``host/model_id``.
    :param until: renew before that; others may look into taking it over after.
    :param remote: the remote job that runs under the lease, as a JSON object.
    """

    resource: str
    owner: str
    token: int
    until: datetime
    remote: dict[str, Any] | None = None


class Leases:
    """The leases of a deployment; ``ttl`` is in seconds everywhere."""

    def __init__(self, engine: Engine, clock: Clock = SYSTEM_CLOCK) -> None:
        self._engine = engine
        self._clock = clock

    def acquire(self, resource: str, owner: str, ttl: float) -> Lease:
        """Take a free resource, or our own again; never wait.

        :raises LeaseTakenError: when another owner has it; ``expired``, ``token``, ``until`` and ``remote`` say how.
        """

        def work(connection: Connection) -> Lease:
            row = _lock(connection, resource)
            if row.owner not in (None, owner):
                raise _taken(row, self._clock.now())
            remote = row.remote if row.owner == owner else None
            return self._hold(connection, row, owner, ttl, remote)

        return write(self._engine, work)

    def takeover(self, resource: str, owner: str, expected_token: int, ttl: float, *, left: bool = False) -> Lease:
        """Take an expired lease whose remote job is known to be over; its old holder is fenced off.

        :param expected_token: the token that the caller looked into.
        :param left: its owner is known to have ended, so that it need not have expired.
        :raises LeaseTakenError: when it has been renewed, released or taken by somebody else since.
        """

        def work(connection: Connection) -> Lease:
            row, now = _lock(connection, resource), self._clock.now()
            if row.owner is None or row.token != expected_token or (row.until > now and not left):
                raise _taken(row, now)
            return self._hold(connection, row, owner, ttl, None)

        return write(self._engine, work)

    def renew(self, lease: Lease, ttl: float) -> Lease:
        """Prolong a lease from now on; an expired one too, if nobody took it.

        :raises FencedError: when the lease is no longer ours.
        """
        until = self._clock.now() + timedelta(seconds=ttl)
        return self._change(lease, until=until)

    def note_remote(self, lease: Lease, remote: Mapping[str, Any] | None) -> Lease:
        """Note the remote job that runs under the lease, or that there is none any more.

        :raises FencedError: when the lease is no longer ours.
        """
        return self._change(lease, remote=None if remote is None else canonical(remote))

    def check(self, lease: Lease) -> None:
        """Make sure that the lease is still ours; cheap enough for every request that changes the model.

        :raises FencedError: when it is not.
        """
        token = sa.select(_TABLE.c.token).where(_TABLE.c.resource == lease.resource, _TABLE.c.owner == lease.owner)
        if read(self._engine, lambda connection: connection.scalar(token)) != lease.token:
            raise _fenced(lease)

    def release(self, lease: Lease) -> bool:
        """Give a lease back; return False, and change nothing, when it was not ours any more."""
        free = _TABLE.update().where(_is_current(lease)).values(owner=None, until=None, remote=None)
        return write(self._engine, lambda connection: connection.execute(free).rowcount) == 1

    def all(self) -> list[Lease]:
        """Return the leases that are held, expired ones too."""
        query = sa.select(_TABLE).where(_TABLE.c.owner.is_not(None)).order_by(_TABLE.c.resource)
        return read(self._engine, lambda connection: [_lease(row) for row in connection.execute(query)])

    def _hold(self, connection: Connection, row: Row[Any], owner: str, ttl: float, remote: str | None) -> Lease:
        until = self._clock.now() + timedelta(seconds=ttl)
        held = {"token": row.token + 1, "owner": owner, "until": until, "remote": remote}
        update = _TABLE.update().where(_TABLE.c.resource == row.resource).values(held).returning(_TABLE)
        return _lease(connection.execute(update).one())

    def _change(self, lease: Lease, **values: Any) -> Lease:
        update = _TABLE.update().where(_is_current(lease)).values(values).returning(_TABLE)
        row = write(self._engine, lambda connection: connection.execute(update).one_or_none())
        if row is None:
            raise _fenced(lease)
        return _lease(row)


def _lock(connection: Connection, resource: str) -> Row[Any]:
    insert_missing(connection, _TABLE, resource=resource, token=0)
    return connection.execute(sa.select(_TABLE).where(_TABLE.c.resource == resource).with_for_update()).one()


def _is_current(lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(_TABLE.c.resource == lease.resource, _TABLE.c.owner == lease.owner, _TABLE.c.token == lease.token)


def _lease(row: Row[Any]) -> Lease:
    return Lease(
        resource=row.resource,
        owner=row.owner,
        token=row.token,
        until=row.until,
        remote=json.loads(row.remote) if row.remote else None,
    )


def _taken(row: Row[Any], now: datetime) -> LeaseTakenError:
    if row.owner is None:
        return LeaseTakenError(f"The lease of {row.resource} was released meanwhile.", owner="", token=row.token)
    expired = row.until <= now
    state = f"did not renew since {row.until:%H:%M:%S} UTC" if expired else f"renews by {row.until:%H:%M:%S} UTC"
    return LeaseTakenError(
        f"{row.owner} works on {row.resource} and {state}.",
        owner=row.owner,
        expired=expired,
        token=row.token,
        until=row.until,
        remote=json.loads(row.remote) if row.remote else None,
    )


def _fenced(lease: Lease) -> FencedError:
    return FencedError(
        f"{lease.owner} no longer holds {lease.resource} (token {lease.token}).",
        hint="Another task took the model over, or a later try of this task did; nothing more is sent.",
    )
