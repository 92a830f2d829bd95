# SPDX-License-Identifier: Apache-2.0
"""One Anaplan token per login for the whole deployment, and the refresh tokens that rotate, encrypted.

Invariants:

- One holder at a time makes a new token of a key. It claims the row and keeps the claim alive while it works, so a
  slow login is not doubled; a holder that died is replaced when its claim runs out. The others wait and get the
  holder's token.
- A new access token and the refresh token that came with it are committed in one transaction before anybody uses
  either.
- A rotating refresh token whose holder died over its use, or lost the answer, may be spent, and the new one was told to
  nobody else. The next holder tries it all the same, for it may never have been sent; when it is refused, the error
  says what happened, and that a person has to log in.
- A refused login is not tried again by those who waited for it: twenty processes with a wrong password make one
  attempt.
- Nothing secret leaves this module unencrypted but through :meth:`Vault.token` and the arguments of ``fresh``.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import AuthenticationError, LostAnswerError, TrailError, VaultError
from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.cipher import Cipher, unseal
from airflow_provider_mlconnector.trail.database import insert_missing, read, write

_TABLE = schema.vault
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_LOGIN = "Run: airflow mlconnector login"
_ANOTHER = "Another task has just tried; see the connection's login."
_CUT_OFF = "Its last use was cut off before the answer was stored: the refresh token that came in its place is lost."
_STORE_WAITS = (0.5, 1, 2, 4, 8)


class TokenLike(Protocol):
    """What the vault needs to know of a token."""

    @property
    def value(self) -> str:
        """Return the secret."""

    @property
    def expires_at(self) -> datetime:
        """Return when it ends, aware."""

    @property
    def scheme(self) -> str:
        """Return the word before it in the Authorization header."""


TokenT = TypeVar("TokenT", bound=TokenLike)


class Vault(Generic[TokenT]):
    """Implements the Anaplan client's ``TokenStore`` for a deployment.

    :param make_token: makes the client's token of value, expiry and scheme, as ``systems.anaplan.ports.Token`` does.
    :param claim_seconds: how long a holder that died keeps the others waiting, at most.
    """

    def __init__(
        self,
        engine: Engine,
        cipher: Cipher,
        make_token: Callable[[str, datetime, str], TokenT],
        clock: Clock = SYSTEM_CLOCK,
        *,
        claim_seconds: float = 30.0,
    ) -> None:
        self._engine = engine
        self._cipher = cipher
        self._make_token = make_token
        self._clock = clock
        self._claim = timedelta(seconds=claim_seconds)

    def token(
        self, key: str, *, fresh: Callable[[TokenT | None, str | None], tuple[TokenT, str | None]], early: float
    ) -> TokenT:
        """Return a token that lives for at least ``early`` more seconds, made by one holder at a time.

        :param key: fingerprint of host and login; never a secret itself.
        :param fresh: logs in or refreshes; takes the last token and the stored refresh token, returns new ones.
        :raises AuthenticationError: when the login was refused, to us or to the holder that we waited for.
        :raises VaultError: when the cipher does not open what is stored.
        """
        holder, wait = secrets.token_hex(8), _FIRST_WAIT
        row = self._row(key)
        refusals = row.refusals
        while not self._lives(row, early):
            if row.refusals != refusals:
                raise AuthenticationError(row.refusal, hint=_LOGIN if _CUT_OFF in row.refusal else _ANOTHER)
            if claimed := self._try_claim(key, holder, early, refusals):
                return self._refresh(claimed, holder, fresh)
            self._clock.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)
            row = self._row(key)
        return self._token(row)

    def reject(self, key: str, value: str) -> None:
        """Forget a token that the server refused, unless a newer one is stored already."""

        def work(connection: Connection) -> None:
            row = _lock(connection, key)
            if row.access and hmac.compare_digest(self._token(row).value.encode(), value.encode()):
                _update(connection, _of(key), access=None, expires_at=None)

        write(self._engine, work)

    def put_refresh_token(self, key: str, refresh_token: str) -> None:
        """Store a refresh token that a person obtained; the access token of the one before is forgotten."""

        def work(connection: Connection) -> None:
            row = _lock(connection, key)
            _update(
                connection,
                _of(key),
                generation=row.generation + 1,
                access=None,
                expires_at=None,
                refresh=self._seal(key, refresh_token),
                claimed_by=None,
                claimed_until=None,
            )

        write(self._engine, work)

    def _row(self, key: str) -> Row[Any]:
        query = sa.select(_TABLE).where(_of(key))
        found = read(self._engine, lambda connection: connection.execute(query).one_or_none())
        return found if found is not None else write(self._engine, lambda connection: _lock(connection, key))

    def _lives(self, row: Row[Any], early: float) -> bool:
        return row.access is not None and row.expires_at - self._clock.now() > timedelta(seconds=early)

    def _try_claim(self, key: str, holder: str, early: float, refusals: int) -> Row[Any] | None:
        def work(connection: Connection) -> Row[Any] | None:
            row, now = _lock(connection, key), self._clock.now()
            taken = row.claimed_until is not None and row.claimed_until > now
            if taken or row.refusals != refusals or self._lives(row, early):
                return None
            _update(connection, _of(key), claimed_by=holder, claimed_until=now + self._claim)
            return row

        return write(self._engine, work)

    def _refresh(
        self,
        row: Row[Any],
        holder: str,
        fresh: Callable[[TokenT | None, str | None], tuple[TokenT, str | None]],
    ) -> TokenT:
        key, free = row.vault_key, {"claimed_by": None, "claimed_until": None}
        ours = sa.and_(_of(key), _TABLE.c.claimed_by == holder)
        try:
            with self._claim_kept(ours):
                token, rotated = fresh(*self._last(row))
        except AuthenticationError as error:
            if row.claimed_by is not None and row.refresh is not None:
                error.message, error.hint = f"{error.message} {_CUT_OFF}", _LOGIN
            refused = {"refusals": row.refusals + 1, "refusal": error.message}
            self._change(ours, **refused, **free)
            raise
        except LostAnswerError:  # the claim is left behind as by a holder that died, and is over at once
            self._change(ours, claimed_until=self._clock.now())
            raise
        except BaseException:
            self._change(ours, **free)
            raise
        values = free | {
            "generation": row.generation + 1,
            "access": self._seal(key, token.value, token.scheme),
            "expires_at": token.expires_at,
            "refresh": self._seal(key, rotated) if rotated else row.refresh,
        }
        # Even with our claim lost the new tokens are the valid ones, unless somebody stored others meanwhile.
        self._store(sa.and_(_of(key), _TABLE.c.generation == row.generation), values)
        return token

    def _store(self, same: sa.ColumnElement[bool], values: dict[str, Any]) -> None:
        """Store new tokens, patiently: a rotated refresh token that is lost costs a person a login."""
        for wait in _STORE_WAITS:
            try:
                return self._change(same, **values)
            except TrailError:
                self._clock.sleep(wait)
        self._change(same, **values)

    def _change(self, where: sa.ColumnElement[bool], **values: Any) -> None:
        write(self._engine, lambda connection: _update(connection, where, **values))

    @contextmanager
    def _claim_kept(self, ours: sa.ColumnElement[bool]) -> Iterator[None]:
        """Prolong our claim until the block ends."""
        over = threading.Event()

        def keep() -> None:
            while not over.wait(self._claim.total_seconds() / 3):
                self._change(ours, claimed_until=self._clock.now() + self._claim)

        keeper = threading.Thread(target=keep, name="vault-claim", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _last(self, row: Row[Any]) -> tuple[TokenT | None, str | None]:
        refresh = self._open(row.vault_key, row.refresh)[0] if row.refresh else None
        try:
            return self._token(row) if row.access else None, refresh
        except VaultError:
            # A spent token is only a help for the next login; what is lost with its key is not missed.
            return None, refresh

    def _token(self, row: Row[Any]) -> TokenT:
        value, scheme = self._open(row.vault_key, row.access)
        return self._make_token(value, row.expires_at, scheme)

    def _seal(self, key: str, *words: str) -> str:
        return self._cipher.encrypt(json.dumps([key, *words]).encode()).decode()

    def _open(self, key: str, sealed: str) -> list[str]:
        owner, *words = json.loads(unseal(self._cipher, sealed))
        if owner != key:
            raise VaultError("A token in the vault belongs to another login.", hint=_LOGIN)
        return [str(word) for word in words]


def _of(key: str) -> sa.ColumnElement[bool]:
    return _TABLE.c.vault_key == key


def _lock(connection: Connection, key: str) -> Row[Any]:
    insert_missing(connection, _TABLE, vault_key=key, generation=0, refusals=0, refusal="")
    return connection.execute(sa.select(_TABLE).where(_of(key)).with_for_update()).one()


def _update(connection: Connection, where: sa.ColumnElement[bool], **values: Any) -> None:
    connection.execute(_TABLE.update().where(where).values(values))
