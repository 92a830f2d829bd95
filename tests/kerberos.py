# SPDX-License-Identifier: Apache-2.0
"""A real Kerberos realm on loopback for tests, where Debian's krb5-kdc and the package gssapi are installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REALM = "LARKFIELD.TEST"
USER, PASSWORD = f"svc-planning@{REALM}", "s3cret of the realm"
SERVICE = f"HTTP/127.0.0.1@{REALM}"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm with an account and a service: the files that clients and servers need."""

    config: Path
    service_keytab: Path
    user_keytab: Path
    tickets: Path


def missing() -> str:
    """Return what is not installed; "" when all is there."""
    programs = [
        name for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit") if not shutil.which(name, path=_PATH)
    ]
    packages = [name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None]
    return ", ".join([*programs, *packages])


@contextmanager
def realm(folder: Path) -> Iterator[Realm]:
    """Set up a realm in a folder and run its KDC while the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Realm(folder / "krb5.conf", folder / "service.keytab", folder / "user.keytab", folder / "tickets")
    _configure(folder, made, port)
    environment = {**os.environ, "KRB5_CONFIG": str(made.config), "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}

    def run(program: str, *arguments: str, text: str = "") -> None:
        command = [shutil.which(program, path=_PATH) or program, *arguments]
        subprocess.run(command, env=environment, input=text, text=True, check=True, capture_output=True)

    run("kdb5_util", "-P", "master", "create", "-s", "-r", REALM)
    run("kadmin.local", "-q", f'addprinc -pw "{PASSWORD}" {USER}')
    run("kadmin.local", "-q", f"addprinc -randkey {SERVICE}")
    run("kadmin.local", "-q", f"ktadd -k {made.service_keytab} {SERVICE}")
    run("kadmin.local", "-q", f"ktadd -norandkey -k {made.user_keytab} {USER}")
    kdc = subprocess.Popen(
        [shutil.which("krb5kdc", path=_PATH) or "krb5kdc", "-n"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port)
        run("kinit", "-c", str(made.tickets), USER, text=f"{PASSWORD}\n")
        yield made
    finally:
        kdc.terminate()
        kdc.wait(10)


def _configure(folder: Path, made: Realm, port: int) -> None:
    prefix = Path(shutil.which("krb5kdc", path=_PATH) or "/usr/sbin/krb5kdc").parents[1]
    modules = "".join(f" db_module_dir = {found}\n" for found in prefix.glob("lib/*/krb5/plugins/kdb"))
    made.config.write_text(
        f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n rdns = false\n"
        " dns_canonicalize_hostname = false\n udp_preference_limit = 1\n"
        f"[realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n[dbmodules]\n{modules}"
    )
    (folder / "kdc.conf").write_text(
        f"[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n"
        f"[realms]\n {REALM} = {{\n  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n }}\n"
    )


def _await(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the KDC did not start")
