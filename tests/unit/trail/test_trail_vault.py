# SPDX-License-Identifier: Apache-2.0
"""One login for everybody, nothing lost when refresh tokens rotate, nothing readable without the key."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, SystemClock
from airflow_provider_mlconnector.errors import AuthenticationError, ServerError, VaultError
from airflow_provider_mlconnector.trail.cipher import FernetCipher
from airflow_provider_mlconnector.trail.database import read
from airflow_provider_mlconnector.trail.store import Trail
from airflow_provider_mlconnector.trail.vault import Vault
from tests.clocks import START, StandingClock
from tests.unit.trail.support import in_processes

KEY = "anaplan/ada"
OLD_KEY, NEW_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@dataclass(frozen=True)
class Pass:
    """A token as a client may have it."""

    value: str
    expires_at: datetime
    scheme: str = "Bearer"


@dataclass
class Door:
    """Makes tokens, each better for 35 minutes, and remembers what it was asked with."""

    clock: StandingClock
    rotates: bool = False
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)

    def __call__(self, last: Pass | None, refresh: str | None) -> tuple[Pass, str | None]:
        self.asked.append((last.value if last else None, refresh))
        number = len(self.asked)
        made = Pass(f"access-{number}", self.clock.now() + timedelta(minutes=35))
        return made, f"refresh-{number}" if self.rotates else None


@pytest.fixture
def vault(trail: Trail, clock: StandingClock) -> Vault[Pass]:
    return Vault(trail.engine, FernetCipher(OLD_KEY), Pass, clock)


def test_a_token_is_made_once_and_kept_until_shortly_before_its_end(vault: Vault[Pass], clock: StandingClock) -> None:
    door = Door(clock)
    first = vault.token(KEY, fresh=door, early=120)
    assert first == Pass("access-1", START + timedelta(minutes=35))
    clock.advance(32 * 60)
    assert vault.token(KEY, fresh=door, early=120) == first
    clock.advance(2 * 60)
    assert vault.token(KEY, fresh=door, early=120).value == "access-2"
    assert door.asked == [(None, None), ("access-1", None)]


def test_logins_do_not_share_tokens(vault: Vault[Pass], clock: StandingClock) -> None:
    door = Door(clock)
    vault.token(KEY, fresh=door, early=0)
    assert vault.token("anaplan/bob", fresh=door, early=0).value == "access-2"


def test_a_refused_token_is_forgotten_but_a_newer_one_is_not(vault: Vault[Pass], clock: StandingClock) -> None:
    door = Door(clock)
    vault.token(KEY, fresh=door, early=0)
    vault.reject(KEY, "access-0")
    assert vault.token(KEY, fresh=door, early=0).value == "access-1"
    vault.reject(KEY, "access-1")
    assert vault.token(KEY, fresh=door, early=0).value == "access-2"
    assert door.asked[1] == (None, None)


def test_a_rotated_refresh_token_is_stored_before_the_access_token_is_handed_out(
    vault: Vault[Pass], clock: StandingClock
) -> None:
    door = Door(clock, rotates=True)
    vault.put_refresh_token(KEY, "from the person")
    for _ in range(3):
        vault.token(KEY, fresh=door, early=0)
        clock.advance(36 * 60)
    assert [refresh for _, refresh in door.asked] == ["from the person", "refresh-1", "refresh-2"]


def test_a_refresh_token_that_does_not_rotate_stays(vault: Vault[Pass], clock: StandingClock) -> None:
    door = Door(clock)
    vault.put_refresh_token(KEY, "for ever")
    for _ in range(2):
        vault.token(KEY, fresh=door, early=0)
        clock.advance(36 * 60)
    assert [refresh for _, refresh in door.asked] == ["for ever", "for ever"]


def test_a_persons_new_login_replaces_the_token_of_the_old_one(vault: Vault[Pass], clock: StandingClock) -> None:
    door = Door(clock)
    vault.put_refresh_token(KEY, "old grant")
    vault.token(KEY, fresh=door, early=0)
    vault.put_refresh_token(KEY, "new grant")
    vault.token(KEY, fresh=door, early=0)
    assert door.asked == [(None, "old grant"), (None, "new grant")]


def test_a_persons_login_during_a_refresh_is_not_overwritten_by_it(vault: Vault[Pass], clock: StandingClock) -> None:
    door = Door(clock, rotates=True)

    def overtaken(last: Pass | None, refresh: str | None) -> tuple[Pass, str | None]:
        vault.put_refresh_token(KEY, "new grant")
        return door(last, refresh)

    vault.put_refresh_token(KEY, "old grant")
    vault.token(KEY, fresh=overtaken, early=0)
    vault.token(KEY, fresh=door, early=0)
    assert [refresh for _, refresh in door.asked] == ["old grant", "new grant"]


def test_an_old_token_refused_during_a_refresh_does_not_lose_the_new_one(
    vault: Vault[Pass], clock: StandingClock
) -> None:
    door = Door(clock, rotates=True)
    vault.token(KEY, fresh=door, early=0)
    clock.advance(36 * 60)

    def meanwhile(last: Pass | None, refresh: str | None) -> tuple[Pass, str | None]:
        vault.reject(KEY, "access-1")
        return door(last, refresh)

    vault.token(KEY, fresh=meanwhile, early=0)
    assert vault.token(KEY, fresh=door, early=0).value == "access-2"


def failing(error: Exception) -> Callable[[Pass | None, str | None], tuple[Pass, str | None]]:
    def fresh(last: Pass | None, refresh: str | None) -> tuple[Pass, str | None]:
        raise error

    return fresh


def test_a_failed_login_frees_the_way_for_the_next_one(vault: Vault[Pass], clock: StandingClock) -> None:
    for error in (ServerError("503"), AuthenticationError("wrong password"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            vault.token(KEY, fresh=failing(error), early=0)
    assert vault.token(KEY, fresh=Door(clock), early=0).value == "access-1"
    assert clock.now() == START


def test_a_holder_that_died_keeps_the_others_waiting_for_its_claim_only(
    trail: Trail, vault: Vault[Pass], clock: StandingClock
) -> None:
    child = os.fork()
    if child == 0:
        vault.token(KEY, fresh=lambda last, refresh: os._exit(0), early=0)
    os.waitpid(child, 0)
    assert vault.token(KEY, fresh=Door(clock), early=0).value == "access-1"
    assert 29 < (clock.now() - START).total_seconds() < 33


def test_a_slow_login_is_not_doubled(trail: Trail) -> None:
    vault = Vault(trail.engine, FernetCipher(OLD_KEY), Pass, SYSTEM_CLOCK, claim_seconds=0.3)
    calls: list[str] = []

    def slow(last: Pass | None, refresh: str | None) -> tuple[Pass, str | None]:
        calls.append("slow")
        time.sleep(0.8)
        return Pass("access", SYSTEM_CLOCK.now() + timedelta(minutes=35)), None

    threads = [threading.Thread(target=lambda: vault.token(KEY, fresh=slow, early=0)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["slow"]


@pytest.mark.parametrize("early", [0, 120])
def test_twenty_processes_with_an_expired_token_make_one_login(trail: Trail, tmp_path: Path, early: float) -> None:
    vault = Vault(trail.engine, FernetCipher(OLD_KEY), Pass, SYSTEM_CLOCK)
    spent = Pass("spent", SYSTEM_CLOCK.now() + timedelta(seconds=early))
    vault.token(KEY, fresh=lambda last, refresh: (spent, "refresh-0"), early=0)
    logins = tmp_path / "logins"

    def fresh(last: Pass | None, refresh: str | None) -> tuple[Pass, str | None]:
        with logins.open("a") as file:
            file.write(f"{os.getpid()} {refresh}\n")
        time.sleep(0.1)
        return Pass("fresh", SYSTEM_CLOCK.now() + timedelta(minutes=35)), "refresh-1"

    assert {got.value for got in in_processes(20, lambda number: vault.token(KEY, fresh=fresh, early=early))} == {
        "fresh"
    }
    assert [line.split()[1] for line in logins.read_text().splitlines()] == ["refresh-0"]


class WatchedClock(SystemClock):
    """Leaves a mark the first time that its process waits."""

    def __init__(self, marks: Path) -> None:
        self.marks = marks

    def sleep(self, seconds: float) -> None:
        (self.marks / str(os.getpid())).touch()
        super().sleep(seconds)


def test_nineteen_processes_that_wait_for_a_refused_login_do_not_try_it_again(trail: Trail, tmp_path: Path) -> None:
    waiting, attempts = tmp_path / "waiting", tmp_path / "attempts"
    waiting.mkdir()
    vault = Vault(trail.engine, FernetCipher(OLD_KEY), Pass, WatchedClock(waiting))

    def fresh(last: Pass | None, refresh: str | None) -> tuple[Pass, str | None]:
        with attempts.open("a") as file:
            file.write("attempt\n")
        while len(list(waiting.iterdir())) < 19:
            time.sleep(0.01)
        raise AuthenticationError("Anaplan refuses ada's password.")

    def asks(number: int) -> None:
        with pytest.raises(AuthenticationError, match="refuses ada's password"):
            vault.token(KEY, fresh=fresh, early=0)

    in_processes(20, asks)
    assert attempts.read_text().splitlines() == ["attempt"]


def test_another_key_opens_nothing_and_says_what_to_do(trail: Trail, vault: Vault[Pass], clock: StandingClock) -> None:
    vault.put_refresh_token(KEY, "grant")
    vault.token(KEY, fresh=Door(clock), early=0)
    stranger = Vault(trail.engine, FernetCipher(NEW_KEY), Pass, clock)
    with pytest.raises(VaultError, match="former key after the present one"):
        stranger.token(KEY, fresh=Door(clock), early=0)
    with pytest.raises(VaultError):
        stranger.reject(KEY, "access-1")
    clock.advance(36 * 60)
    with pytest.raises(VaultError):
        stranger.token(KEY, fresh=Door(clock), early=0)
    assert vault.token(KEY, fresh=Door(clock), early=0).value == "access-1"


def test_a_key_can_be_changed_while_the_former_one_is_kept(
    trail: Trail, vault: Vault[Pass], clock: StandingClock
) -> None:
    door = Door(clock)
    vault.put_refresh_token(KEY, "grant")
    vault.token(KEY, fresh=door, early=0)
    changed = Vault(trail.engine, FernetCipher(f"{NEW_KEY}, {OLD_KEY}"), Pass, clock)
    assert changed.token(KEY, fresh=door, early=0).value == "access-1"
    clock.advance(36 * 60)
    assert changed.token(KEY, fresh=door, early=0).value == "access-2"
    assert Vault(trail.engine, FernetCipher(NEW_KEY), Pass, clock).token(KEY, fresh=door, early=0).value == "access-2"


def test_a_spent_token_of_a_lost_key_does_not_stop_a_login_by_password(
    trail: Trail, vault: Vault[Pass], clock: StandingClock
) -> None:
    vault.token(KEY, fresh=Door(clock), early=0)
    clock.advance(36 * 60)
    door = Door(clock)
    assert Vault(trail.engine, FernetCipher(NEW_KEY), Pass, clock).token(KEY, fresh=door, early=0).value == "access-1"
    assert door.asked == [(None, None)]


def test_a_sealed_token_moved_to_another_login_is_refused(
    trail: Trail, vault: Vault[Pass], clock: StandingClock
) -> None:
    vault.token(KEY, fresh=Door(clock), early=0)
    vault.token("anaplan/eve", fresh=Door(clock), early=0)
    with trail.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE vault SET access = (SELECT access FROM vault WHERE vault_key = :k) WHERE vault_key = :e"),
            {"k": KEY, "e": "anaplan/eve"},
        )
    with pytest.raises(VaultError, match="another login"):
        vault.token("anaplan/eve", fresh=Door(clock), early=0)


def test_the_database_holds_no_secret_that_can_be_read(trail: Trail, vault: Vault[Pass], clock: StandingClock) -> None:
    vault.put_refresh_token(KEY, "grant")
    vault.token(KEY, fresh=Door(clock, rotates=True), early=0)
    row = read(trail.engine, lambda db: db.execute(sa.text("SELECT * FROM vault")).one())
    shown = f"{row} {vault!r} {vars(vault)!r}"
    assert all(secret not in shown for secret in ("grant", "access-1", "refresh-1", OLD_KEY))


def test_no_key_and_a_bad_key_are_refused_without_showing_it() -> None:
    for keys in ("", " , "):
        with pytest.raises(VaultError, match="no key"):
            FernetCipher(keys)
    with pytest.raises(VaultError, match="no Fernet key") as bad:
        FernetCipher(f"{OLD_KEY},hunter2")
    assert "hunter2" not in str(bad.value)
